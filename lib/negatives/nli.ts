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

/** The chapter's mapping for the cosine loss: entailment 1, everything else 0. */
export function scoresFromNli({ columns, rows }: Dataset<LabelledPairs>): Dataset<ScoredPairs> {
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
 * The entailed pairs with a negative each: `none`; `easy`, another row's hypothesis at random; `contradiction`, the
 * hypothesis that contradicts the same premise, an easy one where there is none.
 */
export function tripletsFromNli(
  { columns }: Dataset<LabelledPairs>,
  options: { readonly negatives: NegativeKind; readonly seed: number },
): TripletResult {
  const { premise, hypothesis, label } = columns;
  const rows = Array.from(label.keys()).filter((row) => label[row] === 0);
  if (rows.length === 0) throw new DatasetError("no pair is an entailment", { expected: "rows with label 0" });
  const anchor = rows.map((row) => premise[row]!);
  const positive = rows.map((row) => hypothesis[row]!);
  if (options.negatives === "none") {
    return { dataset: { columns: { anchor, positive }, rows: rows.length }, counts: { contradiction: 0, easy: 0 } };
  }
  const negative = [...easyNegatives(anchor, positive, hypothesis, options.seed)];
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
