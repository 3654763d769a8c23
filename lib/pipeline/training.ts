/**
 * What the pipelines that train a bi-encoder have in common: evaluate → train → evaluate → report.
 *
 * @module
 */
import { Effect } from "effect";
import type { Dataset } from "../data/dataset.ts";
import type { KindredError } from "../error.ts";
import type { LabelKind } from "../loss/loss.ts";
import { losses, type LossSpec } from "../loss/named.ts";
import type { CountedDataset, ModelFolder, TrainedModel } from "../stage/artifact.ts";
import type { Invocation } from "./flags.ts";
import type { FlagValues } from "./flags.ts";
import { finish, outputFolder } from "./finish.ts";
import type { Report } from "./report.ts";
import { model } from "../stage/roots.ts";
import {
  evalSource,
  modelShape,
  number,
  optional,
  type Preset,
  text,
  trainingPresets,
  trainSettings,
} from "./settings.ts";
import type { Artifact, Services } from "../stage/stage.ts";
import { evaluateSimilarity } from "./stages/evaluate.ts";
import { loadPairsOrNli, loadScoredPairs } from "./stages/load.ts";
import { asTriplets } from "./stages/rows.ts";
import { type RowsOf, trainBiEncoder } from "./stages/train.ts";

/** What is trained on what. */
export interface TrainingPlan<L extends LabelKind> {
  /** Rows of the loss, for a model that may be used to find some of them. */
  readonly rows: (base: Artifact<ModelFolder>) => Effect.Effect<Artifact<Dataset<RowsOf<L>>>, KindredError, Services>;
  /** The loss. */
  readonly loss: LossSpec<L>;
  /** The model to start from. Default: the one that the flags name. */
  readonly base?: Effect.Effect<Artifact<ModelFolder>, KindredError, Services>;
}

/** Evaluates the base model, trains it, evaluates the result on the same pairs, and writes the report. */
export const trainAndReport: <L extends LabelKind>(
  invocation: Invocation,
  plan: TrainingPlan<L>,
) => Effect.Effect<Report, KindredError, Services> = Effect.fnUntraced(
  function* <L extends LabelKind>(invocation: Invocation, { rows, loss, ...plan }: TrainingPlan<L>) {
    const { values } = invocation;
    const output = yield* outputFolder(invocation);
    const shape = modelShape(values);
    const base = yield* plan.base ?? model(text(values, "model"));
    const data = yield* rows(base);
    const pairs = yield* loadScoredPairs(evalSource(invocation));
    const before = yield* evaluateSimilarity({ model: base, pairs }, shape, "evaluate-before");
    const trained = yield* trainBiEncoder({
      model: base,
      data,
      loss,
      eval: pairs,
      settings: trainSettings(values),
      freeze: text(values, "freeze"),
      ...shape,
    });
    const after = yield* evaluateSimilarity({ model: trained, pairs }, {});
    return yield* finish(invocation, output, {
      data: data as Artifact<CountedDataset<RowsOf<L>>>,
      pairs,
      runs: { main: { model: trained, before, after } },
    });
  },
);

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
