/**
 * Cuts of a ranking: wherever its scores change, what stands above is told from what stands below.
 *
 * @module
 */
import { EvaluationError } from "../error.ts";
import type { Values } from "../numeric/correlation.ts";

/** A cut behind the last row of one score. */
export interface Cut {
  /** The lowest score above it. */
  readonly score: number;
  /** The highest score below it; undefined where nothing is below. */
  readonly next: number | undefined;
  /** Rows above it. */
  readonly rows: number;
  /** Positive rows above it. */
  readonly hits: number;
}

/**
 * All cuts, from the highest score down. Scores are sorted as numbers, all and those of the positive rows, and not rows by
 * their scores: the same counts, in 16 bytes a row.
 *
 * @param scores [n]
 * @param isPositive Whether a row is positive.
 * @throws {EvaluationError} A score is not a number.
 */
export function* cutsOf(scores: Values, isPositive: (row: number) => boolean): Generator<Cut> {
  const all = new Float64Array(scores).sort();
  if (Number.isNaN(all.at(-1))) { // those that are none are sorted to the end
    const row = Array.from(scores).findIndex(Number.isNaN);
    throw new EvaluationError("a score is not a number", { where: `row ${row}`, found: "NaN" });
  }
  let positives = 0;
  for (let row = 0; row < scores.length; row++) if (isPositive(row)) positives++;
  const positive = new Float64Array(positives);
  for (let row = 0, at = 0; row < scores.length; row++) if (isPositive(row)) positive[at++] = scores[row]!;
  positive.sort();
  let hits = 0;
  for (let at = all.length - 1; at >= 0; at--) {
    const [score, next] = [all[at]!, all[at - 1]];
    if (next === score) continue;
    while (hits < positives && positive[positives - 1 - hits]! >= score) hits++;
    yield { score, next, rows: all.length - at, hits };
  }
}
