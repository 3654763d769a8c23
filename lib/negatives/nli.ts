/**
 * From NLI pairs to what a loss trains on.
 *
 * @module
 */
import { DatasetError } from "../error.ts";
import { easyNegatives } from "./easy.ts";
import type { Dataset, LabelledPairs, Pairs, ScoredPairs, Triplets } from "../data/dataset.ts";

/** Where the negatives of triplets come from. */
export type NegativeKind = "none" | "easy" | "contradiction";

/**
 * NLI pairs as pairs with a score, for the cosine loss: entailment (label 0) 1, everything else 0.
 *
 * @param pairs Premise, hypothesis, and a label: 0 entailment, 1 neutral, 2 contradiction.
 * @returns As many pairs with a score.
 *
 * @example
 * ```ts
 * import { scoresFromNli } from "@kindred/kindred/negatives";
 * import assert from "node:assert/strict";
 * const columns = { premise: ["a", "b"], hypothesis: ["c", "d"], label: Int32Array.of(0, 2) };
 * assert.deepEqual([...scoresFromNli({ columns, rows: 2 }).columns.score], [1, 0]);
 * ```
 */
export function scoresFromNli(pairs: Dataset<LabelledPairs>): Dataset<ScoredPairs> {
  const { columns, rows } = pairs;
  const score = Float64Array.from(columns.label, (label) => label === 0 ? 1 : 0);
  return { columns: { sentence1: columns.premise, sentence2: columns.hypothesis, score }, rows };
}

/** Triplets and how they came about. */
export interface TripletResult {
  /** Pairs, or triplets. */
  readonly dataset: Dataset<Pairs> | Dataset<Triplets>;
  /** Negatives by contradiction, and easy ones. */
  readonly counts: { readonly contradiction: number; readonly easy: number };
}

/**
 * NLI pairs as anchors and positives, the entailed pairs, with a negative each: `none`; `easy`, another row's
 * hypothesis at random; `contradiction`, the hypothesis that contradicts the same premise, an easy one where there is
 * none.
 *
 * @param pairs Premise, hypothesis, and a label: 0 entailment, 1 neutral, 2 contradiction.
 * @param options Where negatives come from, and the seed of the easy ones.
 * @returns Pairs or triplets, and how many negatives are of either kind.
 * @throws {DatasetError} No pair is an entailment, or there is no text for an easy negative.
 *
 * @example
 * ```ts
 * import { tripletsFromNli } from "@kindred/kindred/negatives";
 * import assert from "node:assert/strict";
 * const columns = {
 *   premise: ["a man eats", "a man eats"],
 *   hypothesis: ["someone eats", "nobody eats"],
 *   label: Int32Array.of(0, 2),
 * };
 * const { dataset } = tripletsFromNli({ columns, rows: 2 }, { negatives: "contradiction", seed: 1 });
 * assert.deepEqual(dataset.columns, { anchor: ["a man eats"], positive: ["someone eats"], negative: ["nobody eats"] });
 * ```
 */
export function tripletsFromNli(
  pairs: Dataset<LabelledPairs>,
  options: { readonly negatives: NegativeKind; readonly seed: number },
): TripletResult {
  const { columns } = pairs;
  const { premise, hypothesis, label } = columns;
  const rows = Array.from(label.keys()).filter((row) => label[row] === 0);
  if (rows.length === 0) throw new DatasetError("no pair is an entailment", { expected: "rows with label 0" });
  const anchor = rows.map((row) => premise[row]!);
  const positive = rows.map((row) => hypothesis[row]!);
  if (options.negatives === "none") {
    return { dataset: { columns: { anchor, positive }, rows: rows.length }, counts: { contradiction: 0, easy: 0 } };
  }
  const negative = [...easyNegatives(anchor, positive, hypothesis, { seed: options.seed })];
  let contradiction = 0;
  if (options.negatives === "contradiction") {
    const contradicting = new Map<string, string>();
    label.forEach((kind, row) => {
      if (kind === 2 && !contradicting.has(premise[row]!)) contradicting.set(premise[row]!, hypothesis[row]!);
    });
    anchor.forEach((text, row) => {
      const found = contradicting.get(text);
      if (found === undefined) return;
      negative[row] = found;
      contradiction++;
    });
  }
  const counts = { contradiction, easy: rows.length - contradiction };
  return { dataset: { columns: { anchor, positive, negative }, rows: rows.length }, counts };
}
