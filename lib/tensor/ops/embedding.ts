/**
 * Rows of a table by number.
 *
 * @module
 */
import type { Handle, WeighingMode } from "../../engine/engine.ts";
import { gradientTarget, handOn, record, type Tape } from "../tape.ts";
import type { Tensor } from "../tensor.ts";

/**
 * y[t] = E[idₜ]; E [V, H], ids i32 [T] → [T, H]; dE[idₜ] += cₜ dy[t]
 *
 * @param tape Where the backward step goes, and the engine.
 * @param table [V, H] rows to take from.
 * @param ids i32 [T] which rows.
 * @param counts c, f32 [T]: what the gradient of each row is multiplied by. Default: 1.
 * @returns [T, H]
 */
export function embedding(tape: Tape, table: Tensor, ids: Handle, counts?: Handle): Tensor {
  const { engine } = tape;
  return record(tape, engine.gather(table.value, ids), [table], (dy) => {
    const gradient = gradientTarget(tape, table)!;
    engine.scatterAdd(gradient, ids, counts === undefined ? dy : engine.scaleRows(dy, counts));
    handOn(tape, table, gradient);
  });
}

/**
 * The embedding of each sequence from rows of a table: `pool` of `embedding`, of which no [T, H] is made.
 *
 * y[s] = Σₜ wₜ E[idₜ] over the tokens t of s, w by the mode; dE[idₜ] += wₜ dy[s]
 *
 * @param tape Where the backward step goes, and the engine.
 * @param table [V, H] rows to take from.
 * @param ids i32 [T] which rows.
 * @param offsets i32 [n + 1] where sequences begin and end.
 * @param mode How tokens are weighed.
 * @param skip Leading tokens of each sequence that do not count.
 * @returns [n, H]
 */
export function pooledEmbedding(
  tape: Tape,
  table: Tensor,
  ids: Handle,
  offsets: Handle,
  mode: WeighingMode,
  skip = 0,
): Tensor {
  const { engine } = tape;
  return record(tape, engine.gatherPool(table.value, ids, offsets, mode, skip), [table], (dy) => {
    const gradient = gradientTarget(tape, table)!;
    engine.scatterPool(gradient, ids, offsets, dy, mode, skip);
    handOn(tape, table, gradient);
  });
}
