/**
 * Silver data: pairs that a cross-encoder has labelled, and their union with the gold ones.
 *
 * @module
 */
import { counted } from "../counted.ts";
import type { Dataset, ScoredPairs } from "../data/dataset.ts";
import { DatasetError } from "../error.ts";
import { pearson, spearman } from "../numeric/correlation.ts";
import type { SentencePairs } from "./pairs.ts";

/** What a cross-encoder says about n pairs: a score in [0, 1] (width 1), or a value for each class. */
export interface CrossEncoderOutputs {
  /** [n · width] */
  readonly data: Float32Array;
  /** Classes; 1 for a score. */
  readonly width: number;
  /** n */
  readonly rows: number;
}

/** Options of {@linkcode silverPairs}. */
export interface SilverOptions {
  /**
   * `hard`: 1 where the class `positive` is the likeliest (of equals the first), else 0, as in the chapter. `soft`: the
   * score, or the probability of `positive`, as in the paper. Default soft.
   */
  readonly labels?: "hard" | "soft";
  /** The class that means “similar”. Default 1. */
  readonly positive?: number;
}

/**
 * Pairs with the labels that a cross-encoder gives them.
 *
 * @param pairs Unlabelled pairs.
 * @param outputs What `predict` said of them, as probabilities: `softmax: true`.
 * @param options The likelier class, or its probability; and which class means "similar".
 * @returns As many pairs with a score.
 * @throws {DatasetError} Another number of outputs than of pairs, one that is not finite, a soft one outside of [0,
 *   1], or no such class.
 *
 * @example
 * ```ts
 * import { silverPairs } from "@kindred/kindred/augment";
 * import assert from "node:assert/strict";
 * const pairs = { columns: { sentence1: ["a", "b"], sentence2: ["c", "d"] }, rows: 2 };
 * const outputs = { data: Float32Array.of(0.25, 0.75, 0.875, 0.125), width: 2, rows: 2 };
 * assert.deepEqual([...silverPairs(pairs, outputs, { labels: "hard" }).columns.score], [1, 0]);
 * assert.deepEqual([...silverPairs(pairs, outputs).columns.score], [0.75, 0.125]);
 * ```
 */
export function silverPairs(
  pairs: Dataset<SentencePairs>,
  outputs: CrossEncoderOutputs,
  options: SilverOptions = {},
): Dataset<ScoredPairs> {
  const { columns, rows } = pairs;
  const { labels = "soft", positive = 1 } = options;
  const { data, width } = outputs;
  if (outputs.rows !== rows || data.length !== rows * width) {
    throw new DatasetError("there is not one output for each pair", {
      expected: `${counted(rows, "row")} of ${width}`,
      found: `${counted(outputs.rows, "row")}, ${counted(data.length, "value")}`,
    });
  }
  if (width > 1 && !(Number.isInteger(positive) && positive >= 0 && positive < width)) {
    throw new DatasetError("the outputs have no such positive class", {
      expected: `0 … ${width - 1}`,
      found: String(positive),
    });
  }
  const score = new Float64Array(rows);
  for (let row = 0; row < rows; row++) {
    let best = 0;
    for (let column = 0; column < width; column++) {
      const value = data[row * width + column]!;
      if (!Number.isFinite(value)) {
        throw new DatasetError("an output is not finite", { where: `row ${row + 1}`, found: String(value) });
      }
      if (value > data[row * width + best]!) best = column;
    }
    const soft = data[row * width + (width === 1 ? 0 : positive)]!;
    if (labels === "hard") score[row] = (width === 1 ? soft > .5 : best === positive) ? 1 : 0;
    else if (soft >= 0 && soft <= 1) score[row] = soft;
    else {
      throw new DatasetError("a soft label must be between 0 and 1", {
        expected: "0 … 1",
        found: String(soft),
        where: `row ${row + 1}`,
        hint: width === 1 ? "put a sigmoid on the scores" : "put a softmax on the outputs",
      });
    }
  }
  return { columns: { sentence1: columns.sentence1, sentence2: columns.sentence2, score }, rows };
}

/**
 * What a cross-encoder says of pairs whose order means nothing: the mean of both readings, a with b and b with a.
 *
 * @param outputs What it said of the pairs.
 * @param turned What it said of the same pairs turned round.
 * @returns The mean of the two.
 * @throws {DatasetError} Outputs of other pairs, or of other classes.
 */
export function meanOutputs(outputs: CrossEncoderOutputs, turned: CrossEncoderOutputs): CrossEncoderOutputs {
  const { data, width, rows } = outputs;
  if (turned.width !== width || turned.rows !== rows) {
    throw new DatasetError("the outputs are not two readings of the same pairs", {
      expected: `${counted(rows, "row")} of ${width}`,
      found: `${counted(turned.rows, "row")} of ${turned.width}`,
    });
  }
  return { data: data.map((value, i) => (value + turned.data[i]!) / 2), width, rows };
}

/**
 * How sure a cross-encoder is of its labels, from 0 to 1. One that read each pair both ways round is as sure as it agrees
 * with itself: 1 − |score(a, b) − score(b, a)|; a grade in the middle may be certain. Otherwise it is the margin between the
 * likeliest class and the next: of a probability p, |2p − 1|.
 *
 * @param outputs What it said of the pairs, as probabilities.
 * @param turned What it said of the same pairs turned round, if it read them.
 * @param options Which class means "similar", for pairs that were read both ways.
 * @returns [n] confidences.
 *
 * @example
 * ```ts
 * import { silverConfidence } from "@kindred/kindred/augment";
 * import assert from "node:assert/strict";
 * const outputs = { data: Float32Array.of(0.5, 0.75), width: 1, rows: 2 };
 * assert.deepEqual([...silverConfidence(outputs)], [0, 0.5]);
 * const turned = { data: Float32Array.of(0.5, 0.25), width: 1, rows: 2 };
 * assert.deepEqual([...silverConfidence(outputs, turned)], [1, 0.5]);
 * ```
 */
export function silverConfidence(
  outputs: CrossEncoderOutputs,
  turned?: CrossEncoderOutputs,
  options: Pick<SilverOptions, "positive"> = {},
): Float64Array {
  const { positive = 1 } = options;
  const { data, width, rows } = outputs;
  const at = width === 1 ? 0 : positive;
  return Float64Array.from({ length: rows }, (_, row) => {
    const start = row * width;
    if (turned !== undefined) return 1 - Math.abs(data[start + at]! - turned.data[start + at]!);
    if (width === 1) return Math.abs(2 * data[start]! - 1);
    const [first, second] = [...data.subarray(start, start + width)].sort((a, b) => b - a);
    return first! - second!;
  });
}

/** Gold and silver pairs together. */
export interface MergedPairs {
  /** The gold pairs, then the silver ones. */
  readonly dataset: Dataset<ScoredPairs>;
  /** Rows of each that stayed, and rows that were left out as repetitions. */
  readonly counts: {
    readonly gold: number;
    readonly silver: number;
    readonly dropped: { readonly gold: number; readonly silver: number };
  };
}

/**
 * Gold pairs, then silver ones, each (sentence1, sentence2) once: the first stays, so that gold wins. The order of the two
 * sentences counts, as in pandas' `drop_duplicates`.
 *
 * @param gold Pairs that people labelled.
 * @param silver Pairs that a cross-encoder labelled.
 * @returns Their union, and how many of either are in it.
 *
 * @example
 * ```ts
 * import { mergeGoldSilver } from "@kindred/kindred/augment";
 * import assert from "node:assert/strict";
 * const gold = { columns: { sentence1: ["a"], sentence2: ["b"], score: Float64Array.of(1) }, rows: 1 };
 * const silver = { columns: { sentence1: ["a", "b"], sentence2: ["b", "c"], score: Float64Array.of(0, 0) }, rows: 2 };
 * const { dataset } = mergeGoldSilver(gold, silver);
 * assert.deepEqual([...dataset.columns.score], [1, 0]); // a–b stays as people labelled it
 * ```
 */
export function mergeGoldSilver(gold: Dataset<ScoredPairs>, silver: Dataset<ScoredPairs>): MergedPairs {
  const seen = new Map<string, Set<string>>();
  const sentence1: string[] = [];
  const sentence2: string[] = [];
  const scores: number[] = [];
  const [goldCount, silverCount] = [gold, silver].map(({ columns, rows }) => {
    const before = scores.length;
    for (let row = 0; row < rows; row++) {
      const [first, second] = [columns.sentence1[row]!, columns.sentence2[row]!];
      const partners = seen.get(first);
      if (partners?.has(second)) continue;
      if (partners === undefined) seen.set(first, new Set([second]));
      else partners.add(second);
      sentence1.push(first);
      sentence2.push(second);
      scores.push(columns.score[row]!);
    }
    return scores.length - before;
  }) as [number, number];
  return {
    dataset: { columns: { sentence1, sentence2, score: Float64Array.from(scores) }, rows: scores.length },
    counts: {
      gold: goldCount,
      silver: silverCount,
      dropped: { gold: gold.rows - goldCount, silver: silver.rows - silverCount },
    },
  };
}

/** How silver labels compare with the truth. */
export interface SilverAgreement {
  /** Share of pairs on the same side of ½. */
  readonly accuracy: number;
  /** Precision, recall and F1 of what is above ½; 0 where nothing is. */
  readonly precision: number;
  /** Of the pairs that are above ½ in truth, the share that silver puts there. */
  readonly recall: number;
  /** Harmonic mean of the two. */
  readonly f1: number;
  /** Correlations of the scores; NaN if either side is constant. */
  readonly pearson: number;
  /** The same of their ranks. */
  readonly spearman: number;
  /** Shares of pairs above ½. */
  readonly positives: { readonly silver: number; readonly truth: number };
}

/**
 * Compares silver scores with true ones, both in [0, 1], where the truth is known.
 *
 * @param silver [n] labels of a cross-encoder.
 * @param truth [n] those of people.
 * @returns Their correlation, and how often both are on the same side of ½.
 * @throws {DatasetError} Another number of silver labels than of true ones.
 */
export function silverAgreement(silver: Float64Array, truth: Float64Array): SilverAgreement {
  const n = silver.length;
  if (n !== truth.length || n === 0) {
    throw new DatasetError("there is not one silver label for each true one", {
      expected: "as many of each, at least one",
      found: `${n} and ${truth.length}`,
    });
  }
  let both = 0;
  let found = 0;
  let real = 0;
  for (let i = 0; i < n; i++) {
    const [says, is] = [silver[i]! > .5, truth[i]! > .5];
    if (says) found++;
    if (is) real++;
    if (says && is) both++;
  }
  const precision = found === 0 ? 0 : both / found;
  const recall = real === 0 ? 0 : both / real;
  return {
    accuracy: (n - found - real + 2 * both) / n,
    precision,
    recall,
    f1: both === 0 ? 0 : 2 * precision * recall / (precision + recall),
    pearson: pearson(silver, truth),
    spearman: spearman(silver, truth),
    positives: { silver: found / n, truth: real / n },
  };
}
