/**
 * Distillation of embeddings: a student's shall be its teacher's.
 *
 * @module
 */
import { randomPurpose, randomStream } from "../engine/philox.ts";
import { TrainingError, UsageError } from "../error.ts";
import { add, affine, linear, mean, multiply, normalize, rowNorm, rowSum, square, subtract } from "../tensor/ops.ts";
import type { Tape } from "../tensor/tape.ts";
import { constant, type Tensor } from "../tensor/tensor.ts";
import type { Loss } from "./loss.ts";

/** How far a student's embedding is from its teacher's. */
export type EmbeddingDistance = "cosine" | "l2" | "mse";

/** Options of {@linkcode mse}. */
export interface MseOptions {
  /**
   * Whose embeddings are the aim: each column's own, or the first column's for all, so that a translation comes to where its
   * source is. Default each.
   */
  readonly target?: "each" | "first";
  /** Width of the teacher's embeddings, if it is another one: the student's are mapped there by a trained layer. Default: none. */
  readonly projection?: number;
}

/** Options of {@linkcode embedDistill}. */
export interface EmbedDistillOptions extends MseOptions {
  /** 1 − cosine, Euclidean, or the mean of squares. Default cosine. */
  readonly distance?: EmbeddingDistance;
}

/**
 * L = mean over columns of mean (u − t)²; u [B, D] the student's embeddings, t the teacher's → [1]
 *
 * Columns: one text or several, no label; the teacher embeds them. Source: Reimers & Gurevych 2020, arXiv 2004.09813.
 *
 * @param options Which texts the teacher embeds, and how wide its embeddings are.
 * @returns The loss, for texts, pairs and tuples.
 * @throws {UsageError} The width is none.
 *
 * @example
 * ```ts
 * import { mse, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * // A sentence is where the teacher has it; its translation is not there yet.
 * const teacher = [[[1, 2]]];
 * const { value } = await tryLoss(mse({ target: "first" }), [[[1, 2]], [[1, 0]]], [], teacher);
 * assert.equal(value, (0 + (0 + 4) / 2) / 2);
 * ```
 */
export function mse(options: MseOptions = {}): Loss<"none"> {
  return { ...distillation("mse", "mse", options), paper: "Reimers & Gurevych 2020, arXiv 2004.09813" };
}

/**
 * L = mean over columns of mean d(u, t); u [B, D] the student's embeddings, t the teacher's; d is 1 − cosine, ‖u − t‖ or
 * (u − t)² → [1]
 *
 * Columns: one text or several, no label; the teacher embeds them. Source: Kim et al. 2023, arXiv 2301.12005.
 *
 * @param options The distance, which texts the teacher embeds, and how wide its embeddings are.
 * @returns The loss, for texts, pairs and tuples.
 * @throws {UsageError} The width is none.
 *
 * @example
 * ```ts
 * import { embedDistill, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * const { value } = await tryLoss(embedDistill({ distance: "l2" }), [[[3, 4]]], [], [[[0, 0]]]);
 * assert.equal(value, 5);
 * ```
 */
export function embedDistill(options: EmbedDistillOptions = {}): Loss<"none"> {
  const { distance = "cosine", ...rest } = options;
  const loss = distillation("embed_distill", distance, rest);
  return { ...loss, options: { distance, ...loss.options }, paper: "Kim et al. 2023, arXiv 2301.12005" };
}

function distillation(
  name: string,
  distance: EmbeddingDistance,
  { target = "each", projection }: MseOptions,
): Omit<Loss<"none">, "paper"> {
  if (projection !== undefined && !(Number.isInteger(projection) && projection >= 1)) {
    throw new UsageError("the width of a teacher's embeddings is a whole number from 1", { found: `${projection}` });
  }
  return {
    name,
    texts: { min: 1, max: Infinity },
    label: "none",
    inBatch: false,
    guide: { columns: target, imitated: true },
    options: { target, ...(projection !== undefined && { projection }) },
    ...(projection !== undefined && { head: (width, seed) => projectionHead(width, projection, seed) }),
    apply(tape, columns, _labels, head, { guides = [] } = {}) {
      if (guides.length !== 1 && guides.length !== columns.length) {
        throw new TrainingError(`${name} needs the embeddings of a teacher`, {
          expected: `those of ${target === "first" ? "the first column" : `each of ${columns.length} columns`}`,
          found: `${guides.length}`,
        });
      }
      const losses = columns.map((column, i) => {
        const teacher = constant((guides[i] ?? guides[0])!);
        const student = projection === undefined
          ? column
          : linear(tape, column, head["projection.weight"]!, head["projection.bias"]);
        const [found, expected] = [student.value.shape[1], teacher.value.shape[1]];
        if (found === expected) return distanceOf(tape, distance, student, teacher);
        throw new TrainingError("the student's embeddings are not as wide as its teacher's", {
          expected: `${expected}`,
          found: `${found}`,
          hint: `the option projection of the loss, ${expected}, maps one to the other`,
        });
      });
      return affine(tape, losses.reduce((total, loss) => add(tape, total, loss)), 1 / losses.length);
    },
  };
}

/** [B, D], [B, D] → [1] */
function distanceOf(tape: Tape, distance: EmbeddingDistance, student: Tensor, teacher: Tensor): Tensor {
  switch (distance) {
    case "mse":
      return mean(tape, square(tape, subtract(tape, student, teacher)));
    case "l2":
      return mean(tape, rowNorm(tape, subtract(tape, student, teacher)));
    case "cosine": {
      const cosines = rowSum(tape, multiply(tape, normalize(tape, student), normalize(tape, teacher)));
      return affine(tape, mean(tape, cosines), -1, 1);
    }
  }
}

/** W [projection, D] and b [projection] begin uniform within ±1/√D. */
function projectionHead(width: number, projection: number, seed: number) {
  const bound = 1 / Math.sqrt(width);
  const stream = randomStream(seed, randomPurpose("head-init"));
  const uniform = (size: number) => Float32Array.from({ length: size }, () => bound * (2 * stream.uniform() - 1));
  return {
    "projection.weight": { shape: [projection, width], data: uniform(projection * width), trained: true },
    "projection.bias": { shape: [projection], data: uniform(projection), trained: true },
  };
}
