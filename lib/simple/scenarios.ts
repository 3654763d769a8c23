/**
 * Augmented SBERT in one call, awaited.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { type JudgeGate, judgeRows } from "../augment/judge_gate.ts";
import type { Dataset } from "../data/dataset.ts";
import { datasetOf } from "../data/rows.ts";
import { augmentedSbert as augment, type AugmentedSbertOptions } from "../pipeline/augmented_sbert.ts";
import { FLAGS } from "../pipeline/flags.ts";
import type { SilverWorth } from "../pipeline/silver_worth.ts";
import { given, type RunOptions } from "../stage/run.ts";
import { valueOf } from "../stage/stage.ts";
import { checkFields, type Fields, NUMBERS, oneOf, YES_OR_NO } from "../train/fields.ts";
import { CROSS_ENCODER_DEFAULTS, resolveSettings, TRAIN_FIELDS, type TrainSettings } from "../train/settings.ts";
import { A_LIST, A_MODEL, AN_OBJECT, checkNumbers, checkTraining, HOLD_OUT } from "./fields.ts";
import {
  type HoldOutOption,
  type MeasuredTraining,
  type OutputOptions,
  runTraining,
  startingModel,
  trainMeasured,
} from "./training.ts";

/** Pairs, row by row. */
export interface TextPairs {
  /** First sentence. */
  readonly sentence1: readonly string[];
  /** Second sentence. */
  readonly sentence2: readonly string[];
}

/** What {@linkcode augmentedSbert} takes. */
export interface AugmentedSbertInput extends TrainSettings, RunOptions, OutputOptions, HoldOutOption {
  /** Bi-encoder to start from: a folder or a model of the hub. */
  readonly model: string;
  /** What the cross-encoder starts from: any encoder, any cross-encoder, any NLI model. Default: the same. */
  readonly crossEncoder?: string;
  /** Few pairs with a score in [0, 1]: graded, or classes of 0 and 1. */
  readonly gold: TextPairs & { readonly score: ArrayLike<number> };
  /** Pairs to be labelled. Without them, `pairs` says how they are made of the gold sentences. */
  readonly unlabelled?: TextPairs;
  /** Default: given, or semantic where there is no `unlabelled`. */
  readonly pairs?: AugmentedSbertOptions["pairs"];
  /** Default soft. */
  readonly silverLabels?: "hard" | "soft";
  /** Drops silver pairs of which the judge is less sure, from 0 to 1. Default 0. */
  readonly minConfidence?: number;
  /**
   * Gold pairs, or a share of them, that measure the judge and choose the best weights, beside those of `holdOut`. Default: a
   * tenth, from 200 to 1,000, but a fifth of fewer than 1,000, and none of fewer than 50; 0: none.
   */
  readonly goldHoldOut?: number;
  /** Goes on with a judge that knows no more of these than the model's own cosine. Default false: it fails. */
  readonly forceJudge?: boolean;
  /**
   * Trains on the gold pairs alone as well, for as many epochs and for as many updates, and saves the better of these
   * where the silver pairs add no more than chance on the gold pairs held out. Default true, where some are held out: it takes more than twice as long.
   */
  readonly controls?: boolean;
  /**
   * Of the cross-encoder. Default: the learning rate 2e-5, the weight decay .01, and otherwise those of every training. false:
   * it judges as it is.
   */
  readonly cross?: TrainSettings | false;
}

/**
 * Trains a cross-encoder on the gold pairs, lets it label the others, trains a bi-encoder on all of them, and saves that; or
 * one that learnt from the gold pairs alone, where the others add no more than chance.
 *
 * @param input The model, gold and unlabelled pairs, where to save, and the settings of the training.
 * @returns How many pairs there were, how many of them silver, and what the training took.
 * @throws {DatasetError} Pairs that cannot be used.
 * @throws {TrainingError} A loss is not finite, or the judge knows no more than the model that it is to teach.
 *
 * @example
 * ```ts
 * import { augmentedSbert } from "@kindred/kindred/simple";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const folder = await Deno.makeTempDir();
 * const result = await augmentedSbert({
 *   model: await sampleBaseModel(),
 *   gold: {
 *     sentence1: ["the boy opens the door", "the cook slices the bread"],
 *     sentence2: ["the lad unlocks the gate", "a queen in the castle"],
 *     score: [1, 0],
 *   },
 *   unlabelled: { sentence1: ["the dog runs"], sentence2: ["the hound runs"] },
 *   output: `${folder}/model`,
 *   cacheDir: `${folder}/cache`,
 * });
 * assert.equal(result.pairs, 3);
 * ```
 */
export async function augmentedSbert(input: AugmentedSbertInput): Promise<AugmentedSbertResult> {
  checkTraining(input, AUGMENTED_SBERT_FIELDS);
  for (const name of ["gold", "unlabelled"] as const) {
    if (input[name] !== undefined) checkFields(input[name], PAIR_FIELDS, name);
  }
  checkNumbers(input.gold?.score, "gold.score");
  if (input.cross) checkFields(input.cross, TRAIN_FIELDS, "cross");
  const { gold, unlabelled, crossEncoder, pairs, silverLabels, cross, model, holdOut, ...others } = input;
  const { minConfidence, goldHoldOut, forceJudge, controls, ...rest } = others;
  const { output, force = false, loraSave, cacheDir, engine, progress, signal, ...settings } = rest;
  const { seed } = resolveSettings(settings);
  const crossSettings = {
    ...resolveSettings(cross || {}, { ...CROSS_ENCODER_DEFAULTS, seed }),
    ...(cross === false && { epochs: 0 }),
  };
  const scores = Float64Array.from(gold.score);
  const rows = datasetOf({ sentence1: gold.sentence1, sentence2: gold.sentence2, score: scores });
  const work = Effect.gen(function* () {
    const base = yield* startingModel(model);
    const judge = crossEncoder === undefined ? undefined : yield* startingModel(crossEncoder);
    const others = unlabelled && (yield* given(pairsOf(unlabelled)));
    const counts: Omit<AugmentedSbertResult, "training"> = {
      pairs: 0,
      silver: 0,
      kept: 1,
      judge: undefined,
      worth: undefined,
    };
    const measured = yield* trainMeasured({
      base,
      source: model,
      how: "by Augmented SBERT (Thakur et al. 2021, arXiv 2010.08240)",
      data: yield* given(rows),
      kind: "similarity",
      holdOut,
      settings,
      train: Effect.fnUntraced(function* (gold, heldOut) {
        const result = yield* augment({
          model: base,
          crossEncoder: judge,
          gold,
          unlabelled: others,
          pairs: pairs ?? (unlabelled === undefined ? "semantic" : "given"),
          silverLabels,
          minConfidence,
          goldHoldOut,
          forceJudge,
          crossSettings,
          settings,
          controls: controls ?? (goldHoldOut ?? judgeRows((yield* valueOf(gold)).rows)) > 0,
          eval: heldOut.eval,
          evaluating: heldOut.evaluation,
        });
        const [data, silver] = [yield* valueOf(result.data), yield* valueOf(result.silver)];
        const { kept, gate, worth } = result;
        Object.assign(counts, { pairs: data.rows, silver: silver.rows, kept, judge: gate, worth });
        return result.model;
      }),
    });
    return { ...measured, ...counts };
  });
  const { model: _, card: _card, ...result } = await runTraining(work, {
    output,
    force,
    loraSave,
    source: model,
    cacheDir,
    engine,
    progress,
    signal,
  });
  return result;
}

const AUGMENTED_SBERT_FIELDS: Fields<Omit<AugmentedSbertInput, keyof RunOptions | keyof OutputOptions>> = {
  model: A_MODEL,
  crossEncoder: A_MODEL,
  gold: AN_OBJECT,
  unlabelled: AN_OBJECT,
  pairs: oneOf(FLAGS["pairs"][0]),
  silverLabels: oneOf(FLAGS["silver-labels"][0]),
  minConfidence: NUMBERS["rate"],
  goldHoldOut: NUMBERS["number"],
  forceJudge: YES_OR_NO,
  controls: YES_OR_NO,
  cross: { expected: `${AN_OBJECT.expected}, or false`, is: (value) => value === false || AN_OBJECT.is(value) },
  ...HOLD_OUT,
  ...TRAIN_FIELDS,
};

const PAIR_FIELDS = { sentence1: A_LIST, sentence2: A_LIST, score: A_LIST };

/** What {@linkcode augmentedSbert} gives. */
export interface AugmentedSbertResult {
  /** Pairs that the bi-encoder was trained on. */
  readonly pairs: number;
  /** Pairs that the cross-encoder has labelled. */
  readonly silver: number;
  /** The share of pairs of which it was sure enough. */
  readonly kept: number;
  /** The judge beside the model's own cosine, on gold pairs held out; undefined where none were. */
  readonly judge: JudgeGate | undefined;
  /** What the silver pairs were worth there, and which model is saved; undefined where nothing could say. */
  readonly worth: SilverWorth | undefined;
  /** The bi-encoder's training, and what it was worth on gold pairs that were held out. */
  readonly training: MeasuredTraining;
}

const pairsOf = ({ sentence1, sentence2 }: TextPairs): Dataset<TextPairsColumns> => datasetOf({ sentence1, sentence2 });

type TextPairsColumns = { readonly sentence1: readonly string[]; readonly sentence2: readonly string[] };
