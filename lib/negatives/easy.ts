/**
 * Easy negatives: texts of other rows at random.
 *
 * @module
 */
import { randomPurpose, randomStream } from "../engine/philox.ts";
import { DatasetError } from "../error.ts";

/** Options of {@linkcode easyNegatives}. */
export interface EasyOptions {
  /** Which texts are drawn. Default 42. */
  readonly seed?: number;
}

/**
 * Easy negatives: one text of a pool at random for each pair, never its own positive, and its own anchor only if the
 * pool has nothing else. Depends on the seed and the row alone.
 *
 * @param anchors n texts.
 * @param positives n texts, one for each anchor.
 * @param pool Texts to draw from.
 * @param options The seed. Default 42.
 * @returns n texts.
 * @throws {DatasetError} No text of the pool differs from a positive.
 *
 * @example
 * ```ts
 * import { easyNegatives } from "@kindred/kindred/negatives";
 * import assert from "node:assert/strict";
 * const pool = ["warm", "damp", "loud"];
 * const negatives = easyNegatives(["hot", "wet"], ["warm", "damp"], pool, { seed: 7 });
 * assert.ok(negatives[0] !== "warm" && negatives[1] !== "damp" && negatives.every((text) => pool.includes(text)));
 * ```
 */
export function easyNegatives(
  anchors: readonly string[],
  positives: readonly string[],
  pool: readonly string[],
  options: EasyOptions = {},
): readonly string[] {
  const { seed = 42 } = options;
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
