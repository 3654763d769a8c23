/**
 * Augmented SBERT: a cross-encoder learns from few gold pairs, labels many more, and a bi-encoder learns from all of them.
 *
 * @module
 */
import { Effect } from "effect";
import { attemptSync } from "../attempt.ts";
import type { SentencePairs } from "../augment/pairs.ts";
import type { SilverAgreement } from "../augment/silver.ts";
import type { Dataset, ScoredPairs } from "../data/dataset.ts";
import type { Columns } from "../data/rows.ts";
import { type KindredError, UsageError } from "../error.ts";
import { losses } from "../loss/named.ts";
import type { Metrics } from "../train/record.ts";
import { resolveSettings, type TrainSettings } from "../train/settings.ts";
import type { CountedDataset, ModelFolder, TrainedModel } from "../stage/artifact.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import { trainCrossEncoder } from "./stages/cross_encoder.ts";
import { evaluateCrossEncoder } from "./stages/judge_metrics.ts";
import {
  balanceSilver,
  compareSilver,
  labelSilver,
  mergePairs,
  type PairParameters,
  samplePairs,
} from "./stages/silver.ts";
import type { ModelShape } from "../stage/artifact.ts";
import type { EvaluateParameters } from "./stages/evaluate.ts";
import { trainBiEncoder } from "./stages/train.ts";

/** What {@linkcode augmentedSbert} takes. */
export interface AugmentedSbertOptions extends ModelShape {
  /** The bi-encoder to start from. */
  readonly model: Artifact<ModelFolder>;
  /** What the cross-encoder starts from. Default: the same. */
  readonly crossEncoder?: Artifact<ModelFolder> | undefined;
  /** Few labelled pairs, scores in [0, 1]. */
  readonly gold: Artifact<Dataset<ScoredPairs>>;
  /** Pairs to be labelled, for `pairs: "given"`. */
  readonly unlabelled?: Artifact<Dataset<SentencePairs>> | undefined;
  /** What is known of `unlabelled`, row by row: silver labels are compared with it, nothing learns from it. */
  readonly truth?: Artifact<Dataset<ScoredPairs>> | undefined;
  /** Labelled pairs to test the cross-encoder on, where `truth` is not that already. */
  readonly heldOut?: Artifact<Dataset<ScoredPairs>> | undefined;
  /** Where pairs come from; `kde`: random ones, so chosen that silver labels are distributed as gold ones. */
  readonly pairs: "given" | "kde" | PairParameters["from"];
  /** Random pairs for each gold pair. Default 10. */
  readonly pairsPerGold?: number | undefined;
  /** Nearest sentences of each sentence. Default 5. */
  readonly topK?: number | undefined;
  /** Default soft, as in the paper; the chapter's are hard. */
  readonly silverLabels?: "hard" | "soft" | undefined;
  /** Two classes, as in the chapter, or one score. Default: classes. */
  readonly head?: "classes" | "score" | undefined;
  /** cross-domain: the bi-encoder learns from the silver pairs alone. Default in-domain. */
  readonly scenario?: "in-domain" | "cross-domain" | undefined;
  /** Hyper-parameters of the cross-encoder. */
  readonly crossSettings: TrainSettings;
  /** Those of the bi-encoder. */
  readonly settings: TrainSettings;
  /** Rows to evaluate on while training, as `evaluating` says; without that, graded pairs. */
  readonly eval?: Artifact<Dataset<Columns>> | undefined;
  /** How they are evaluated. */
  readonly evaluating?: EvaluateParameters | undefined;
  /** Trains two bi-encoders on the gold pairs alone: for as many epochs, and for as many updates. Default true. */
  readonly controls?: boolean | undefined;
}

/** What comes of it. */
export interface AugmentedSbert {
  /** The bi-encoder. */
  readonly model: Artifact<TrainedModel>;
  /** The judge. */
  readonly crossEncoder: Artifact<TrainedModel>;
  /** What the bi-encoder was trained on. */
  readonly data: Artifact<CountedDataset<ScoredPairs>>;
  /** Pairs with the judge's labels. */
  readonly silver: Artifact<CountedDataset<ScoredPairs>>;
  /** The judge on pairs it has not seen; undefined where there are none. */
  readonly judged: Metrics | undefined;
  /** Silver labels against the truth; undefined where it is not known. */
  readonly agreement: SilverAgreement | undefined;
  /** Gold alone, for as many epochs. */
  readonly control: Artifact<TrainedModel> | undefined;
  /** Gold alone, for as many updates. */
  readonly controlEqualSteps: Artifact<TrainedModel> | undefined;
}

/**
 * gold → cross-encoder → pairs → silver labels → gold + silver → bi-encoder, each step a cached stage. Source: Thakur et
 * al. 2021, arXiv 2010.08240.
 */
export const augmentedSbert: (
  options: AugmentedSbertOptions,
) => Effect.Effect<AugmentedSbert, KindredError, Services> = Effect.fnUntraced(function* (options) {
  const { model, gold, unlabelled, truth, heldOut, pooling, maxSeqLength } = options;
  const settings = yield* attemptSync(() => resolveSettings(options.settings));
  const { pairsPerGold = 10, topK = 5, silverLabels = "soft", head = "classes", scenario = "in-domain" } = options;
  const { seed } = settings;
  if (options.pairs === "given" && unlabelled === undefined) {
    return yield* Effect.fail(
      new UsageError("there are no pairs to label", {
        hint: "--unlabelled SRC, a --gold-size below the number of gold rows, or --pairs recombine|bm25|semantic|kde",
      }),
    );
  }
  const judge = yield* trainCrossEncoder({ model: options.crossEncoder ?? model, pairs: gold }, {
    settings: options.crossSettings,
    head,
    maxSeqLength,
  });
  const pairs = options.pairs === "given" ? unlabelled! : yield* samplePairs({ gold, model }, {
    from: options.pairs === "kde" ? "recombine" : options.pairs,
    pairsPerGold,
    topK,
    seed,
  });
  const labelled = yield* labelSilver({ model: judge, pairs }, { labels: silverLabels });
  const silver = options.pairs === "kde" ? yield* balanceSilver({ gold, silver: labelled }, { seed }) : labelled;
  const data = scenario === "cross-domain" ? silver : yield* mergePairs({ gold, silver }, {});

  const train = (rows: Artifact<Dataset<ScoredPairs>>, as: string, more: Partial<TrainSettings> = {}) =>
    trainBiEncoder({
      model,
      data: rows,
      loss: losses.cosineSimilarity(),
      settings: { ...settings, ...more },
      eval: options.eval,
      evaluation: options.evaluating,
      pooling,
      maxSeqLength,
      as,
    });
  const product = yield* train(data, "train");
  const { steps } = (yield* valueOf(product)).record;
  const controls = options.controls ?? true;
  const control = controls ? yield* train(gold, "control") : undefined;
  const controlEqualSteps = controls ? yield* train(gold, "control-equal-steps", { maxSteps: steps }) : undefined;

  const known = options.pairs === "given" ? truth : undefined;
  const agreement = known && (yield* valueOf(yield* compareSilver({ silver: labelled, truth: known }, {})));
  const unseen = heldOut ?? known;
  const judged = unseen && (yield* valueOf(yield* evaluateCrossEncoder({ model: judge, pairs: unseen }, {})));
  return { model: product, crossEncoder: judge, data, silver, judged, agreement, control, controlEqualSteps };
});
