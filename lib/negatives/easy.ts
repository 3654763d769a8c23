/**
 * Easy negatives: texts of other rows at random.
 *
 * @module
 */
import { randomPurpose, randomStream } from "../engine/philox.ts";
import { DatasetError } from "../error.ts";

/**
 * One text of `pool` for each pair, never its own positive, and its own anchor only if the pool has nothing else.
 * Depends on the seed and the row alone.
 */
export function easyNegatives(
  anchors: readonly string[],
  positives: readonly string[],
  pool: readonly string[],
  seed: number,
): readonly string[] {
  return positives.map((positive, row) => {
    const stream = randomStream(seed, randomPurpose("negatives"), row);
    for (let draw = 0; pool.length > 0 && draw < 100; draw++) {
      const text = pool[stream.int(pool.length)]!;
      if (text !== positive && text !== anchors[row]) return text;
    }
    const rare = pool.find((text) => text !== positive && text !== anchors[row]) ??
      pool.find((text) => text !== positive);
    if (rare !== undefined) return rare;
    throw new DatasetError("no text differs from the positive, so there is no negative", {
      expected: "at least two different texts",
      found: JSON.stringify(positive.slice(0, 80)),
      where: `row ${row + 1}`,
      hint: "train on pairs: --negatives none",
    });
  });
}
