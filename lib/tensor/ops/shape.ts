/**
 * Slices, concatenation, transposition, and sums.
 *
 * @module
 */
import type { Handle } from "../../engine/engine.ts";
import { accumulate, record, recordAll, type Tape } from "../tape.ts";
import type { Tensor } from "../tensor.ts";

/**
 * Rows start … end − 1 of [R, C]; the others' gradient is 0.
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x [R, C].
 * @param start The first row.
 * @param end The row after the last.
 * @returns [end − start, C]
 */
export function sliceRows(tape: Tape, x: Tensor, start: number, end: number): Tensor {
  const { engine } = tape;
  const [rows, columns] = x.value.shape as [number, number];
  return record(tape, engine.sliceRows(x.value, start, end), [x], (dy) => {
    const parts: Handle[] = [];
    if (start > 0) parts.push(engine.zeros([start, columns]));
    parts.push(dy);
    if (end < rows) parts.push(engine.zeros([rows - end, columns]));
    accumulate(tape, x, parts.length === 1 ? dy : engine.concatRows(parts));
  });
}

/**
 * All rows of [R, C], in parts of equal height.
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x [R, C].
 * @param count How many parts: a divisor of R.
 * @returns [R / count, C] each, from the first rows to the last.
 */
export function splitRows(tape: Tape, x: Tensor, count: number): Tensor[] {
  const { engine } = tape;
  const [rows, columns] = x.value.shape as [number, number];
  const height = rows / count;
  const parts = Array.from({ length: count }, (_, i) => engine.sliceRows(x.value, i * height, (i + 1) * height));
  return recordAll(tape, parts, [x], (gradients) => {
    const all = gradients.map((gradient) => gradient ?? engine.zeros([height, columns]));
    accumulate(tape, x, engine.concatRows(all), true);
  });
}

/**
 * Columns start … end − 1 of [R, C]; the others' gradient is 0.
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x [R, C].
 * @param start The first column.
 * @param end The column after the last.
 * @returns [R, end − start]
 */
export function sliceColumns(tape: Tape, x: Tensor, start: number, end: number): Tensor {
  const { engine } = tape;
  const [rows, columns] = x.value.shape as [number, number];
  return record(tape, engine.sliceColumns(x.value, start, end), [x], (dy) => {
    const parts: Handle[] = [];
    if (start > 0) parts.push(engine.zeros([rows, start]));
    parts.push(dy);
    if (end < columns) parts.push(engine.zeros([rows, columns - end]));
    accumulate(tape, x, parts.length === 1 ? dy : engine.concatColumns(parts));
  });
}

/**
 * [R₁, C], [R₂, C], … → [ΣR, C]
 *
 * @param tape Where the backward step goes, and the engine.
 * @param parts Matrices of equal width.
 * @returns One above the other.
 */
export function concatRows(tape: Tape, parts: readonly Tensor[]): Tensor {
  const { engine } = tape;
  return record(tape, engine.concatRows(parts.map(({ value }) => value)), parts, (dy) => {
    let start = 0;
    for (const part of parts) {
      const end = start + part.value.shape[0]!;
      if (part.needsGradient) accumulate(tape, part, engine.sliceRows(dy, start, end));
      start = end;
    }
  });
}

/**
 * [R, C₁], [R, C₂], … → [R, ΣC]
 *
 * @param tape Where the backward step goes, and the engine.
 * @param parts Matrices of equal height.
 * @returns One beside the other.
 */
export function concatColumns(tape: Tape, parts: readonly Tensor[]): Tensor {
  const { engine } = tape;
  return record(tape, engine.concatColumns(parts.map(({ value }) => value)), parts, (dy) => {
    let start = 0;
    for (const part of parts) {
      const end = start + part.value.shape[1]!;
      if (part.needsGradient) accumulate(tape, part, engine.sliceColumns(dy, start, end));
      start = end;
    }
  });
}

/**
 * [R, C] → [C, R]
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x [R, C].
 * @returns [C, R]
 */
export function transpose(tape: Tape, x: Tensor): Tensor {
  const { engine } = tape;
  return record(tape, engine.transpose(x.value), [x], (dy) => accumulate(tape, x, engine.transpose(dy)));
}

/**
 * The same elements under another shape.
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x Any shape.
 * @param shape Another one with as many elements.
 * @returns The same elements, row by row.
 */
export function reshape(tape: Tape, x: Tensor, shape: readonly number[]): Tensor {
  const { engine } = tape;
  return record(tape, engine.reshape(x.value, shape), [x], (dy) => {
    tape.holders.delete(dy); // two handles share its memory from now on: neither may be added to in place
    accumulate(tape, x, engine.reshape(dy, x.value.shape));
  });
}

/**
 * Σ of all elements → [1]; dx = dy everywhere
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x Any shape.
 * @returns [1]
 */
export function sum(tape: Tape, x: Tensor): Tensor {
  const { engine } = tape;
  return record(tape, engine.sum(x.value), [x], (dy) => {
    accumulate(tape, x, engine.binary("multiply", ones(tape, x.value.shape), dy));
  });
}

/**
 * Mean of all elements → [1]
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x Any shape.
 * @returns [1]
 */
export function mean(tape: Tape, x: Tensor): Tensor {
  const { engine } = tape;
  const count = x.value.shape.reduce((a, b) => a * b, 1);
  return record(tape, engine.affine(engine.sum(x.value), 1 / count), [x], (dy) => {
    accumulate(tape, x, engine.binary("multiply", ones(tape, x.value.shape), engine.affine(dy, 1 / count)));
  });
}

/**
 * [R, C] → [R]; dx[r, c] = dy[r]
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x [R, C].
 * @returns [R]
 */
export function rowSum(tape: Tape, x: Tensor): Tensor {
  const { engine } = tape;
  return record(tape, engine.rowReduce("sum", x.value), [x], (dy) => {
    accumulate(tape, x, engine.scaleRows(ones(tape, x.value.shape), dy));
  });
}

function ones(tape: Tape, shape: readonly number[]): Handle {
  return tape.engine.full(shape, 1);
}
