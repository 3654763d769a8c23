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

/** What an option may be: in words, and as a test. */
export type OptionRule = readonly [expected: string, holds: (value: unknown) => boolean];

const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const ABOVE_ZERO: OptionRule = ["a number above 0", (value) => isNumber(value) && value > 0];
const NUMBER: OptionRule = ["a number", isNumber];
const SWITCH: OptionRule = ["true or false", (value) => typeof value === "boolean"];
const COUNT: OptionRule = ["a whole number from 2", (value) => Number.isSafeInteger(value) && value as number > 1];
const oneOf = (...values: readonly string[]): OptionRule => [values.join(", "), (value) => values.includes(`${value}`)];
const someOf = (...values: readonly string[]): OptionRule => [
  `some of ${values.join(", ")}`,
  (value) => Array.isArray(value) && value.length > 0 && value.every((each) => values.includes(each)),
];
const HARDNESS: OptionRule = [
  "{ among, strength }",
  (value) => typeof value === "object" && value !== null && "among" in value && "strength" in value,
];

interface Known {
  // deno-lint-ignore no-explicit-any -- constructors of many option types, found by name
  readonly make: (options?: any) => Loss;
  readonly rules?: Readonly<Record<string, OptionRule>> | undefined;
}
const known = new Map<string, Known>();

/** An option that a loss would ignore, or cannot use, is an error. */
function checkOptions(name: string, options: object | undefined, rules: Known["rules"]): void {
  if (rules === undefined) return;
  for (const [option, value] of Object.entries(options ?? {})) {
    const rule = rules[option];
    if (rule === undefined) {
      throw new UsageError(`the loss ${name} has no option ${option}`, {
        expected: Object.keys(rules).join(", ") || "no options",
        found: option,
      });
    }
    if (value !== undefined && !rule[1](value)) {
      throw new UsageError(`the option ${option} of the loss ${name} cannot be used`, {
        expected: rule[0],
        found: JSON.stringify(value) ?? `${value}`,
      });
    }
  }
}

/**
 * Makes a loss of your own known by its name, and returns the function that describes it, as those of {@linkcode losses}
 * do: trainings take such descriptions.
 *
 * @param name Its name. A name that is known already means this loss from now on.
 * @param make The loss for given options, which must be plain JSON.
 * @param rules What each option may be; an option without a rule is an error. Default: nothing is checked.
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
 * assert.throws(() => nameLoss("same", same, {})({ margin: 1 }), /no option margin/);
 * ```
 */
export function nameLoss<L extends LabelKind, O extends object = object>(
  name: string,
  make: (options?: O) => Loss<L>,
  rules?: Readonly<Record<string, OptionRule>>,
): (options?: O) => LossSpec<L> {
  known.set(name, { make, rules });
  return (options) => {
    checkOptions(name, options, rules);
    return { name, ...(options !== undefined && { options }) };
  };
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
  const loss = known.get(name);
  if (loss === undefined) {
    throw new UsageError("there is no loss of this name", {
      expected: [...known.keys()].join(", "),
      found: name,
      hint: "nameLoss makes a loss of your own known",
    });
  }
  checkOptions(name, options, loss.rules);
  return loss.make(options) as Loss<L>;
}

/** Describes a loss with these options. */
export type DescribeLoss<O, L extends LabelKind> = (options?: O) => LossSpec<L>;

const BATCH_TRIPLET = { distance: oneOf("cosine", "euclidean"), margin: NUMBER };
const DISTANCE = { distance: oneOf("cosine", "euclidean", "manhattan"), margin: NUMBER };
const SCALE = { scale: ABOVE_ZERO };

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
  readonly cosineSimilarity: DescribeLoss<Record<string, never>, "score">;
  readonly marginMse: DescribeLoss<Record<string, never>, "score">;
  /** Around the description of another loss. */
  readonly matryoshka: <L extends LabelKind>(inner: LossSpec<L>, options: MatryoshkaOptions) => LossSpec<L>;
  readonly megaBatchMargin: DescribeLoss<MegaBatchMarginOptions, "none">;
  readonly multipleNegativesRanking: DescribeLoss<MultipleNegativesRankingOptions, "none">;
  readonly onlineContrastive: DescribeLoss<ContrastiveOptions, "score">;
  readonly softmax: DescribeLoss<SoftmaxOptions, "class">;
  readonly triplet: DescribeLoss<TripletOptions, "none">;
} = {
  angle: nameLoss("angle", angle, SCALE),
  batchAllTriplet: nameLoss("batch_all_triplet", batchAllTriplet, BATCH_TRIPLET),
  batchHardSoftMarginTriplet: nameLoss("batch_hard_soft_margin_triplet", batchHardSoftMarginTriplet, {
    distance: BATCH_TRIPLET.distance,
  }),
  batchHardTriplet: nameLoss("batch_hard_triplet", batchHardTriplet, BATCH_TRIPLET),
  batchSemiHardTriplet: nameLoss("batch_semi_hard_triplet", batchSemiHardTriplet, BATCH_TRIPLET),
  contrastive: nameLoss("contrastive", contrastive, DISTANCE),
  cosent: nameLoss("cosent", cosent, SCALE),
  cosineSimilarity: nameLoss("cosine_similarity", cosineSimilarity, {}),
  marginMse: nameLoss("margin_mse", marginMse, {}),
  matryoshka: (inner, options) => ({ name: "matryoshka", options: { ...options, inner } }),
  megaBatchMargin: nameLoss("mega_batch_margin", megaBatchMargin, { positiveMargin: NUMBER, negativeMargin: NUMBER }),
  multipleNegativesRanking: nameLoss("multiple_negatives_ranking", multipleNegativesRanking, {
    ...SCALE,
    directions: someOf("query_to_doc", "doc_to_query", "query_to_query", "doc_to_doc"),
    partitionMode: oneOf("joint", "per_direction"),
    hardness: HARDNESS,
  }),
  onlineContrastive: nameLoss("online_contrastive", onlineContrastive, DISTANCE),
  softmax: nameLoss("softmax", softmax, { classes: COUNT, multiplication: SWITCH, frozen: SWITCH }),
  triplet: nameLoss("triplet", triplet, DISTANCE),
};

known.set("matryoshka", {
  make: ({ inner, ...options }: MatryoshkaOptions & { inner: LossSpec }) => matryoshka(lossOf(inner), options),
});
