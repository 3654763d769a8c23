/**
 * Distillation of scores: a student's preferences among the documents of a query shall be distributed as its teacher's.
 *
 * @module
 */
import { UsageError } from "../error.ts";
import { add, affine, crossEntropy, mean, multiply, sliceColumns, sum } from "../tensor/ops.ts";
import { constant } from "../tensor/tensor.ts";
import type { Loss } from "./loss.ts";
import { type ScoreBy, studentScores } from "./teacher_scores.ts";

/** Options of {@linkcode distillKlDiv}. */
export interface DistillKlDivOptions {
  /** What the student's scores and the teacher's are divided by. Default 1. */
  readonly temperature?: number;
  /** The student's own temperature T. Default: `temperature`. */
  readonly studentTemperature?: number;
  /** The teacher's own. Default: `temperature`. */
  readonly teacherTemperature?: number;
  /** The student's scores: dot products or cosines. Default dot. */
  readonly similarity?: ScoreBy;
}

/** Below every share that counts: log of it is finite. */
const LEAST = 1e-30;

/**
 * L = T² · mean over rows of Σⱼ pⱼ (log pⱼ − logsoftmax(s / T)ⱼ), p = softmax(t / T′), sⱼ = q·dⱼ; q, dⱼ [B, D], t [B, N] → [1]
 *
 * Columns: query, N ≥ 2 documents, and as scores the teacher's of each document. Source: Lin et al. 2020, arXiv 2010.11386.
 *
 * @param options Temperatures, and what the student's scores are.
 * @returns The loss, for triplets and tuples with a score for each document.
 * @throws {UsageError} A temperature that is not above 0.
 *
 * @example
 * ```ts
 * import { distillKlDiv, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * // The student's scores 2 and 1 differ as the teacher's do: both mean the same, and nothing pulls.
 * const { value } = await tryLoss(distillKlDiv(), [[[1, 0]], [[2, 5]], [[1, 7]]], [5, 4]);
 * assert.ok(Math.abs(value) < 1e-6);
 * ```
 */
export function distillKlDiv(options: DistillKlDivOptions = {}): Loss<"score"> {
  const { temperature = 1, similarity = "dot" } = options;
  const { studentTemperature = temperature, teacherTemperature = temperature } = options;
  for (const value of [studentTemperature, teacherTemperature]) {
    if (!(value > 0 && value < Infinity)) {
      throw new UsageError("a temperature must be above 0", { found: `${value}` });
    }
  }
  return {
    name: "distill_kl_div",
    texts: { min: 3, max: Infinity },
    label: "score",
    inBatch: false,
    labelWidths: (columns) => [columns - 1],
    options: { studentTemperature, teacherTemperature, similarity },
    paper: "Lin et al. 2020, arXiv 2010.11386",
    apply(tape, columns, labels) {
      const { engine } = tape;
      const scores = affine(tape, studentScores(tape, columns, similarity), 1 / studentTemperature);
      const rows = scores.value.shape[0]!;
      const first = engine.upload(new Int32Array(rows), [rows]);
      const wanted = engine.crossEntropy(engine.affine(labels!, 1 / teacherTemperature), first).probabilities;
      const logs = engine.unary("log", engine.binary("maximum", wanted, engine.full(wanted.shape, LEAST)));
      const own = affine(tape, sum(tape, constant(engine.binary("multiply", wanted, logs))), 1 / rows);
      // mean logΣexp s, from the cross-entropy against the first document: of that, s₁ is taken back.
      const normalizer = add(tape, crossEntropy(tape, scores, first), mean(tape, sliceColumns(tape, scores, 0, 1)));
      const expected = affine(tape, sum(tape, multiply(tape, scores, constant(wanted))), -1 / rows);
      return affine(tape, add(tape, own, add(tape, normalizer, expected)), studentTemperature ** 2);
    },
  };
}
