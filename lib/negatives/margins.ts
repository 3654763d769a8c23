/**
 * Negatives with a judge's scores as rows for margin-MSE: so many negatives a row, each with its margin.
 *
 * @module
 */
import { counted } from "../counted.ts";
import type { Dataset, MarginRows } from "../data/dataset.ts";
import { DatasetError } from "../error.ts";
import { expectWholeNumber } from "../expect.ts";
import type { Candidates } from "./candidates.ts";
import { expectNoPositives, forPairs } from "./formats.ts";

/** Rows for margin-MSE, and what stood out. */
export interface MarginResult {
  /** anchor, positive, negative, negative_2, … and the margins score, score_2, … of these negatives, in their order. */
  readonly dataset: Dataset<MarginRows>;
  /** `better`: negatives that the judge prefers to the positive; `left`: those too few to fill a row of their anchor. */
  readonly counts: { readonly better: number; readonly left: number };
}

/**
 * Rows (anchor, positive, n₁ … n_N) with margins mⱼ = s(anchor, positive) − s(anchor, nⱼ): an anchor's negatives fill rows
 * in their order, and those that do not fill one are left out.
 *
 * @param negatives Negatives of every anchor with the judge's scores, from {@linkcode scoreAgain}.
 * @param perRow Negatives of a row, N. Default 1: triplets.
 * @returns The rows, how many negatives the judge prefers, and how many were left out.
 * @throws {UsageError} N is not a whole number from 1.
 * @throws {DatasetError} No anchor has so many, or a positive is among the negatives of its anchor.
 *
 * @example
 * ```ts
 * import { toMargins, writtenNegatives } from "@kindred/kindred/negatives";
 * import assert from "node:assert/strict";
 * const pairs = { columns: { anchor: ["hot"], positive: ["warm"] }, rows: 1 };
 * const { negatives } = await writtenNegatives(
 *   pairs,
 *   (requests) => Promise.resolve(requests.map((_, i) => ({ text: ["cold", "icy"][i]!, finish: "stop" }))),
 *   { negatives: 2 },
 * );
 * const scored = { ...negatives, positiveScores: Float32Array.of(3), scores: Float32Array.of(1, 5) };
 * const { dataset, counts } = toMargins(scored, 2);
 * assert.deepEqual(Object.keys(dataset.columns), ["anchor", "positive", "negative", "negative_2", "score", "score_2"]);
 * assert.deepEqual([dataset.rows, dataset.columns.score[0], counts.better], [1, 2, 1]);
 * ```
 */
export function toMargins(negatives: Candidates, perRow = 1): MarginResult {
  expectWholeNumber("negatives of a row", perRow);
  expectNoPositives(negatives);
  const { anchors, documents, positives, positiveScores, indices, counts, scores, width } = negatives;
  const [anchor, positive]: [string[], string[]] = [[], []];
  const texts: string[][] = Array.from({ length: perRow }, () => []);
  const margins: number[][] = Array.from({ length: perRow }, () => []);
  let [better, left] = [0, 0];
  forPairs(negatives, (i, p) => {
    const rows = Math.floor(counts[i]! / perRow);
    left += counts[i]! - rows * perRow;
    for (let row = 0; row < rows; row++) {
      anchor.push(anchors[i]!);
      positive.push(documents[positives[p]!]!);
      for (let j = 0; j < perRow; j++) {
        const n = i * width + row * perRow + j;
        const margin = positiveScores[p]! - scores[n]!;
        texts[j]!.push(documents[indices[n]!]!);
        margins[j]!.push(margin);
        if (margin < 0) better++;
      }
    }
  });
  if (anchor.length === 0) {
    throw new DatasetError("no anchor has the negatives of a row", {
      expected: `${perRow} of an anchor`,
      found: `${counted(counts.reduce((most, count) => Math.max(most, count), 0), "negative")} at most`,
      hint: "fewer in a row, or more candidates",
    });
  }
  const numbered = (name: string, j: number) => j === 0 ? name : `${name}_${j + 1}`;
  const columns = {
    anchor,
    positive,
    ...Object.fromEntries(texts.map((column, j) => [numbered("negative", j), column])),
    ...Object.fromEntries(margins.map((column, j) => [numbered("score", j), Float64Array.from(column)])),
  } as unknown as MarginRows;
  return { dataset: { columns, rows: anchor.length }, counts: { better, left } };
}
