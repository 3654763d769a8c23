/**
 * What losses that compare all rows of a batch are made of: numbers spread over columns, and chosen pairs of rows.
 *
 * @module
 */
import { scaleRows } from "../tensor/ops.ts";
import type { Tape } from "../tensor/tape.ts";
import { constant, type Tensor } from "../tensor/tensor.ts";

/** Added to a similarity that must not count: no maximum takes it, and exp of it is 0. Its negative is farther than all. */
export const NEVER = -1e30;

/** 1 where row i and column j are chosen, else 0; [rows, columns] */
export function pairMask(
  tape: Tape,
  [rows, columns]: readonly [number, number],
  chosen: (i: number, j: number) => boolean,
): Tensor {
  const mask = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) if (chosen(i, j)) mask[i * columns + j] = 1;
  return constant(tape.engine.upload(mask, [rows, columns]));
}

/** The number of a row in each of its columns; [R] → [R, columns] */
export function spread(tape: Tape, x: Tensor, columns: number): Tensor {
  const { engine } = tape;
  return scaleRows(tape, constant(engine.full([x.value.shape[0]!, columns], 1)), x);
}
