/**
 * Losses by name: a training is described by plain JSON, `{ name, options }`, wherever it runs.
 *
 * @module
 */
import { UsageError } from "../error.ts";
import { isObject } from "../expect.ts";
import { nearestName } from "../text/edits.ts";
import { angle } from "./angle.ts";
import { batchAllTriplet } from "./batch_all_triplet.ts";
import { batchHardSoftMarginTriplet, batchHardTriplet } from "./batch_hard_triplet.ts";
import { batchSemiHardTriplet } from "./batch_semi_hard_triplet.ts";
import type { BatchTripletOptions } from "./class_distances.ts";
import { contrastive, type ContrastiveOptions } from "./contrastive.ts";
import { cosent, type CosentOptions } from "./cosent.ts";
import { cosineSimilarity } from "./cosine_similarity.ts";
import { distillKlDiv, type DistillKlDivOptions } from "./distill_kl_div.ts";
import { embedDistill, type EmbedDistillOptions, mse, type MseOptions } from "./embed_distill.ts";
import { gistEmbed, type GistEmbedOptions } from "./gist_embed.ts";
import type { LabelKind, Loss } from "./loss.ts";
import { marginMse, type MarginMseOptions } from "./margin_mse.ts";
import { matryoshka, type MatryoshkaOptions } from "./matryoshka.ts";
import { megaBatchMargin, type MegaBatchMarginOptions } from "./mega_batch_margin.ts";
import { multipleNegativesRanking, type MultipleNegativesRankingOptions } from "./multiple_negatives_ranking.ts";
import {
  ABOVE_ZERO,
  checkOptions,
  COUNT,
  FROM_ZERO,
  listOf,
  NUMBER,
  oneOf,
  type OptionRule,
  POSITIVE,
  someOf,
  SWITCH,
} from "./options.ts";
import { onlineContrastive } from "./online_contrastive.ts";
import { softmax, type SoftmaxOptions } from "./softmax.ts";
import { triplet, type TripletOptions } from "./triplet.ts";

/** A loss as plain JSON. `L` is the label that it wants. */
export interface LossSpec<out L extends LabelKind = LabelKind> {
  /** Its name: that of `Loss.name`. */
  readonly name: string;
  /** Of a loss of your own; those that ship with Kindred have none. */
  readonly version?: number | undefined;
  /** What its constructor takes. */
  readonly options?: object | undefined;
  /** The label it wants, for the compiler alone. */
  readonly label?: L | undefined;
}

interface Known {
  // deno-lint-ignore no-explicit-any -- constructors of many option types, found by name
  readonly make: (options?: any) => Loss;
  readonly rules?: Readonly<Record<string, OptionRule>> | undefined;
}
const known = new Map<string, Known>();

/** By what a loss is found: of your own, with its version. */
const keyOf = (name: string, version: number | undefined) => version === undefined ? name : `${name}@${version}`;

/** What tells a loss of your own from all others, and from what it was before. */
export interface LossIdentity {
  /** Its name. */
  readonly id: string;
  /** Counts up whenever the loss would give another value: what was trained by an earlier version is trained anew. */
  readonly version: number;
}

/**
 * Makes a loss of your own known, and returns the function that describes it, as those of {@linkcode losses} do: trainings
 * take such descriptions. Results are kept by them, so a loss that changes needs another version.
 *
 * @param identity Its name and version.
 * @param make The loss for given options, which must be plain JSON.
 * @param rules What each option may be; an option without a rule is an error. Default: nothing is checked.
 * @returns Describes the loss with options.
 * @throws {UsageError} There is no name, the version is no whole number from 1, a loss that ships with Kindred has this
 * name, or another loss has this name and version.
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
 * const described = nameLoss({ id: "same", version: 1 }, same)();
 * assert.equal((await tryLoss(lossOf(described), [[[1, 2]], [[3, 2]]])).value, 1);
 * assert.throws(() => nameLoss({ id: "same", version: 2 }, same, {})({ margin: 1 }), /no option margin/);
 * ```
 */
export function nameLoss<L extends LabelKind, O extends object = object>(
  identity: LossIdentity,
  make: (options?: O) => Loss<L>,
  rules?: Readonly<Record<string, OptionRule>>,
): (options?: O) => LossSpec<L> {
  const { id, version } = identity;
  if (typeof id !== "string" || id === "" || !Number.isSafeInteger(version) || version < 1) {
    throw new UsageError("a loss of your own needs a name and a version", {
      expected: '{ id: "my-loss", version: 1 }',
      found: JSON.stringify({ id, version }),
      hint: "count the version up whenever the loss changes: results are kept by it",
    });
  }
  const key = keyOf(id, version);
  const other = known.get(key)?.make;
  if (known.has(id) || (other !== undefined && String(other) !== String(make))) {
    throw new UsageError("another loss has this name", {
      found: known.has(id) ? id : key,
      hint: known.has(id) ? "choose another name" : "count the version up: results are kept by it",
    });
  }
  return describe({ name: id, version }, make, rules);
}

function shipped<L extends LabelKind, O extends object = object>(
  name: string,
  make: (options?: O) => Loss<L>,
  rules: Readonly<Record<string, OptionRule>>,
): (options?: O) => LossSpec<L> {
  return describe({ name }, make, rules);
}

function describe<L extends LabelKind, O extends object>(
  identity: Pick<LossSpec, "name" | "version">,
  make: (options?: O) => Loss<L>,
  rules: Known["rules"],
): (options?: O) => LossSpec<L> {
  known.set(keyOf(identity.name, identity.version), { make, rules });
  return (options) => {
    checkOptions(identity.name, options, rules);
    return { ...identity, ...(options !== undefined && { options }) };
  };
}

/**
 * The loss that a description means.
 *
 * @param spec A description: from {@linkcode losses}, from {@linkcode nameLoss}, or read from JSON.
 * @returns The loss itself.
 * @throws {UsageError} No loss has this name and version.
 *
 * @example
 * ```ts
 * import { losses, lossOf, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * const spec = JSON.parse(JSON.stringify(losses.triplet({ margin: 1 })));
 * assert.equal((await tryLoss(lossOf(spec), [[[0]], [[1]], [[3]]])).value, 0);
 * ```
 */
export function lossOf<L extends LabelKind>(spec: LossSpec<L>): Loss<L> {
  const { name, version, options } = spec;
  const loss = known.get(keyOf(name, version));
  if (loss === undefined) {
    const names = [...known.keys()];
    // The command line has shorter names for some: gist, distill-kl.
    const meant = nearestName(name, names) ?? names.find((one) => one.startsWith(`${name}_`));
    throw new UsageError("there is no loss of this name and version", {
      expected: names.join(", "),
      found: keyOf(name, version),
      hint: meant === undefined || version !== undefined
        ? "nameLoss makes a loss of your own known"
        : `did you mean ${meant}?`,
    });
  }
  checkOptions(name, options, loss.rules);
  return loss.make(options) as Loss<L>;
}

/** Describes a loss with these options. */
export type DescribeLoss<O, L extends LabelKind> = (options?: O) => LossSpec<L>;

const AMONG = oneOf("in_batch_negatives", "hard_negatives", "all_negatives");
const HARDNESS: OptionRule = [
  `{ among, strength }: among ${AMONG[0]}, strength ${ABOVE_ZERO[0]}`,
  (value) => isObject(value) && AMONG[1](value["among"]) && ABOVE_ZERO[1](value["strength"]),
];
const BATCH_TRIPLET = { distance: oneOf("cosine", "euclidean"), margin: NUMBER };
const DISTANCE = { distance: oneOf("cosine", "euclidean", "manhattan"), margin: NUMBER };
const SIMILARITY = oneOf("dot", "cosine");
const IMITATION = { target: oneOf("each", "first"), projection: POSITIVE };
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
  readonly distillKlDiv: DescribeLoss<DistillKlDivOptions, "score">;
  readonly embedDistill: DescribeLoss<EmbedDistillOptions, "none">;
  readonly gistEmbed: DescribeLoss<GistEmbedOptions, "none">;
  readonly marginMse: DescribeLoss<MarginMseOptions, "score">;
  /** Around the description of another loss. */
  readonly matryoshka: <L extends LabelKind>(inner: LossSpec<L>, options: MatryoshkaOptions) => LossSpec<L>;
  readonly megaBatchMargin: DescribeLoss<MegaBatchMarginOptions, "none">;
  readonly mse: DescribeLoss<MseOptions, "none">;
  readonly multipleNegativesRanking: DescribeLoss<MultipleNegativesRankingOptions, "none">;
  readonly onlineContrastive: DescribeLoss<ContrastiveOptions, "score">;
  readonly softmax: DescribeLoss<SoftmaxOptions, "class">;
  readonly triplet: DescribeLoss<TripletOptions, "none">;
} = {
  angle: shipped("angle", angle, SCALE),
  batchAllTriplet: shipped("batch_all_triplet", batchAllTriplet, BATCH_TRIPLET),
  batchHardSoftMarginTriplet: shipped("batch_hard_soft_margin_triplet", batchHardSoftMarginTriplet, {
    distance: BATCH_TRIPLET.distance,
  }),
  batchHardTriplet: shipped("batch_hard_triplet", batchHardTriplet, BATCH_TRIPLET),
  batchSemiHardTriplet: shipped("batch_semi_hard_triplet", batchSemiHardTriplet, BATCH_TRIPLET),
  contrastive: shipped("contrastive", contrastive, DISTANCE),
  cosent: shipped("cosent", cosent, SCALE),
  cosineSimilarity: shipped("cosine_similarity", cosineSimilarity, {}),
  distillKlDiv: shipped("distill_kl_div", distillKlDiv, {
    temperature: ABOVE_ZERO,
    studentTemperature: ABOVE_ZERO,
    teacherTemperature: ABOVE_ZERO,
    similarity: SIMILARITY,
  }),
  embedDistill: shipped("embed_distill", embedDistill, { ...IMITATION, distance: oneOf("cosine", "l2", "mse") }),
  gistEmbed: shipped("gist_embed", gistEmbed, {
    temperature: ABOVE_ZERO,
    marginStrategy: oneOf("absolute", "relative"),
    margin: NUMBER,
    contrastAnchors: SWITCH,
    contrastPositives: SWITCH,
  }),
  marginMse: shipped("margin_mse", marginMse, { similarity: SIMILARITY }),
  matryoshka: (inner, options) => ({ name: "matryoshka", options: { ...options, inner } }),
  megaBatchMargin: shipped("mega_batch_margin", megaBatchMargin, { positiveMargin: NUMBER, negativeMargin: NUMBER }),
  mse: shipped("mse", mse, IMITATION),
  multipleNegativesRanking: shipped("multiple_negatives_ranking", multipleNegativesRanking, {
    ...SCALE,
    directions: someOf("query_to_doc", "doc_to_query", "query_to_query", "doc_to_doc"),
    partitionMode: oneOf("joint", "per_direction"),
    hardness: HARDNESS,
  }),
  onlineContrastive: shipped("online_contrastive", onlineContrastive, DISTANCE),
  softmax: shipped("softmax", softmax, { classes: COUNT, multiplication: SWITCH, frozen: SWITCH }),
  triplet: shipped("triplet", triplet, DISTANCE),
};

known.set("matryoshka", {
  make({ inner, ...options }: Partial<MatryoshkaOptions> & { inner?: LossSpec } = {}) {
    if (inner === undefined) {
      throw new UsageError("matryoshka is put around another loss", { expected: 'inner: { name: "cosent" }' });
    }
    return matryoshka(lossOf(inner), { ...options, dimensions: options.dimensions ?? [] });
  },
  rules: {
    inner: ["a loss: { name, options }", (value) => isObject(value) && typeof value["name"] === "string"],
    dimensions: listOf(POSITIVE),
    weights: listOf(FROM_ZERO),
    dimensionsPerStep: POSITIVE,
  },
});
