/**
 * Losses of cross-encoders as plain JSON, for stages, cache keys and the command line: one table of names.
 *
 * @module
 */
import { UsageError } from "../../error.ts";
import { didYouMean, nearestName } from "../../text/edits.ts";
import type { CrossEncoderLoss } from "../cross_encoder_loss.ts";
import type { ListLoss } from "../list_loss.ts";
import type { LabelKind } from "../loss.ts";
import { ABOVE_ZERO, checkOptions, NUMBER, oneOf, type OptionRules, POSITIVE, SWITCH, WHOLE } from "../options.ts";
import { adrMse, type AdrMseOptions } from "./adr_mse.ts";
import { binaryCrossEntropy, type BinaryCrossEntropyOptions } from "./binary_cross_entropy.ts";
import { crossEntropy } from "./cross_entropy.ts";
import { lambda, LAMBDA_WEIGHTINGS, type LambdaOptions, rankNet, type RankNetOptions } from "./lambda.ts";
import { listMle, type ListMleOptions, positionListMle, type PositionListMleOptions } from "./list_mle.ts";
import { listNet, type ListNetOptions } from "./list_net.ts";
import { marginMse, type MarginMseOptions } from "./margin_mse.ts";
import { mse, type MseOptions } from "./mse.ts";
import { multipleNegativesRanking, type MultipleNegativesRankingOptions } from "./multiple_negatives_ranking.ts";

/** Which label a loss of a cross-encoder wants: one for each row, or one for each document of a list. */
export type CrossEncoderLabel = LabelKind | "list";

/** A loss of a cross-encoder as plain JSON. `L` is the label that it wants. */
export interface CrossEncoderLossSpec<out L extends CrossEncoderLabel = CrossEncoderLabel> {
  /** Its name: that of the loss. */
  readonly name: string;
  /** What its constructor takes. */
  readonly options?: object | undefined;
  /** The label it wants, for the compiler alone. */
  readonly label?: L | undefined;
}

/** Describes a loss with these options. */
export type DescribeCrossEncoderLoss<O, L extends CrossEncoderLabel> = (options?: O) => CrossEncoderLossSpec<L>;

interface Known {
  // deno-lint-ignore no-explicit-any -- constructors of many option types, found by name
  readonly make: (options?: any) => CrossEncoderLoss | ListLoss;
  readonly rules: OptionRules;
}
const known = new Map<string, Known>();

function shipped<L extends CrossEncoderLabel, O extends object>(
  name: string,
  make: (options?: O) => CrossEncoderLoss | ListLoss,
  rules: OptionRules,
): DescribeCrossEncoderLoss<O, L> {
  known.set(name, { make, rules });
  return (options) => {
    checkOptions(name, options, rules);
    return { name, ...(options !== undefined && { options }) };
  };
}

const ACTIVATION = { activation: oneOf("identity", "sigmoid") };
const PAIRS = { k: POSITIVE, sigma: ABOVE_ZERO, epsilon: ABOVE_ZERO, logarithm: oneOf("binary", "natural") };
const ORDER = { respectInputOrder: SWITCH, ...ACTIVATION };

/**
 * Descriptions of the losses of cross-encoders, for trainings.
 *
 * @example
 * ```ts
 * import { crossEncoder } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * const spec = JSON.parse(JSON.stringify(crossEncoder.losses.lambda({ weighting: "lambda_rank", k: 10 })));
 * assert.equal(crossEncoder.lossOf(spec).label, "list"); // it wants lists of documents
 * ```
 */
export const crossEncoderLosses: {
  readonly adrMse: DescribeCrossEncoderLoss<AdrMseOptions, "list">;
  readonly binaryCrossEntropy: DescribeCrossEncoderLoss<BinaryCrossEntropyOptions, "score">;
  readonly crossEntropy: DescribeCrossEncoderLoss<Record<string, never>, "class">;
  readonly lambda: DescribeCrossEncoderLoss<LambdaOptions, "list">;
  readonly listMle: DescribeCrossEncoderLoss<ListMleOptions, "list">;
  readonly listNet: DescribeCrossEncoderLoss<ListNetOptions, "list">;
  readonly marginMse: DescribeCrossEncoderLoss<MarginMseOptions, "score">;
  readonly mse: DescribeCrossEncoderLoss<MseOptions, "score">;
  readonly multipleNegativesRanking: DescribeCrossEncoderLoss<MultipleNegativesRankingOptions, "none">;
  readonly positionListMle: DescribeCrossEncoderLoss<PositionListMleOptions, "list">;
  readonly rankNet: DescribeCrossEncoderLoss<RankNetOptions, "list">;
} = {
  adrMse: shipped("adr_mse", adrMse, { alpha: ABOVE_ZERO, ...ACTIVATION }),
  binaryCrossEntropy: shipped("binary_cross_entropy", binaryCrossEntropy, { positiveWeight: ABOVE_ZERO }),
  crossEntropy: shipped("cross_entropy", crossEntropy, {}),
  lambda: shipped("lambda", lambda, { weighting: oneOf(...LAMBDA_WEIGHTINGS), mu: NUMBER, ...PAIRS, ...ACTIVATION }),
  listMle: shipped("list_mle", listMle, ORDER),
  listNet: shipped("list_net", listNet, ACTIVATION),
  marginMse: shipped("margin_mse", marginMse, ACTIVATION),
  mse: shipped("mse", mse, ACTIVATION),
  multipleNegativesRanking: shipped("multiple_negatives_ranking", multipleNegativesRanking, {
    negatives: WHOLE,
    scale: ABOVE_ZERO,
    ...ACTIVATION,
  }),
  positionListMle: shipped("position_list_mle", positionListMle, {
    positionWeights: oneOf("exponential", "logarithmic"),
    ...ORDER,
  }),
  rankNet: shipped("rank_net", rankNet, { ...PAIRS, ...ACTIVATION }),
};

/** Names of all losses of cross-encoders, and what their options may be. */
export const crossEncoderLossRules: Readonly<Record<string, OptionRules>> = Object.fromEntries(
  Array.from(known, ([name, { rules }]) => [name, rules]),
);

/**
 * The loss that a description means.
 *
 * @param spec A description: from {@linkcode crossEncoderLosses}, or read from JSON.
 * @returns The loss itself.
 * @throws {UsageError} No loss has this name, or an option is not one of its own.
 *
 * @example
 * ```ts
 * import { crossEncoder } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * assert.equal(crossEncoder.lossOf(crossEncoder.losses.mse()).label, "score");
 * assert.throws(() => crossEncoder.lossOf({ name: "lamda" }), /no loss/);
 * ```
 */
export function crossEncoderLossOf(spec: CrossEncoderLossSpec): CrossEncoderLoss | ListLoss {
  const { name, options } = spec;
  const loss = known.get(name);
  if (loss === undefined) {
    throw new UsageError("there is no loss of this name for cross-encoders", {
      expected: [...known.keys()].join(", "),
      found: name,
      ...didYouMean(nearestName(name, [...known.keys()])),
    });
  }
  checkOptions(name, options, loss.rules);
  return loss.make(options);
}
