/**
 * Rotary positions (Su et al. 2021, arXiv 2104.09864).
 *
 * @module
 */
import type { Rotation } from "../../engine/engine.ts";
import { accumulate, record, type Tape } from "../tape.ts";
import type { Tensor } from "../tensor.ts";

/**
 * Turns pairs of features of the first heads of each row by angles that grow with the row's position. Writes over `x`:
 * nothing else may use its value afterwards.
 *
 * dx = the gradient, turned back
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x [T, …] heads side by side: queries, keys, values.
 * @param rotation Angles and positions, and how many heads are turned.
 * @returns The same tensor, turned.
 */
export function rotate(tape: Tape, x: Tensor, rotation: Rotation): Tensor {
  const { engine } = tape;
  engine.rotate(x.value, rotation);
  return record(tape, x.value, [x], (dy) => {
    // Only this op holds the gradient of its result, unless a view or another tensor shares it.
    const own = tape.holders.get(dy) === 1 ? dy : engine.affine(dy, 1);
    engine.rotate(own, { ...rotation, inverse: !(rotation.inverse ?? false) });
    accumulate(tape, x, own, true);
  });
}

/**
 * The table of a rotation: cos and sin of position · frequency, in single precision as transformers has them.
 *
 * @param frequencies [P] angles by which one step turns each pair.
 * @param length Positions 0 … length − 1.
 * @returns [length, 2 P]: cosines, then sines.
 */
export function rotationTable(frequencies: Float32Array, length: number): Float32Array {
  const pairs = frequencies.length;
  const table = new Float32Array(length * 2 * pairs);
  for (let position = 0; position < length; position++) {
    const row = position * 2 * pairs;
    for (let i = 0; i < pairs; i++) {
      const angle = Math.fround(position * frequencies[i]!);
      table[row + i] = Math.cos(angle);
      table[row + pairs + i] = Math.sin(angle);
    }
  }
  return table;
}
