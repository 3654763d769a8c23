/**
 * Easy negatives: texts of other rows at random.
 *
 * @module
 */
import { randomPurpose, randomStream } from "../engine/philox.ts";

/**
 * One text of `pool` for each pair, never equal to its own anchor or positive unless the pool has nothing else. Depends
 * on the seed and the row alone.
 */
export function easyNegatives(
  anchors: readonly string[],
  positives: readonly string[],
  pool: readonly string[],
  seed: number,
): readonly string[] {
  return positives.map((positive, row) => {
    const stream = randomStream(seed, randomPurpose("negatives"), row);
    let negative = pool[stream.int(pool.length)]!;
    for (let tries = 0; tries < 100 && (negative === positive || negative === anchors[row]); tries++) {
      negative = pool[stream.int(pool.length)]!;
    }
    return negative;
  });
}
