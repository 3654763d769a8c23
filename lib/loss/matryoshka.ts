/**
 * Matryoshka loss: the first few numbers of an embedding shall do for an embedding.
 *
 * @module
 */
import { UsageError } from "../error.ts";
import { randomPurpose, randomStream } from "../engine/philox.ts";
import { add, affine, normalize, sliceColumns } from "../tensor/ops.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { LabelKind, Loss, LossBatch } from "./loss.ts";

/** Options of {@linkcode matryoshka}. */
export interface MatryoshkaOptions {
  /** How many of its first numbers shall do for an embedding, for instance `[384, 192, 96]`: each a whole number from 1. */
  readonly dimensions: readonly number[];
  /** What the loss of each length counts. Default: 1 each. */
  readonly weights?: readonly number[];
  /** How many of the lengths each update is trained with, drawn anew each time. Default: all. */
  readonly dimensionsPerStep?: number;
}

/**
 * L = Σ_d w_d · inner(x₁…_d / ‖x₁…_d‖) over the given lengths d; what the inner loss takes → [1]
 *
 * Columns: those of the inner loss. Source: Kusupati et al. 2022, arXiv 2205.13147.
 *
 * @param inner The loss that each length is trained with. It must not train a head, as `softmax` does.
 * @param options The lengths, and what each counts.
 * @returns A loss for the data of the inner one. Its `apply` throws a `UsageError` where a length exceeds the embedding.
 * @throws {UsageError} The inner loss has a head, there is no length, there is another number of weights or one below 0, or
 *   no update would have so many lengths.
 *
 * @example
 * ```ts
 * import { cosineSimilarity, matryoshka, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * const loss = matryoshka(cosineSimilarity(), { dimensions: [3, 1], weights: [1, 0.5] });
 * // The whole embeddings are at a right angle, their first numbers are the same; both ought to have a cosine of 1.
 * const { value } = await tryLoss(loss, [[[1, 0, 1]], [[1, 0, -1]]], [1]);
 * assert.ok(Math.abs(value - (1 * 1 + 0.5 * 0)) < 1e-6);
 * ```
 */
export function matryoshka<L extends LabelKind>(inner: Loss<L>, options: MatryoshkaOptions): Loss<L> {
  const { dimensions, weights = dimensions.map(() => 1), dimensionsPerStep } = options;
  if (inner.head !== undefined) {
    throw new UsageError(`matryoshka cannot be put around ${inner.name}, which trains a head`);
  }
  if (dimensions.length === 0 || dimensions.some((d) => !Number.isInteger(d) || d < 1)) {
    throw new UsageError("matryoshka needs lengths", {
      expected: "whole numbers from 1",
      found: dimensions.length === 0 ? "none" : dimensions.join(", "),
    });
  }
  if (weights.length !== dimensions.length) {
    throw new UsageError("matryoshka needs one weight for each length", {
      expected: `${dimensions.length}`,
      found: `${weights.length}`,
    });
  }
  const unfit = weights.find((weight) => !(weight >= 0 && weight < Infinity));
  if (unfit !== undefined) {
    throw new UsageError("matryoshka cannot weigh a length so", { expected: "a number from 0", found: `${unfit}` });
  }
  if (
    dimensionsPerStep !== undefined &&
    !(Number.isInteger(dimensionsPerStep) && dimensionsPerStep >= 1 && dimensionsPerStep <= dimensions.length)
  ) {
    throw new UsageError("matryoshka: an update cannot have so many lengths", {
      expected: `a whole number from 1 to ${dimensions.length}`,
      found: `${dimensionsPerStep}`,
    });
  }
  return {
    name: `matryoshka(${inner.name})`,
    texts: inner.texts,
    label: inner.label,
    inBatch: inner.inBatch,
    ...(inner.grouped !== undefined && { grouped: inner.grouped }),
    guide: inner.guide,
    labelWidths: inner.labelWidths,
    options: {
      ...inner.options,
      dimensions: dimensions.map(String),
      weights: weights.map(String),
      ...(dimensionsPerStep !== undefined && { dimensionsPerStep }),
    },
    paper: `Kusupati et al. 2022, arXiv 2205.13147; ${inner.paper}`,
    apply(tape, embeddings, labels, head, batch = {}) {
      const width = embeddings[0]!.value.shape[1]!;
      const tooLong = dimensions.find((d) => d > width);
      if (tooLong !== undefined) {
        throw new UsageError("matryoshka: a length exceeds that of the embeddings", {
          expected: `at most ${width}`,
          found: `${tooLong}`,
        });
      }
      const losses = drawn(dimensions.length, dimensionsPerStep, batch.draw).map((i) => {
        const d = dimensions[i]!;
        const shortened = embeddings.map((x): Tensor => normalize(tape, d === width ? x : sliceColumns(tape, x, 0, d)));
        const guides = batch.guides?.map((guide) =>
          inner.guide?.imitated && guide.shape[1] === width && d < width ? tape.engine.sliceColumns(guide, 0, d) : guide
        );
        return affine(tape, inner.apply(tape, shortened, labels, head, { ...batch, guides }), weights[i]!);
      });
      return losses.reduce((total, loss) => add(tape, total, loss));
    },
  };
}

/** Which lengths an update has, in their order: all, or so many that are drawn without putting back. */
function drawn(count: number, perStep: number | undefined, draw: LossBatch["draw"]): readonly number[] {
  const all = Int32Array.from({ length: count }, (_, i) => i);
  if (perStep === undefined || draw === undefined) return [...all];
  randomStream(draw.seed, randomPurpose("matryoshka"), draw.step).shuffle(all);
  return [...all.subarray(0, perStep).sort()];
}
