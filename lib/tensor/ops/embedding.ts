/**
 * Rows of a table by number.
 *
 * @module
 */
import type { Handle } from "../../engine/engine.ts";
import { accumulate, record, type Tape } from "../tape.ts";
import type { Tensor } from "../tensor.ts";

/**
 * y[t] = E[idₜ]; E [V, H], ids i32 [T] → [T, H]; dE[idₜ] += dy[t]
 *
 * @param tape Where the backward step goes, and the engine.
 * @param table [V, H] rows to take from.
 * @param ids i32 [T] which rows.
 * @returns [T, H]
 */
export function embedding(tape: Tape, table: Tensor, ids: Handle): Tensor {
  const { engine } = tape;
  return record(tape, engine.gather(table.value, ids), [table], (dy) => {
    if (table.isParameter) return engine.scatterAdd(table.gradient!, ids, dy);
    const gradient = engine.zeros(table.value.shape);
    engine.scatterAdd(gradient, ids, dy);
    accumulate(tape, table, gradient);
  });
}
