/**
 * Augmented SBERT: a cross-encoder learns from few gold pairs, labels many more, and a bi-encoder learns from all of them.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt, attemptSync } from "../attempt.ts";
import { type JudgeGate, judgeRows } from "../augment/judge_gate.ts";
import type { SentencePairs } from "../augment/pairs.ts";
import type { SilverAgreement } from "../augment/silver.ts";
import type { Dataset, ScoredPairs } from "../data/dataset.ts";
import type { Columns } from "../data/rows.ts";
import { counted } from "../counted.ts";
import { heldOutCount } from "../data/hold_out.ts";
import { type KindredError, TrainingError, UsageError } from "../error.ts";
import type { MatryoshkaOptions } from "../loss/matryoshka.ts";
import { losses } from "../loss/named.ts";
import type { Metrics } from "../train/record.ts";
import { resolveSettings, type TrainSettings } from "../train/settings.ts";
import { type CountedDataset, type ModelFolder, summaryOf, type TrainedModel } from "../stage/artifact.ts";
import { emit } from "../stage/progress.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import { type GoldParts, JudgeError, makeJudge, measureJudge } from "./judge.ts";
import { evaluateCrossEncoder } from "./stages/judge_metrics.ts";
import {
  balanceSilver,
  compareSilver,
  keepConfident,
  labelSilver,
  mergePairs,
  type PairParameters,
  samplePairs,
} from "./stages/silver.ts";
import type { ModelShape } from "../stage/artifact.ts";
import type { EvaluateParameters } from "./stages/evaluate_rows.ts";
import { holdOutOf } from "./stages/rows.ts";
import { type SilverWorth, worthOfSilver } from "./silver_worth.ts";
import { trainBiEncoder } from "./stages/train.ts";

/** What {@linkcode augmentedSbert} takes. */
export interface AugmentedSbertOptions extends ModelShape {
  /** The bi-encoder to start from. */
  readonly model: Artifact<ModelFolder>;
  /**
   * What the cross-encoder starts from: any encoder, any cross-encoder, any NLI model. With `crossSettings.epochs` of 0 it
   * judges as it is. Default: the same.
   */
  readonly crossEncoder?: Artifact<ModelFolder> | undefined;
  /** Few labelled pairs, scores in [0, 1]: graded, or classes of 0 and 1. */
  readonly gold: Artifact<Dataset<ScoredPairs>>;
  /** Pairs to be labelled, for `pairs: "given"`. */
  readonly unlabelled?: Artifact<Dataset<SentencePairs>> | undefined;
  /** What is known of `unlabelled`, row by row: silver labels are compared with it, nothing learns from it. */
  readonly truth?: Artifact<Dataset<ScoredPairs>> | undefined;
  /** Labelled pairs beside the gold ones, on which the cross-encoder is tested as well; nothing depends on them. */
  readonly heldOut?: Artifact<Dataset<ScoredPairs>> | undefined;
  /** Where pairs come from; `kde`: random ones, so chosen that silver labels are distributed as gold ones. */
  readonly pairs: "given" | "kde" | PairParameters["from"];
  /** Random pairs for each gold pair. Default 10. */
  readonly pairsPerGold?: number | undefined;
  /** Nearest sentences of each sentence. Default 5. */
  readonly topK?: number | undefined;
  /** Default soft, as in the paper; the chapter's are hard. */
  readonly silverLabels?: "hard" | "soft" | undefined;
  /** Silver pairs of which the judge is less sure are dropped, see `silverConfidence`. Default 0: none. */
  readonly minConfidence?: number | undefined;
  /**
   * Gold pairs, or a share of them, that nothing is learnt from: they say whether the judge is better than the cosine of the
   * bi-encoder, and which weights are kept. Default: see `judgeRows`; 0: none.
   */
  readonly goldHoldOut?: number | undefined;
  /** Goes on with a judge that is not better than the bi-encoder's cosine. Default false: it fails with a `JudgeError`. */
  readonly forceJudge?: boolean | undefined;
  /** Two classes, as in the chapter, or one score. Default: a score where gold is graded. */
  readonly head?: "classes" | "score" | undefined;
  /** cross-domain: the bi-encoder learns from the silver pairs alone. Default in-domain. */
  readonly scenario?: "in-domain" | "cross-domain" | undefined;
  /** Hyper-parameters of the cross-encoder. */
  readonly crossSettings: TrainSettings;
  /** Those of the bi-encoder. */
  readonly settings: TrainSettings;
  /** Trains the first numbers of its embeddings as well. Default: the whole embeddings alone. */
  readonly matryoshka?: MatryoshkaOptions | undefined;
  /** Rows to evaluate on while training, as `evaluating` says; without that, graded pairs. */
  readonly eval?: Artifact<Dataset<Columns>> | undefined;
  /** How they are evaluated. */
  readonly evaluating?: EvaluateParameters | undefined;
  /**
   * Trains two bi-encoders on the gold pairs alone: for as many epochs, and for as many updates. Where gold pairs of the same
   * domain are held out, they say whether the silver pairs add more than chance: if not, the better control is the product. Default true.
   */
  readonly controls?: boolean | undefined;
}

/** What comes of it. */
export interface AugmentedSbert {
  /** The bi-encoder: the one with the silver pairs, or, where `worth` says so, one that learnt from gold alone. */
  readonly model: Artifact<TrainedModel>;
  /** The bi-encoder that learnt from the silver pairs. */
  readonly withSilver: Artifact<TrainedModel>;
  /** What the silver pairs were worth on gold pairs held out; undefined where nothing could say. */
  readonly worth: SilverWorth | undefined;
  /** The judge. */
  readonly crossEncoder: Artifact<ModelFolder>;
  /** What `model` was trained on. */
  readonly data: Artifact<CountedDataset<ScoredPairs>>;
  /** Pairs with the judge's labels. */
  readonly silver: Artifact<CountedDataset<ScoredPairs>>;
  /** The judge beside the bi-encoder's cosine, on gold pairs held out; undefined where none were. */
  readonly gate: JudgeGate | undefined;
  /** The judge beside the model that has learnt from the gold pairs alone, where that was trained. */
  readonly goldAlone: JudgeGate | undefined;
  /** The share of labelled pairs of which the judge was sure enough. */
  readonly kept: number;
  /** The gold pairs held out, in words, where the weights of the bi-encoders were chosen by them. */
  readonly chosenBy: string | undefined;
  /** The judge on labelled pairs beside the gold ones; undefined where there are none. */
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
 * al. 2021, arXiv 2010.08240. Some of the gold pairs are held out: a judge that knows no more of them than the cosine of the
 * bi-encoder, as it was or trained on the gold pairs alone, fails with a `JudgeError`, and the weights that know most of them are
 * kept, of the product as of its controls. Where the silver pairs add no more than chance, the product is the best of these.
 */
export const augmentedSbert: (
  options: AugmentedSbertOptions,
) => Effect.Effect<AugmentedSbert, KindredError, Services> = Effect.fnUntraced(function* (options) {
  const { model, unlabelled, truth, heldOut, pooling, maxSeqLength, minConfidence = 0 } = options;
  const settings = yield* attemptSync(() => resolveSettings(options.settings));
  const { pairsPerGold = 10, topK = 5, silverLabels = "soft", scenario = "in-domain" } = options;
  const { seed } = settings;
  if (options.pairs === "given" && unlabelled === undefined) {
    return yield* Effect.fail(
      new UsageError("there are no pairs to label", {
        hint: "--unlabelled SRC, a --gold-size below the number of gold rows, or --pairs recombine|bm25|semantic|kde",
      }),
    );
  }
  const parts = yield* partsOfGold(options.gold, { rows: options.goldHoldOut, seed });
  const { learnt: gold, held, graded } = parts;
  const judge = yield* makeJudge(parts, {
    start: options.crossEncoder ?? model,
    settings: options.crossSettings,
    head: options.head,
    maxSeqLength,
  });
  const shape = { pooling, maxSeqLength };
  const gate = held && (yield* measureJudge(judge, model, { ...parts, held }, shape));
  const refuses = (gate: JudgeGate | undefined) => gate !== undefined && !gate.passed && options.forceJudge !== true;
  if (refuses(gate)) return yield* Effect.fail(new JudgeError(gate!, "untouched"));

  // What the caller wants to see on the way comes first; otherwise the gold pairs held out choose the weights.
  const watched = (settings.evalSteps ?? settings.keepBest ?? settings.patience) !== undefined;
  const choosing = held === undefined || watched
    ? { eval: options.eval, evaluation: options.evaluating }
    : { eval: held as Artifact<Dataset<Columns>> };
  const train = (rows: Artifact<Dataset<ScoredPairs>>, as: string, more: Partial<TrainSettings> = {}) =>
    trainBiEncoder({
      model,
      data: rows,
      loss: losses.cosineSimilarity(),
      settings: { ...options.settings, ...(held !== undefined && !watched && { keepBest: "auto" }), ...more },
      ...choosing,
      matryoshka: options.matryoshka,
      pooling,
      maxSeqLength,
      as,
    });
  const controls = options.controls ?? true;
  const control = controls ? yield* train(gold, "control") : undefined;
  const goldAlone = control && held &&
    (yield* measureJudge(judge, control, { ...parts, held }, {}, "control-held-out"));
  if (refuses(goldAlone)) return yield* Effect.fail(new JudgeError(goldAlone!, "gold alone"));

  const pairs = options.pairs === "given" ? unlabelled! : yield* samplePairs({ gold, model }, {
    from: options.pairs === "kde" ? "recombine" : options.pairs,
    pairsPerGold,
    topK,
    seed,
  });
  const labelled = yield* labelSilver({ model: judge, pairs }, { labels: silverLabels, bothWays: graded });
  const sure = minConfidence > 0 ? yield* keepConfident({ silver: labelled }, { minConfidence }) : labelled;
  const [said, believed] = [yield* attempt(() => summaryOf(labelled)), yield* attempt(() => summaryOf(sure))];
  if (believed.rows === 0) {
    return yield* Effect.fail(
      new TrainingError("the judge is not sure enough of any pair", {
        expected: `a confidence of ${minConfidence} or more`,
        found: `0 of ${counted(said.rows, "pair")}`,
        hint: "a lower --min-confidence (minConfidence)",
      }),
    );
  }
  const silver = options.pairs === "kde" ? yield* balanceSilver({ gold, silver: sure }, { seed }) : sure;
  const data = scenario === "cross-domain" ? silver : yield* mergePairs({ gold, silver }, {});

  const withSilver = yield* train(data, "train");
  const { steps } = (yield* valueOf(withSilver)).record;
  const controlEqualSteps = controls ? yield* train(gold, "control-equal-steps", { maxSteps: steps }) : undefined;
  // A judge may pass, and its pairs teach nothing all the same. Gold of another domain says nothing of that.
  const models = control && controlEqualSteps &&
    { "silver": withSilver, "gold alone": control, "gold alone, equal steps": controlEqualSteps };
  const worth = models && held && scenario === "in-domain" ? yield* worthOfSilver(models, held) : undefined;
  const kept = worth?.kept ?? "silver";

  const known = options.pairs === "given" ? truth : undefined;
  const agreement = known && (yield* valueOf(yield* compareSilver({ silver: labelled, truth: known }, {})));
  const judged = heldOut && (yield* valueOf(yield* evaluateCrossEncoder({ model: judge, pairs: heldOut }, {})));
  return {
    model: models?.[kept] ?? withSilver,
    withSilver,
    worth,
    crossEncoder: judge,
    data: kept === "silver" ? data : gold as Artifact<CountedDataset<ScoredPairs>>,
    silver,
    gate,
    goldAlone,
    kept: believed.rows / said.rows,
    judged,
    agreement,
    control,
    controlEqualSteps,
    chosenBy: gate === undefined || watched ? undefined : `${counted(gate.rows, "gold pair")} held out`,
  };
});

/** Cuts the gold pairs: some are kept to measure the judge by, if they can. */
const partsOfGold: (
  gold: Artifact<Dataset<ScoredPairs>>,
  options: { readonly rows?: number | undefined; readonly seed: number },
) => Effect.Effect<GoldParts, KindredError, Services> = Effect.fnUntraced(function* (gold, { rows: asked, seed }) {
  const { columns: { score }, rows } = yield* valueOf(gold);
  const graded = score.some((value) => value !== 0 && value !== 1);
  const whole = { learnt: gold, held: undefined, graded };
  if ((yield* attemptSync(() => heldOutCount(rows, asked ?? judgeRows(rows)))) === 0) return whole;
  const counted = gold as Artifact<CountedDataset<ScoredPairs>>;
  const { train: learnt, heldOut: held } = yield* holdOutOf(counted, { rows: asked ?? judgeRows(rows), seed });
  const { columns } = yield* valueOf(held);
  if (new Set(columns.score).size < 2) {
    yield* emit({ _tag: "warning", text: "the judge was not measured: no gold pairs of two labels could be held out" });
    return whole;
  }
  return { learnt, held, graded };
});
