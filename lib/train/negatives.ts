/**
 * Whether the batches of a run can teach a loss that tells a positive from the other texts of its batch.
 *
 * @module
 */
import { counted } from "../counted.ts";
import { TrainingError } from "../error.ts";
import type { TokenizedTexts } from "../text/packed.ts";
import type { Objective } from "./objective.ts";
import type { Plan } from "./plan.ts";

/** Share of batches without a negative above which it is worth a warning. */
const TOLERATED = 0.1;

/**
 * Whether the batch holds two different documents, or rows that differ at all: with one document, or equal ones, every
 * softmax is that of equal logits and the gradient is 0.
 *
 * @param texts Tokens by column: the anchors, then their documents.
 * @param rows The rows of the batch.
 */
export function hasNegative(texts: readonly TokenizedTexts[], rows: Int32Array): boolean {
  const first = rows[0]!;
  const [, positives, ...negatives] = texts;
  return texts.some((column) => rows.some((row) => !equalTexts(column, row, column, first))) ||
    negatives.some((column) => !equalTexts(column, first, positives!, first));
}

/** Whether two texts have the same tokens. */
export function equalTexts(a: TokenizedTexts, rowA: number, b: TokenizedTexts, rowB: number): boolean {
  const [fromA, fromB] = [a.offsets[rowA]!, b.offsets[rowB]!];
  const length = a.offsets[rowA + 1]! - fromA;
  if (length !== b.offsets[rowB + 1]! - fromB) return false;
  for (let i = 0; i < length; i++) if (a.ids[fromA + i] !== b.ids[fromB + i]) return false;
  return true;
}

/**
 * Refuses a plan in which no batch has a negative, and says so where many of the first epoch have none. Looks no further
 * than the first epoch where one has.
 *
 * @param plan Of the run.
 * @param objective Rows under their loss.
 * @param set The name of the data set, where there are several.
 * @returns Warnings.
 * @throws {TrainingError} No batch of the whole run has a negative: no update would change anything.
 */
export function requireNegatives(plan: Plan, { hasNegative, rows }: Objective, set?: string): string[] {
  if (hasNegative === undefined) return [];
  let [updates, batches, without] = [0, 0, 0];
  for (const update of plan.updates(0)) {
    for (const batch of update) {
      batches++;
      if (!hasNegative(batch.rows)) without++;
    }
    if (plan.epochAt(++updates) >= 1 && without < batches) break;
  }
  if (without === batches) {
    throw new TrainingError(
      `no batch ${set === undefined ? "" : `of ${set} `}has a negative: nothing could be learnt`,
      {
        ...(set !== undefined && { where: `data set ${set}` }),
        expected: "a batch with two different texts to choose from",
        found: `${counted(rows, "row")} in ${counted(batches, "batch")} of one row each, or of equal rows`,
        hint: "raise --batch-size, add rows with other texts (equal ones are kept apart), or a column of negatives",
      },
    );
  }
  return without > TOLERATED * batches
    ? [
      `${set === undefined ? "" : `${set}: `}${without} of ${
        counted(batches, "batch")
      } of an epoch have no negative and teach nothing: equal texts are kept apart`,
    ]
    : [];
}
