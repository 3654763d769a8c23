/**
 * Activations, and products that are gated by them.
 *
 * @module
 */
import { type Activation, type Engine, sizeOf } from "../engine.ts";
import { expectShape } from "../shapes.ts";
import type { ActivationKernels } from "../subjects.ts";
import type { Kernel } from "./kernel.ts";
import type { Core } from "./memory.ts";
import { activationText, elementwise } from "./wgsl.ts";

const xy = { reads: { x: "f32" }, writes: { y: "f32" } } as const;
const activate = (activation: Activation): Kernel =>
  elementwise(`activate ${activation}`, { ...xy, head: activationText(activation) }, "y[i] = activated(x[i]);");
const activateBackward = (activation: Activation): Kernel =>
  elementwise(
    `activationBackward ${activation}`,
    { reads: { z: "f32", dy: "f32" }, writes: { dz: "f32" }, head: activationText(activation) },
    "dz[i] = dy[i] * slope(z[i]);",
  );
/** The halves of a row: what is activated, and what it multiplies. */
const halves = `let row = i / p.width;
let a = row * 2u * p.width + p.second * p.width + i % p.width;
let b = row * 2u * p.width + (1u - p.second) * p.width + i % p.width;`;
const gated = (activation: Activation): Kernel =>
  elementwise(
    `gated ${activation}`,
    { ...xy, numbers: { width: "u32", second: "u32" }, head: activationText(activation) },
    `${halves}\ny[i] = activated(x[a]) * x[b];`,
  );
const gatedBackward = (activation: Activation): Kernel =>
  elementwise(
    `gatedBackward ${activation}`,
    {
      reads: { x: "f32", dy: "f32" },
      writes: { dx: "f32" },
      numbers: { width: "u32", second: "u32" },
      head: activationText(activation),
    },
    `${halves}\ndx[a] = dy[i] * x[b] * slope(x[a]);\ndx[b] = dy[i] * activated(x[a]);`,
  );

/** See the Engine contract. */
export function activationKernels(
  { temporary, elements }: Core,
  { columnSum }: Pick<Engine, "columnSum">,
): ActivationKernels {
  return {
    activate(activation, x) {
      const y = temporary(x.shape);
      elements(activate(activation), sizeOf(x.shape), { x, y });
      return y;
    },
    activationBackward(activation, z, dy, dBias) {
      expectShape("activationBackward", dy, z.shape);
      const dz = temporary(z.shape);
      elements(activateBackward(activation), sizeOf(z.shape), { z, dy, dz });
      if (dBias !== undefined) columnSum(dz, { out: dBias, accumulate: true });
      return dz;
    },
    gated(activation, x, activated = "first") {
      const width = x.shape[1]! / 2;
      const y = temporary([x.shape[0]!, width]);
      elements(gated(activation), sizeOf(y.shape), { x, y }, { width, second: +(activated === "second") });
      return y;
    },
    gatedBackward(activation, x, dy, activated = "first") {
      const width = x.shape[1]! / 2;
      expectShape("gatedBackward", dy, [x.shape[0], width]);
      const dx = temporary(x.shape);
      const second = +(activated === "second");
      elements(gatedBackward(activation), sizeOf(dy.shape), { x, dy, dx }, { width, second });
      return dx;
    },
  };
}
