/**
 * Two scorers on the same labelled pairs: how well each orders them, and how sure their difference is.
 *
 * @module
 */
import { averagePrecision } from "../evaluate/classification.ts";
import { expectFinite } from "../evaluate/expect.ts";
import { randomPurpose, randomStream } from "../engine/philox.ts";
import { DatasetError } from "../error.ts";
import { spearman } from "../numeric/correlation.ts";

/** Two scorers beside each other. */
export interface PairedComparison {
  /** Of graded pairs the rank correlation, of classes the average precision. */
  readonly metric: "spearman" | "average_precision";
  /** What the first reaches; 0 where it says the same of all pairs. */
  readonly first: number;
  /** What the second reaches. */
  readonly second: number;
  /** Standard error of their difference, by drawing the pairs again with replacement (a paired bootstrap). */
  readonly uncertainty: number;
  /** Pairs that were asked about. */
  readonly rows: number;
}

/** How often the pairs are drawn again. */
const RESAMPLES = 200;

/**
 * Compares two scorers on pairs that people labelled.
 *
 * @param first [n] scores.
 * @param second [n] scores.
 * @param truth [n] labels of people; of 0 and 1 alone they are classes.
 * @throws {DatasetError} Not as many of each, or labels that are all the same.
 * @throws {EvaluationError} A score or a label that is not a finite number.
 */
export function comparePaired(
  first: ArrayLike<number>,
  second: ArrayLike<number>,
  truth: ArrayLike<number>,
): PairedComparison {
  const rows = truth.length;
  if (first.length !== rows || second.length !== rows || rows === 0) {
    throw new DatasetError("two scorers are compared on as many scores as labels", {
      expected: `${rows} of each, at least one`,
      found: `${first.length} and ${second.length} scores`,
    });
  }
  expectFinite("first scores", first);
  expectFinite("second scores", second);
  expectFinite("labels", truth);
  const labels = Array.from(truth);
  if (labels.every((label) => label === labels[0])) {
    throw new DatasetError("pairs that are all labelled alike do not compare scorers", {
      expected: "two different labels",
      found: `${rows} times ${labels[0]}`,
    });
  }
  const classes = labels.every((label) => label === 0 || label === 1);
  const worth = (scores: ArrayLike<number>, rows: Int32Array) => {
    const [said, is] = [Float64Array.from(rows, (row) => scores[row]!), Float64Array.from(rows, (row) => labels[row]!)];
    return classes ? averagePrecision(is, said) : spearman(said, is) || 0;
  };
  const all = Int32Array.from({ length: rows }, (_, row) => row);
  const differences = Array.from({ length: RESAMPLES }, (_, draw) => {
    const random = randomStream(0, randomPurpose("bootstrap"), draw);
    const drawn = all.map(() => random.int(rows));
    return worth(first, drawn) - worth(second, drawn);
  });
  const mean = differences.reduce((sum, value) => sum + value, 0) / RESAMPLES;
  return {
    metric: classes ? "average_precision" : "spearman",
    first: worth(first, all),
    second: worth(second, all),
    uncertainty: Math.sqrt(differences.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (RESAMPLES - 1)),
    rows,
  };
}
