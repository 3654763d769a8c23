/**
 * cross-encoder: a judge of pairs, or of lists, is trained.
 *
 * @module
 */
import { counted } from "../../counted.ts";
import * as Effect from "effect/Effect";
import { attempt, attemptSync } from "../../attempt.ts";
import type { Dataset, LabelledPairs, ScoredPairs } from "../../data/dataset.ts";
import type { Columns } from "../../data/rows.ts";
import type { KindredError } from "../../error.ts";
import {
  type CrossEncoderLabel,
  crossEncoderLosses,
  type CrossEncoderLossSpec,
} from "../../loss/cross_encoder/named.ts";
import { saveCrossEncoder } from "../../model/cross_encoder.ts";
import { resolveSettings, type TrainSettings } from "../../train/settings.ts";
import {
  datasetFormat,
  type ModelFolder,
  modelFormat,
  trainedFormat,
  type TrainedModel,
} from "../../stage/artifact.ts";
import { TensorEngine } from "../../stage/engine.ts";
import { openCrossEncoder } from "../../stage/models.ts";
import { modelCard, shownSettings } from "../../train/model_card.ts";
import { phase } from "../../stage/progress.ts";
import { type Artifact, defineStage, type Services, type Stage } from "../../stage/stage.ts";
import { judged, judgeMetric, type RelevanceParameters } from "./judge_metrics.ts";
import { type CrossEncoderRowsOf, fitRows } from "./judge_rows.ts";
import { type Resolved, trainInto } from "./train_into.ts";

/** What a training of a cross-encoder has beside its rows. */
export interface JudgeParameters extends RelevanceParameters {
  /** Hyper-parameters. */
  readonly settings: TrainSettings;
  /** The loss. */
  readonly loss: CrossEncoderLossSpec;
  /** Instead of the model's own limit. */
  readonly maxSeqLength?: number | undefined;
  /** See `trainedBy`. */
  readonly freeze?: string | undefined;
  /** Puts a new head on a cross-encoder, whose classes are others. Default false. */
  readonly newHead?: boolean | undefined;
}

interface JudgeInputs {
  readonly model: ModelFolder;
  readonly data: Dataset<Columns>;
  readonly eval?: Dataset<Columns>;
}

const trainStage = defineStage<Resolved<JudgeParameters>, JudgeInputs, TrainedModel>({
  name: "cross-encoder",
  version: 11, // padding that stands in a text trains no row of a table
  inputs: { model: modelFormat, data: datasetFormat<Columns>(), eval: datasetFormat<Columns>() },
  output: trainedFormat,
  computes: true,
  how: ["settings.saveSteps", "settings.loggingSteps"],
  draws: true,
  run: Effect.fnUntraced(function* ({ parameters, inputs, scratch }) {
    const { settings, maxSeqLength, freeze, relevantFrom, newHead } = parameters;
    yield* phase("training the cross-encoder");
    const engine = yield* (yield* TensorEngine).open;
    const data = yield* attempt(() => inputs.data.read());
    const { loss, classes, rows, warnings } = yield* attemptSync(() => fitRows(parameters.loss, data));
    const model = yield* openCrossEncoder(inputs.model, {
      labels: classes,
      trained: true,
      seed: settings.seed,
      maxSeqLength,
      freeze,
      newHead,
      lora: settings.lora,
    });
    const objective = yield* attempt(async () => await rows(model));
    const held = inputs.eval && (yield* attempt(() => inputs.eval!.read()));
    const card = modelCard({
      kind: "cross-encoder",
      title: "A cross-encoder",
      story: `Trained by Kindred on ${
        counted(objective.rows, loss.label === "list" ? "list" : "pair")
      }, with the loss \`${loss.name}\` (${loss.paper}).`,
      settings: shownSettings(settings),
    });
    yield* trainInto(scratch, engine, {
      objective,
      settings,
      warnings,
      evaluate: held && attempt(async () => (await judged(engine, model, held, { relevantFrom })).metrics),
      metrics: inputs.eval && [yield* judgeMetric(inputs.eval), ...(model.labels > 1 ? ["f1_macro"] : [])],
      save: (folder) => saveCrossEncoder(engine, model, folder, card),
    });
  }),
});

/** What {@linkcode trainJudge} takes. */
export interface TrainJudge<L extends CrossEncoderLabel> extends Omit<JudgeParameters, "loss"> {
  /** A cross-encoder, or an encoder that becomes one. */
  readonly model: Artifact<ModelFolder>;
  /** Rows that fit the loss: another kind of rows is a compile error. */
  readonly data: Artifact<Dataset<CrossEncoderRowsOf<L>>>;
  /** The loss, from `crossEncoder.losses`. */
  readonly loss: CrossEncoderLossSpec<L>;
  /**
   * Rows to evaluate on while training, where `evalSteps`, `keepBest` or `patience` are set: pairs with a score or a class,
   * or lists.
   */
  readonly eval?: Artifact<Dataset<Columns>> | undefined;
  /** The name that reports show. */
  readonly as?: string | undefined;
}

/**
 * Trains a cross-encoder under any of its losses: a new head on any encoder, or a cross-encoder that goes on learning. A
 * run that was cut off goes on where its last checkpoint was.
 */
export const trainJudge: <L extends CrossEncoderLabel>(
  options: TrainJudge<L>,
) => Effect.Effect<Artifact<TrainedModel>, KindredError, Services> = Effect.fnUntraced(
  function* <L extends CrossEncoderLabel>({ model, data, loss, eval: rows, as, ...chosen }: TrainJudge<L>) {
    const { maxSeqLength, freeze, relevantFrom, newHead } = chosen;
    const resolved = yield* attemptSync(() => resolveSettings(chosen.settings));
    const { evalSteps, keepBest, patience } = resolved;
    const watched = rows !== undefined && (evalSteps ?? keepBest ?? patience) !== undefined;
    const chooses = keepBest === "auto" || (keepBest === undefined && patience !== undefined);
    const settings = watched && chooses ? { ...resolved, keepBest: yield* judgeMetric(rows) } : resolved;
    const spec = { name: loss.name, ...(loss.options !== undefined && { options: loss.options }) };
    return yield* trainStage(
      { model, data: data as Artifact<Dataset<Columns>>, ...(watched && { eval: rows }) },
      {
        settings,
        loss: spec,
        ...(maxSeqLength !== undefined && { maxSeqLength }),
        ...(freeze !== undefined && { freeze }),
        ...(newHead === true && { newHead }),
        ...(watched && relevantFrom !== undefined && { relevantFrom }),
      },
      as,
    );
  },
);

/** Settings of {@linkcode trainCrossEncoder}. */
export interface CrossEncoderParameters {
  /** Hyper-parameters. */
  readonly settings: TrainSettings;
  /**
   * `classes`: two classes, 1 for similar, by cross-entropy, as the chapter has it; scores must be 0 and 1. `score`: one
   * score in [0, 1], by binary cross-entropy.
   */
  readonly head: "classes" | "score";
  /** Instead of the model's own limit. */
  readonly maxSeqLength?: number | undefined;
  /** See `trainedBy`. */
  readonly freeze?: string | undefined;
  /** Puts a new head on a cross-encoder, whose classes are others. Default false. */
  readonly newHead?: boolean | undefined;
  /** Pairs to evaluate on while training, where `evalSteps`, `keepBest` or `patience` are set. */
  readonly eval?: Artifact<Dataset<ScoredPairs>> | undefined;
}

/** What the stages of cross-encoders take. */
export interface CrossEncoderInputs {
  /** A cross-encoder, or an encoder that becomes one. */
  readonly model: ModelFolder;
  /** Pairs with scores. */
  readonly pairs: Dataset<ScoredPairs>;
}

/** Trains a cross-encoder on scored pairs by the loss of its head; {@linkcode trainJudge} takes any other. */
export const trainCrossEncoder: Stage<CrossEncoderParameters, CrossEncoderInputs, TrainedModel> = Effect.fnUntraced(
  function* ({ model, pairs }, { head, eval: held, ...parameters }, as) {
    const rows = held as Artifact<Dataset<Columns>> | undefined;
    if (head === "score") {
      return yield* trainJudge({
        model,
        data: pairs,
        loss: crossEncoderLosses.binaryCrossEntropy(),
        eval: rows,
        as,
        ...parameters,
      });
    }
    const data = pairs as unknown as Artifact<Dataset<LabelledPairs>>; // scores of 0 and 1 are classes
    return yield* trainJudge({ model, data, loss: crossEncoderLosses.crossEntropy(), eval: rows, as, ...parameters });
  },
);
