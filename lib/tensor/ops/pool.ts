/**
 * From tokens to one embedding, and embeddings to unit length.
 *
 * @module
 */
import type { Handle, PoolingMode } from "../../engine/engine.ts";
import { accumulate, record, type Tape } from "../tape.ts";
import type { Tensor } from "../tensor.ts";

/**
 * [T, H] → [n, H] by sequence; the first `skip` tokens of each do not count.
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x [T, H] tokens.
 * @param offsets i32 [n + 1] where sequences begin and end.
 * @param mode Mean, first token, maximum, ….
 * @param skip Leading tokens of each sequence that do not count.
 * @returns [n, H]
 */
export function pool(tape: Tape, x: Tensor, offsets: Handle, mode: PoolingMode, skip = 0): Tensor {
  const { engine } = tape;
  const pooled = engine.pool(x.value, offsets, mode, skip);
  return record(tape, pooled, [x], (dy) => {
    accumulate(tape, x, engine.poolBackward(dy, x.value, pooled, offsets, mode, skip), true);
  });
}

/**
 * y = x / max(‖x‖, ε) by row; dx = (dy − y (y·dy)) / ‖x‖
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x [R, C].
 * @param epsilon The least length that is divided by.
 * @returns [R, C] rows of length 1, or of 0 where x is 0.
 */
export function normalize(tape: Tape, x: Tensor, epsilon = 1e-12): Tensor {
  const { engine } = tape;
  const { y, norms } = engine.normalizeRows(x.value, epsilon);
  return record(tape, y, [x], (dy) => accumulate(tape, x, engine.normalizeRowsBackward(dy, y, norms, epsilon)));
}
