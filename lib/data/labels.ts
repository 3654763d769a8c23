/**
 * Labels: classes and scores of sentence pairs, and the way from one to the other.
 *
 * @module
 */
import { DatasetError } from "../error.ts";
import type { Column, Dataset, LabelledPairs, ScoredPairs } from "./dataset.ts";
import { selectRows } from "./rows.ts";

/** The classes of natural-language inference, by number, as GLUE has them. */
export const NLI_LABELS: readonly string[] = ["entailment", "neutral", "contradiction"];

/** What the chapter trains a similarity on: entailment 1, all else 0. */
export const NLI_SCORES: Readonly<Record<number, number>> = { 0: 1, 1: 0, 2: 0 };

/** The number that GLUE gives to rows without a label. */
const UNLABELLED = -1;

/** Class numbers from a column of numbers or of class names; −1 (also `-` and empty) stays for "no label". */
export function classNumbers(column: Column, names: readonly string[] = NLI_LABELS, where = "label"): Int32Array {
  return Int32Array.from(column as ArrayLike<string | number>, (label, row) => {
    const text = typeof label === "string" ? label.trim().toLowerCase() : "";
    if (typeof label === "string" && (text === "" || text === "-")) return UNLABELLED;
    const named = names.indexOf(text);
    const number = named >= 0 ? named : Number(label);
    if (Number.isInteger(number) && number >= UNLABELLED && number < names.length) return number;
    throw new DatasetError("unknown label", {
      expected: names.map((name, index) => `${index} (${name})`).join(", "),
      found: String(label),
      where: `row ${row + 1}, column ${where}`,
      hint: "map the labels in the file, or choose another column with --columns",
    });
  });
}

/** Leaves out the rows without a label and counts them. */
export function dropUnlabelled<C extends { readonly label: Int32Array } & { readonly [name: string]: Column }>(
  dataset: Dataset<C>,
): { readonly dataset: Dataset<C>; readonly dropped: number } {
  const { label } = dataset.columns;
  const kept = Array.from(label, (_, row) => row).filter((row) => label[row] !== UNLABELLED);
  const dropped = dataset.rows - kept.length;
  return { dataset: dropped === 0 ? dataset : selectRows(dataset, kept), dropped };
}

/** Scored pairs from labelled ones: `score = scores[label]`. A label that is not in the mapping is an error. */
export function mapLabels(
  pairs: Dataset<LabelledPairs>,
  scores: Readonly<Record<number, number>> = NLI_SCORES,
): Dataset<ScoredPairs> {
  const { premise, hypothesis, label } = pairs.columns;
  const score = Float64Array.from(label, (value, row) => {
    const mapped = scores[value];
    if (mapped !== undefined) return mapped;
    throw new DatasetError("label without a score in the mapping", {
      expected: Object.entries(scores).map(([from, to]) => `${from} → ${to}`).join(", "),
      found: String(value),
      where: `row ${row + 1}, column label`,
    });
  });
  return { columns: { sentence1: premise, sentence2: hypothesis, score }, rows: pairs.rows };
}

/**
 * Scores in [0, 1], as a cosine similarity is trained on them: `score / scale`. Without a scale it is found: 1 if no
 * score is above 1, 5 (the STS benchmark's) if none is above 5.
 */
export function scaleScores(pairs: Dataset<ScoredPairs>, scale?: number): Dataset<ScoredPairs> {
  const { score } = pairs.columns;
  let highest = -Infinity;
  for (let row = 0; row < score.length; row++) {
    if (!Number.isFinite(score[row]!)) {
      throw new DatasetError("score is not a number", {
        expected: "a finite number",
        found: String(score[row]),
        where: `row ${row + 1}, column score`,
      });
    }
    highest = Math.max(highest, score[row]!);
  }
  const divisor = scale ?? (highest <= 1 ? 1 : 5);
  if (!(divisor > 0) || highest > divisor) {
    throw new DatasetError("scores are outside of their scale", {
      expected: `at most ${scale ?? "5"}`,
      found: String(highest),
      where: "column score",
      hint: "scale the scores to 0 … 1 or 0 … 5 in the file",
    });
  }
  if (divisor === 1) return pairs;
  return { columns: { ...pairs.columns, score: score.map((value) => value / divisor) }, rows: pairs.rows };
}
