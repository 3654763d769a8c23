/**
 * From texts with a class to rows of losses over pairs and triplets: two texts of one class belong together.
 *
 * @module
 */
import { counted } from "../counted.ts";
import { randomPurpose, type RandomStream, randomStream } from "../engine/philox.ts";
import { DatasetError } from "../error.ts";
import type { Dataset, LabelledTexts, ScoredPairs, Triplets } from "./dataset.ts";

/** Options of {@linkcode tripletsFromLabels} and {@linkcode pairsFromLabels}. */
export interface LabelRowsOptions {
  /** Which partners are drawn. Default 1. */
  readonly seed?: number;
}

/**
 * One triplet for each text: the text, another one of its class, one of another class. Texts that no other text shares
 * its class with are left out.
 *
 * @param texts Texts with a class each.
 * @param options The seed.
 * @returns Anchor, positive, negative.
 * @throws {DatasetError} There is a single class, or none with two texts.
 *
 * @example
 * ```ts
 * import { tripletsFromLabels } from "@kindred/kindred/data";
 * import assert from "node:assert/strict";
 * const texts = { columns: { text: ["a", "b", "z"], label: Int32Array.of(0, 0, 1) }, rows: 3 };
 * assert.deepEqual(tripletsFromLabels(texts).columns, {
 *   anchor: ["a", "b"],
 *   positive: ["b", "a"],
 *   negative: ["z", "z"],
 * });
 * ```
 */
export function tripletsFromLabels(texts: Dataset<LabelledTexts>, options: LabelRowsOptions = {}): Dataset<Triplets> {
  const [anchor, positive, negative]: [string[], string[], string[]] = [[], [], []];
  for (const [text, same, other] of partners(texts, options)) {
    anchor.push(text);
    positive.push(same);
    negative.push(other);
  }
  return { columns: { anchor, positive, negative }, rows: anchor.length };
}

/**
 * Two pairs for each text: with another one of its class (score 1), and with one of another class (score 0).
 *
 * @param texts Texts with a class each.
 * @param options The seed.
 * @returns Pairs with a score of 1 or 0. Texts that no other text shares its class with are left out.
 * @throws {DatasetError} There is a single class, or none with two texts.
 */
export function pairsFromLabels(texts: Dataset<LabelledTexts>, options: LabelRowsOptions = {}): Dataset<ScoredPairs> {
  const [sentence1, sentence2, score]: [string[], string[], number[]] = [[], [], []];
  for (const [text, same, other] of partners(texts, options)) {
    sentence1.push(text, text);
    sentence2.push(same, other);
    score.push(1, 0);
  }
  return { columns: { sentence1, sentence2, score: Float64Array.from(score) }, rows: score.length };
}

/** Each text with one of its class and one of another, never the same words; drawn for each row by itself. */
function* partners(
  { columns: { text, label }, rows }: Dataset<LabelledTexts>,
  { seed = 1 }: LabelRowsOptions,
): Generator<readonly [string, string, string]> {
  // Rows by class, and where each class begins: a row is drawn within its class, or from what is before and behind.
  const order = Int32Array.from({ length: rows }, (_, row) => row).sort((a, b) => label[a]! - label[b]! || a - b);
  const starts = new Map<number, number>();
  const counts = new Map<number, number>();
  order.forEach((row, place) => {
    const name = label[row]!;
    if (!starts.has(name)) starts.set(name, place);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  });
  let found = 0;
  for (let row = 0; row < rows; row++) {
    const random = randomStream(seed, randomPurpose("pairs"), row);
    const [start, count] = [starts.get(label[row]!)!, counts.get(label[row]!)!];
    const same = draw(random, count, (i) => text[order[start + i]!]!, text[row]!);
    const other = draw(random, rows - count, (i) => text[order[i < start ? i : i + count]!]!, text[row]!);
    if (same === undefined || other === undefined) continue;
    found++;
    yield [text[row]!, same, other];
  }
  if (found > 0) return;
  throw new DatasetError("labels make no pairs", {
    expected: "two classes, and two different texts of one of them",
    found: `${counted(rows, "row")} of ${counted(counts.size, "class")}`,
  });
}

/** One of n texts that is not this one; undefined if there is none. */
function draw(random: RandomStream, n: number, textAt: (i: number) => string, not: string): string | undefined {
  for (let attempt = 0; n > 0 && attempt < 20; attempt++) {
    const text = textAt(random.int(n));
    if (text !== not) return text;
  }
  for (let i = 0; i < n; i++) if (textAt(i) !== not) return textAt(i);
  return undefined;
}
