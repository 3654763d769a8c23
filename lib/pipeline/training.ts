/**
 * What the pipelines that train a bi-encoder have in common: evaluate → train → evaluate → report.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attemptSync } from "../attempt.ts";
import type { Dataset, LabelledPairs, MarginRows, Pairs, ScoredPairs, Triplets } from "../data/dataset.ts";
import type { Columns } from "../data/rows.ts";
import type { KindredError } from "../error.ts";
import type { LabelKind } from "../loss/loss.ts";
import { losses, lossOf, type LossSpec } from "../loss/named.ts";
import { chosenMetric } from "../train/record.ts";
import type { CountedDataset, ModelFolder, ModelShape, TrainedModel } from "../stage/artifact.ts";
import type { Invocation } from "./flags.ts";
import type { FlagValues } from "./flags.ts";
import { type EvaluationSet, partsOf } from "./evaluation.ts";
import { checkEarly } from "./early_checks.ts";
import { finish, type Results, type TrainedRun } from "./finish.ts";
import { matryoshkaOf } from "./matryoshka.ts";
import { resolveLora } from "../model/lora.ts";
import { settingsLeft } from "./recipe.ts";
import { outputFolder } from "./report_base.ts";
import type { Report } from "./report.ts";
import { model } from "../stage/roots.ts";
import {
  modelShape,
  number,
  optional,
  type Preset,
  promptsOf,
  text,
  trainingPresets,
  trainSettings,
} from "./settings.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import { evaluateModel } from "./stages/evaluate.ts";
import type { EvaluateParameters, EvaluationKind } from "./stages/evaluate_rows.ts";
import { loadPairsOrNli } from "./stages/load.ts";
import { asTriplets } from "./stages/rows.ts";
import type { RowsOf } from "./stages/loss_rows.ts";
import { trainBiEncoder } from "./stages/train.ts";

/** What is trained on what. */
export interface TrainingPlan<C extends PairRows, L extends LabelKind> {
  /** The data, as they are loaded. */
  readonly data: Effect.Effect<Artifact<CountedDataset<C>>, KindredError, Services>;
  /** What a model that was trained on such data is asked, where `--eval` says nothing else. */
  readonly kind: EvaluationKind;
  /** Rows of the loss, of data without the rows held out; a model may be used to find some of them. */
  readonly rows: (
    data: Artifact<CountedDataset<C>>,
    base: Artifact<ModelFolder>,
  ) => Effect.Effect<Artifact<Dataset<RowsOf<L>>>, KindredError, Services>;
  /** The loss. */
  readonly loss: LossSpec<L>;
  /** The model that the loss learns from, if it learns from one. */
  readonly guide?: Artifact<ModelFolder>;
  /** The name and paper of a method around it, for the card. Default: the loss's own. */
  readonly method?: string;
  /** The model to start from. Default: the one that the flags name. */
  readonly base?: Effect.Effect<Artifact<ModelFolder>, KindredError, Services>;
  /** What is told of the product beside its metrics. */
  readonly about?: (
    run: TrainedRun,
    evaluation: EvaluationSet | undefined,
  ) => Effect.Effect<Pick<Results, "tables" | "story" | "facts" | "warnings">, KindredError, Services>;
}

type PairRows = ScoredPairs | LabelledPairs | Pairs | Triplets | MarginRows;

/** Evaluates the base model, trains it, evaluates the result on the same rows, and writes the report. */
export const trainAndReport: <C extends PairRows, L extends LabelKind>(
  invocation: Invocation,
  plan: TrainingPlan<C, L>,
) => Effect.Effect<Report, KindredError, Services> = Effect.fnUntraced(
  function* <C extends PairRows, L extends LabelKind>(
    invocation: Invocation,
    { data, kind, rows, loss, method, ...plan }: TrainingPlan<C, L>,
  ) {
    const { values } = invocation;
    const output = yield* outputFolder(invocation);
    const [settings, shape] = [settingsLeft(values), modelShape(values)];
    const prompts = yield* attemptSync(() => promptsOf(values));
    const base = yield* plan.base ?? model(text(values, "model"));
    const { train, evaluation, beside, warnings } = yield* partsOf(invocation, yield* data, kind);
    const rowsOfLoss = yield* rows(train, base);
    const freeze = text(values, "freeze");
    const rowsToCheck = rowsOfLoss as Artifact<Dataset<Columns>> as Artifact<CountedDataset<Columns>>;
    yield* checkEarly({
      base,
      data: rowsToCheck,
      loss,
      prompts,
      freeze,
      lora: settings.lora && resolveLora(settings.lora),
      savesAdapter: text(values, "lora-save") === "adapter",
    });
    const matryoshka = yield* matryoshkaOf(values, base);
    const parameters = { loss, seed: number(values, "seed"), dimensions: matryoshka?.dimensions };
    const measure = (set: EvaluationSet | undefined, keepBest?: string) =>
      beforeAndAfter(set, base, shape, { ...parameters, keepBest });
    const run = yield* measure(evaluation, settings.keepBest);
    const other = yield* measure(beside);
    const trained = yield* trainBiEncoder({
      model: base,
      data: rowsOfLoss,
      loss,
      guide: plan.guide,
      ...(evaluation && { eval: evaluation.rows, evaluation: { kind: evaluation.kind } }),
      settings,
      freeze,
      dropout: optional(values, "dropout"),
      prompts,
      matryoshka,
      ...shape,
    });
    const main = yield* run(trained);
    const held = beside && (yield* other(trained));
    const about = plan.about === undefined ? {} : yield* plan.about(main, evaluation);
    const tables = [
      ...about.tables ?? [],
      ...(held ? [yield* metricsTable("Rows that were held out", held)] : []),
    ];
    return yield* finish(invocation, output, {
      data: rowsOfLoss as Artifact<CountedDataset<RowsOf<L>>>,
      evaluation,
      runs: { main },
      loss: method ?? `${loss.name} (${lossOf(loss).paper})`,
      ...about,
      warnings: [...warnings, ...about.warnings ?? []],
      ...(tables.length > 0 && { tables }),
    });
  },
);

/** Measures a model that was trained, as it measured the one before. */
export type BeforeAndAfter = (
  trained: Artifact<TrainedModel>,
  shape?: ModelShape,
) => Effect.Effect<TrainedRun, KindredError, Services>;

/**
 * Measures a base model at once, and then models that were made of it on the same rows; nothing without rows. `keepBest` is
 * refused here, before anything is trained, where no such metric is measured.
 */
export const beforeAndAfter: (
  set: EvaluationSet | undefined,
  base: Artifact<ModelFolder>,
  shape: ModelShape,
  how?: Pick<EvaluateParameters, "loss" | "dimensions"> & {
    readonly seed?: number;
    readonly keepBest?: string | undefined;
  },
) => Effect.Effect<BeforeAndAfter, KindredError, Services> = Effect.fnUntraced(
  function* (set, base, shape, { keepBest, ...how } = {}) {
    if (set === undefined) return (trained) => Effect.succeed({ model: trained });
    const { kind, rows, teacher } = set;
    const before = yield* evaluateModel({ model: base, rows, teacher }, { kind, ...how, ...shape }, "evaluate-before");
    if (keepBest !== undefined && keepBest !== "auto") {
      const { metrics } = yield* valueOf(before);
      yield* attemptSync(() => chosenMetric(metrics, keepBest));
    }
    return (trained, shape = {}) =>
      Effect.map(
        evaluateModel({ model: trained, rows, teacher }, { kind, ...how, ...shape }),
        (after) => ({ model: trained, before, after }),
      );
  },
);

/** Metrics before and after as a table. */
export const metricsTable = Effect.fnUntraced(function* (title: string, { before, after }: TrainedRun) {
  const [was, is] = [(yield* valueOf(before!)).metrics, (yield* valueOf(after!)).metrics];
  const rows = Object.keys(is).map((key) => [key, was[key] ?? null, is[key]!] as const);
  return { title, columns: ["metric", "before", "after"], rows };
});

/** The model of the multiple-negatives sample, from the cache if that pipeline has run with the same seed. */
export const sampleModel: (invocation: Invocation) => Effect.Effect<Artifact<TrainedModel>, KindredError, Services> =
  Effect.fnUntraced(function* ({ values, preset }) {
    const pretraining: FlagValues = { ...trainingPresets()[preset as Preset], seed: number(values, "seed") };
    const pairs = yield* loadPairsOrNli({ limit: optional(pretraining, "limit"), skipBadRows: false });
    const seed = number(values, "seed");
    const data = yield* asTriplets(pairs, { negatives: "contradiction", seed });
    const loss = losses.multipleNegativesRanking();
    return yield* trainBiEncoder({ model: yield* model(undefined), data, loss, settings: trainSettings(pretraining) });
  });
