/**
 * Activations, and products that are gated by them.
 *
 * @module
 */
import type { Activation, Engine } from "../engine.ts";
import { at, type Core, expectShape } from "./core.ts";
import { ACTIVATIONS, columnsOf, type Dispatch, rowsOf } from "./dispatch.ts";

/** The kernels of this file. */
export type ActivationKernels = Pick<Engine, "activate" | "activationBackward" | "gated" | "gatedBackward">;

/** See the Engine contract. */
export function activationKernels({ heap }: Core, { elements, rows }: Dispatch): ActivationKernels {
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
    activationBackward(activation, z, dy) {
      expectShape("activationBackward", dy, z.shape);
      const dz = temporary(z.shape);
      elements("activateBackward", dz.block.size, { kind: ACTIVATIONS[activation], z: at(z), dy: at(dy), dz: at(dz) });
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
