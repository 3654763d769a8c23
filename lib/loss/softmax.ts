/**
 * Softmax loss: classify a pair from its two embeddings.
 *
 * @module
 */
import { randomPurpose, randomStream } from "../engine/philox.ts";
import { TrainingError } from "../error.ts";
import { absolute, concatColumns, crossEntropy, linear, multiply, subtract } from "../tensor/ops.ts";
import type { Loss } from "./loss.ts";

/** Options of {@linkcode softmax}. */
export interface SoftmaxOptions {
  /** Number of classes. Default 3. */
  readonly classes?: number;
  /** The classifier sees u ⊙ v as well: W is [classes, 4D]. Default false. */
  readonly multiplication?: boolean;
  /** The classifier stays at its random start, and only the model is trained. Default false. */
  readonly frozen?: boolean;
}

/**
 * L = mean cross-entropy of softmax(W (u; v; |u − v|) + b) against the class; u, v [B, D], classes [B] → [1]; W [classes,
 * 3D] and b [classes] begin uniform within ±1/√(3D)
 *
 * Columns: two texts, and a class. The classifier W, b is trained, and clipped, with the model. Source: Reimers & Gurevych
 * 2019, arXiv 1908.10084.
 *
 * @param options How many classes, and what the classifier sees.
 * @returns The loss, for pairs with a class. For a class below 0, or from `classes` on, its `apply` throws a `TrainingError`.
 *
 * @example
 * ```ts
 * import { softmax, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * // From embeddings of 0 the classifier at its start says nearly the same of each of the three classes.
 * const zeros = [[0, 0, 0, 0]];
 * const values = await Promise.all([0, 1, 2].map(async (label) => (await tryLoss(softmax(), [zeros, zeros], [label])).value));
 * const shares = values.map((value) => Math.exp(-value));
 * assert.ok(Math.abs(shares[0]! + shares[1]! + shares[2]! - 1) < 1e-6);
 * ```
 */
export function softmax(options: SoftmaxOptions = {}): Loss<"class"> {
  const { classes = 3, multiplication = false, frozen = false } = options;
  return {
    name: "softmax",
    texts: { min: 2, max: 2 },
    label: "class",
    inBatch: false,
    options: { classes, multiplication, frozen },
    paper: "Reimers & Gurevych 2019, arXiv 1908.10084",
    head(width, seed) {
      const features = width * (multiplication ? 4 : 3);
      const bound = 1 / Math.sqrt(features);
      const stream = randomStream(seed, randomPurpose("head-init"));
      const uniform = (size: number) => Float32Array.from({ length: size }, () => bound * (2 * stream.uniform() - 1));
      return {
        "classifier.weight": { shape: [classes, features], data: uniform(classes * features), trained: !frozen },
        "classifier.bias": { shape: [classes], data: uniform(classes), trained: !frozen },
      };
    },
    apply(tape, [u, v], labels, head, batch) {
      const beyond = batch?.classes?.find((label) => label < 0 || label >= classes);
      if (beyond !== undefined) {
        throw new TrainingError("a label is none of the classes that softmax tells apart", {
          expected: `0 to ${classes - 1}`,
          found: `${beyond}`,
          ...(beyond >= classes && { hint: "classes: one more than the largest label" }),
        });
      }
      const parts = [u!, v!, absolute(tape, subtract(tape, u!, v!))];
      if (multiplication) parts.push(multiply(tape, u!, v!));
      const logits = linear(tape, concatColumns(tape, parts), head["classifier.weight"]!, head["classifier.bias"]);
      return crossEntropy(tape, logits, labels!);
    },
  };
}
