/**
 * Scores of sentence pairs in the unit that losses are trained on.
 *
 * @module
 */
import { DatasetError } from "../error.ts";
import type { Dataset, ScoredPairs } from "./dataset.ts";

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
      expected: `at most ${scale ?? 5}`,
      found: String(highest),
      where: "column score",
      hint: "scale the scores to 0 … 1 or 0 … 5 in the file",
    });
  }
  if (divisor === 1) return pairs;
  return { columns: { ...pairs.columns, score: score.map((value) => value / divisor) }, rows: pairs.rows };
}
