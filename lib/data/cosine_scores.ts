/**
 * What the cosine of two texts can be trained towards.
 *
 * @module
 */
import { DatasetError } from "../error.ts";

/**
 * Refuses scores that no cosine can reach: the cosine loss takes them as they are.
 *
 * @param scores Of pairs.
 * @param where Where a row stands, for the error.
 * @param otherwise A further hint.
 * @throws {DatasetError} One is not within −1 and 1: it names the first.
 */
export function checkCosineScores(scores: ArrayLike<number>, where: (row: number) => string, otherwise = ""): void {
  for (let row = 0; row < scores.length; row++) {
    if (scores[row]! >= -1 && scores[row]! <= 1) continue;
    throw new DatasetError("scores of pairs must be between −1 and 1", {
      where: where(row),
      expected: "scores in [−1, 1]",
      found: `${scores[row]}`,
      hint: `divide them by the highest grade${otherwise}`,
    });
  }
}

/** What takes scores on any scale, as the end of a hint. */
export const OR_COSENT = ", or take the loss cosent, which only asks for their order";
