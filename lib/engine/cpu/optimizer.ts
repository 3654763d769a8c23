/**
 * Clipping and AdamW.
 *
 * @module
 */
import { type OptimizerSlot, STEP } from "../engine.ts";
import type { OptimizerKernels } from "../subjects.ts";
import { adamwFromOutside } from "./cold.ts";
import { at, type Core, own } from "./core.ts";
import type { CpuHandle } from "./heap.ts";
import { type Dispatch, GRAIN, sumOf } from "./dispatch.ts";

/** Rows of a table whose squares are summed as one, as in `kernels/optimizer.c`. */
const TOUCHED = 256;

/** See the Engine contract. */
export function optimizerKernels(core: Core, { run, elements }: Dispatch): OptimizerKernels {
  const { enqueue, threads } = core;
  const squares = (gradient: CpuHandle): () => number => {
    const { touched } = gradient;
    if (touched === undefined) return sumOf(core, gradient, true);
    const { dirty, rows, width } = touched;
    const blocks = Math.ceil(rows / TOUCHED);
    const partial = core.workspace(8 * blocks);
    const args = { g: at(gradient), dirty: at(dirty), rows, width, partial };
    return () => {
      threads.run("squaresOfRows", blocks, 1, args);
      return core.doubles(partial, blocks).reduce((sum, value) => sum + value, 0);
    };
  };

  return {
    clip(gradients, loss, maxNorm, state) {
      const sums = gradients.map((gradient) => squares(own(gradient)));
      const [lossAt, stateAt] = [at(loss), at(state)];
      enqueue(() => {
        const scalars = core.floats(stateAt, STEP.length);
        const scale = scalars[STEP.lossScale]! || 1;
        const norm = Math.sqrt(sums.reduce((sum, squared) => sum + squared(), 0)) / scale;
        const finite = Number.isFinite(norm) && Number.isFinite(core.floats(lossAt, 1)[0]!);
        scalars[STEP.gradientNorm] = norm;
        scalars[STEP.clipFactor] = (maxNorm > 0 ? Math.min(1, maxNorm / (norm + 1e-6)) : 1) / scale;
        const halted = scalars[STEP.halts] !== 0 && scalars[STEP.skipped] !== 0;
        scalars[STEP.skipped] = finite && !halted ? 0 : 1;
      });
    },
    adamw(slots: readonly OptimizerSlot[], { beta1, beta2, epsilon }, state) {
      for (const slot of slots) {
        const { weight, gradient, m, v, weightDecay } = slot;
        if (own(m).outside !== undefined || own(v).outside !== undefined) {
          adamwFromOutside(core, slot, { beta1, beta2, epsilon }, state);
          continue;
        }
        const { touched, block: { size } } = own(gradient);
        const tensors = { w: at(weight), g: at(gradient), m: at(m), v: at(v), weightDecay };
        const constants = { state: at(state), beta1, beta2, epsilon };
        if (touched !== undefined) {
          const { ever, dirty, rows, width } = touched;
          const args = { ...tensors, ever: at(ever), dirty: at(dirty), width, ...constants };
          run("adamwRows", rows, Math.ceil(GRAIN / width), args);
        } else elements("adamw", size, { ...tensors, ...constants });
      }
    },
  };
}
