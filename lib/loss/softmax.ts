/**
 * Softmax loss: classify a pair from its two embeddings.
 *
 * @module
 */
import { randomPurpose, randomStream } from "../engine/philox.ts";
import { absolute, concatColumns, crossEntropy, linear, multiply, subtract } from "../tensor/ops.ts";
import type { Loss } from "./loss.ts";

/** Options of {@linkcode softmax}. */
export interface SoftmaxOptions {
  /** Number of classes. Default 3. */
  readonly classes?: number;
  /** Also feed u ⊙ v to the classifier. Default false. */
  readonly multiplication?: boolean;
  /** Leave the classifier at its random start, as the chapter's printed code did. Default false. */
  readonly frozen?: boolean;
}

/**
 * cross-entropy of W (u; v; |u − v|) + b against the class; W [classes, 3D], b [classes], both U(±1/√(3D)) at first.
 *
 * Columns: two texts, and a class label. The classifier is trained, and clipped, with the model. Source:
 * Reimers & Gurevych 2019, arXiv 1908.10084.
 *
 * @example
 * ```ts
 * import { softmax } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * assert.deepEqual(softmax({ classes: 3 }).head!(384, 1)["classifier.weight"]!.shape, [3, 1152]);
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
    apply(tape, [u, v], labels, head) {
      const parts = [u!, v!, absolute(tape, subtract(tape, u!, v!))];
      if (multiplication) parts.push(multiply(tape, u!, v!));
      const logits = linear(tape, concatColumns(tape, parts), head["classifier.weight"]!, head["classifier.bias"]);
      return crossEntropy(tape, logits, labels!);
    },
  };
}
