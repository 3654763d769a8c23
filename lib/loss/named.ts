/**
 * Losses by name: a training is described by plain JSON, `{ name, options }`, wherever it runs.
 *
 * @module
 */
import { UsageError } from "../error.ts";
import { angle } from "./angle.ts";
import { batchAllTriplet } from "./batch_all_triplet.ts";
import { batchHardSoftMarginTriplet, batchHardTriplet } from "./batch_hard_triplet.ts";
import { batchSemiHardTriplet } from "./batch_semi_hard_triplet.ts";
import type { BatchTripletOptions } from "./class_distances.ts";
import { contrastive, type ContrastiveOptions } from "./contrastive.ts";
import { cosent, type CosentOptions } from "./cosent.ts";
import { cosineSimilarity } from "./cosine_similarity.ts";
import type { LabelKind, Loss } from "./loss.ts";
import { marginMse } from "./margin_mse.ts";
import { matryoshka, type MatryoshkaOptions } from "./matryoshka.ts";
import { megaBatchMargin, type MegaBatchMarginOptions } from "./mega_batch_margin.ts";
import { multipleNegativesRanking, type MultipleNegativesRankingOptions } from "./multiple_negatives_ranking.ts";
import { onlineContrastive } from "./online_contrastive.ts";
import { softmax, type SoftmaxOptions } from "./softmax.ts";
import { triplet, type TripletOptions } from "./triplet.ts";

/** A loss as plain JSON. `L` is the label that it wants. */
export interface LossSpec<out L extends LabelKind = LabelKind> {
  /** Its name: that of `Loss.name`. */
  readonly name: string;
  /** What its constructor takes. */
  readonly options?: object | undefined;
  /** The label it wants, for the compiler alone. */
  readonly label?: L | undefined;
}

// deno-lint-ignore no-explicit-any -- constructors of many option types, found by name
const constructors = new Map<string, (options?: any) => Loss>();

/**
 * Makes a loss of your own known by its name, and returns the function that describes it, as those of {@linkcode losses}
 * do: trainings take such descriptions.
 *
 * @param name Its name. A name that is known already means this loss from now on.
 * @param make The loss for given options, which must be plain JSON.
 * @returns Describes the loss with options.
 *
 * @example
 * ```ts
 * import { type Loss, lossOf, nameLoss, tryLoss } from "@kindred/kindred/loss";
 * import { absolute, mean, subtract } from "@kindred/kindred/tensor";
 * import assert from "node:assert/strict";
 * // mean |u − v|: the texts of a pair shall have the same embedding.
 * const same = (): Loss<"none"> => ({
 *   name: "same",
 *   texts: { min: 2, max: 2 },
 *   label: "none",
 *   inBatch: false,
 *   options: {},
 *   apply: (tape, [u, v]) => mean(tape, absolute(tape, subtract(tape, u!, v!))),
 *   paper: "of my own",
 * });
 * const described = nameLoss("same", same)();
 * assert.equal((await tryLoss(lossOf(described), [[[1, 2]], [[3, 2]]])).value, 1);
 * ```
 */
export function nameLoss<L extends LabelKind, O extends object = object>(
  name: string,
  make: (options?: O) => Loss<L>,
): (options?: O) => LossSpec<L> {
  constructors.set(name, make);
  return (options) => ({ name, ...(options !== undefined && { options }) });
}

/**
 * The loss that a description means.
 *
 * @param spec A description: from {@linkcode losses}, from {@linkcode nameLoss}, or read from JSON.
 * @returns The loss itself.
 * @throws {UsageError} No loss has this name.
 *
 * @example
 * ```ts
 * import { losses, lossOf, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * const spec = JSON.parse(JSON.stringify(losses.triplet({ margin: 1 })));
 * assert.equal((await tryLoss(lossOf(spec), [[[0]], [[1]], [[3]]])).value, 0);
 * ```
 */
export function lossOf<L extends LabelKind>({ name, options }: LossSpec<L>): Loss<L> {
  const make = constructors.get(name);
  if (make === undefined) {
    throw new UsageError("there is no loss of this name", {
      expected: [...constructors.keys()].join(", "),
      found: name,
      hint: "nameLoss makes a loss of your own known",
    });
  }
  return make(options) as Loss<L>;
}

/** Describes a loss with these options. */
export type DescribeLoss<O, L extends LabelKind> = (options?: O) => LossSpec<L>;

/**
 * Descriptions of the losses that ship with Kindred, for trainings.
 *
 * @example
 * ```ts
 * import { losses, lossOf } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * const spec = losses.matryoshka(losses.multipleNegativesRanking({ scale: 30 }), { dimensions: [384, 96] });
 * const { name, texts } = lossOf(spec);
 * assert.equal(name, "matryoshka(multiple_negatives_ranking)");
 * assert.equal(texts.min, 2); // it wants what the loss inside wants: anchors and positives
 * ```
 */
export const losses: {
  readonly angle: DescribeLoss<CosentOptions, "score">;
  readonly batchAllTriplet: DescribeLoss<BatchTripletOptions, "class">;
  readonly batchHardSoftMarginTriplet: DescribeLoss<Omit<BatchTripletOptions, "margin">, "class">;
  readonly batchHardTriplet: DescribeLoss<BatchTripletOptions, "class">;
  readonly batchSemiHardTriplet: DescribeLoss<BatchTripletOptions, "class">;
  readonly contrastive: DescribeLoss<ContrastiveOptions, "score">;
  readonly cosent: DescribeLoss<CosentOptions, "score">;
  readonly cosineSimilarity: DescribeLoss<Record<never, never>, "score">;
  readonly marginMse: DescribeLoss<Record<never, never>, "score">;
  /** Around the description of another loss. */
  readonly matryoshka: <L extends LabelKind>(inner: LossSpec<L>, options: MatryoshkaOptions) => LossSpec<L>;
  readonly megaBatchMargin: DescribeLoss<MegaBatchMarginOptions, "none">;
  readonly multipleNegativesRanking: DescribeLoss<MultipleNegativesRankingOptions, "none">;
  readonly onlineContrastive: DescribeLoss<ContrastiveOptions, "score">;
  readonly softmax: DescribeLoss<SoftmaxOptions, "class">;
  readonly triplet: DescribeLoss<TripletOptions, "none">;
} = {
  angle: nameLoss("angle", angle),
  batchAllTriplet: nameLoss("batch_all_triplet", batchAllTriplet),
  batchHardSoftMarginTriplet: nameLoss("batch_hard_soft_margin_triplet", batchHardSoftMarginTriplet),
  batchHardTriplet: nameLoss("batch_hard_triplet", batchHardTriplet),
  batchSemiHardTriplet: nameLoss("batch_semi_hard_triplet", batchSemiHardTriplet),
  contrastive: nameLoss("contrastive", contrastive),
  cosent: nameLoss("cosent", cosent),
  cosineSimilarity: nameLoss("cosine_similarity", cosineSimilarity),
  marginMse: nameLoss("margin_mse", marginMse),
  matryoshka: (inner, options) => ({ name: "matryoshka", options: { ...options, inner } }),
  megaBatchMargin: nameLoss("mega_batch_margin", megaBatchMargin),
  multipleNegativesRanking: nameLoss("multiple_negatives_ranking", multipleNegativesRanking),
  onlineContrastive: nameLoss("online_contrastive", onlineContrastive),
  softmax: nameLoss("softmax", softmax),
  triplet: nameLoss("triplet", triplet),
};

constructors.set(
  "matryoshka",
  ({ inner, ...options }: MatryoshkaOptions & { inner: LossSpec }) => matryoshka(lossOf(inner), options),
);
