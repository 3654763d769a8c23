/**
 * Activations, and products that are gated by them.
 *
 * @module
 */
import type { Activation } from "../engine.ts";
import type { ActivationKernels } from "../subjects.ts";
import { at, type Core, expectShape } from "./core.ts";
import { ACTIVATIONS, BLOCK, columnsOf, type Dispatch, rowsOf } from "./dispatch.ts";

/** Columns of a block that are one portion of work: as in `activations.c`. */
const PART = 1024;

/** See the Engine contract. */
export function activationKernels(
  { heap, workspace }: Core,
  { run, elements, rows, addBlocks }: Dispatch,
): ActivationKernels {
  const { temporary } = heap;
  const gate = (activation: Activation, activated: "first" | "second") => ({
    kind: ACTIVATIONS[activation],
    second: +(activated === "second"),
  });
  return {
    activate(activation, x) {
      const y = temporary(x.shape);
      elements("activate", y.block.size, { kind: ACTIVATIONS[activation], x: at(x), y: at(y) });
      return y;
    },
    activationBackward(activation, z, dy, dBias) {
      expectShape("activationBackward", dy, z.shape);
      const columns = z.shape.at(-1)!;
      if (dBias !== undefined) expectShape("activationBackward", dBias, [columns]);
      const dz = temporary(z.shape);
      const count = columns === 0 ? 0 : dz.block.size / columns;
      const [blocks, parts] = [Math.ceil(count / BLOCK), Math.ceil(columns / PART)];
      const partial = dBias === undefined ? 0 : workspace(4 * Math.max(1, blocks) * columns);
      const tensors = { z: at(z), dy: at(dy), dz: at(dz), partial };
      run("activateBackward", blocks * parts, 1, {
        kind: ACTIVATIONS[activation],
        ...tensors,
        rows: count,
        columns,
        parts,
      });
      if (dBias !== undefined) addBlocks({ partial, blocks, stride: columns }, columns, at(dBias), true);
      return dz;
    },
    gated(activation, x, activated = "first") {
      const width = columnsOf(x) / 2;
      const y = temporary([rowsOf(x), width]);
      rows("gated", rowsOf(x), width, { ...gate(activation, activated), x: at(x), y: at(y), width });
      return y;
    },
    gatedBackward(activation, x, dy, activated = "first") {
      const width = columnsOf(x) / 2;
      expectShape("gatedBackward", dy, [rowsOf(x), width]);
      const dx = temporary(x.shape);
      const tensors = { x: at(x), dy: at(dy), dx: at(dx) };
      rows("gatedBackward", rowsOf(x), width, { ...gate(activation, activated), ...tensors, width });
      return dx;
    },
  };
}
