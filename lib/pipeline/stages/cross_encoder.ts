/**
 * cross-encoder, evaluate-cross-encoder: a judge of pairs.
 *
 * @module
 */
import { counted } from "../../counted.ts";
import { Effect } from "effect";
import { join } from "node:path";
import { attempt, attemptSync } from "../../attempt.ts";
import type { Dataset, ScoredPairs } from "../../data/dataset.ts";
import { DatasetError } from "../../error.ts";
import { predict, singleScores } from "../../evaluate/cross_encoder.ts";
import { crossEncoderClassification, crossEncoderCorrelation } from "../../evaluate/cross_encoder_metrics.ts";
import { crossEncoder as crossEncoderLosses } from "../../loss/mod.ts";
import { saveCrossEncoder } from "../../model/cross_encoder.ts";
import { tokenizeBare } from "../../text/pairs.ts";
import { crossEncoderObjective } from "../../train/cross_encoder_objective.ts";
import { emptyTextWarnings } from "../../train/empty_texts.ts";
import type { Metrics } from "../../train/record.ts";
import type { TrainSettings } from "../../train/settings.ts";
import {
  datasetFormat,
  jsonFormat,
  type ModelFolder,
  modelFormat,
  trainedFormat,
  type TrainedModel,
  writeJson,
} from "../../stage/artifact.ts";
import { TensorEngine } from "../../stage/engine.ts";
import { openCrossEncoder } from "../../stage/models.ts";
import { modelCard, shownSettings } from "../../train/model_card.ts";
import { phase } from "../../stage/progress.ts";
import { defineStage, type Stage } from "../../stage/stage.ts";
import { type Resolved, trainInto, withSettings } from "./train_into.ts";

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
}

/** What the stages of cross-encoders take. */
export interface CrossEncoderInputs {
  /** A cross-encoder, or an encoder that becomes one. */
  readonly model: ModelFolder;
  /** Pairs with scores. */
  readonly pairs: Dataset<ScoredPairs>;
}

/** Trains a cross-encoder on scored pairs: a new head on any encoder, or a cross-encoder that goes on learning. */
export const trainCrossEncoder: Stage<CrossEncoderParameters, CrossEncoderInputs, TrainedModel> = withSettings(
  defineStage<
    Resolved<CrossEncoderParameters>,
    CrossEncoderInputs,
    TrainedModel
  >({
    name: "cross-encoder",
    version: 6, // gradients in blocks: sums of another order
    inputs: { model: modelFormat, pairs: datasetFormat<ScoredPairs>() },
    output: trainedFormat,
    computes: true,
    how: ["settings.saveSteps", "settings.loggingSteps"],
    draws: true,
    run: Effect.fnUntraced(function* ({ parameters, inputs, scratch }) {
      const { settings, head, maxSeqLength, freeze } = parameters;
      yield* phase("training the cross-encoder");
      const engine = yield* (yield* TensorEngine).open;
      const pairs = yield* attempt(() => inputs.pairs.read());
      const labels = yield* attemptSync(() => labelsOf(pairs.columns.score, head));
      const model = yield* openCrossEncoder(inputs.model, {
        labels: head === "classes" ? 2 : 1,
        trained: true,
        seed: settings.seed,
        maxSeqLength,
        freeze,
      });
      const { crossEntropy, binaryCrossEntropy } = crossEncoderLosses;
      const texts = yield* attempt(() =>
        Promise.all(
          [pairs.columns.sentence1, pairs.columns.sentence2].map((column) => tokenizeBare(model.tokenizer, column)),
        )
      );
      const loss = head === "classes" ? crossEntropy() : binaryCrossEntropy();
      const card = modelCard({
        kind: "cross-encoder",
        title: "A cross-encoder",
        story: `Trained by Kindred on ${counted(pairs.rows, "pair")}, with the loss \`${loss.name}\` (${loss.paper}).`,
        settings: shownSettings(settings),
      });
      yield* trainInto(scratch, engine, {
        objective: yield* attemptSync(() => crossEncoderObjective({ model, loss, texts, labels })),
        settings,
        warnings: emptyTextWarnings({ sentence1: pairs.columns.sentence1, sentence2: pairs.columns.sentence2 }),
        save: (folder) => saveCrossEncoder(engine, model, folder, card),
      });
    }),
  }),
);

function labelsOf(score: Float64Array, head: CrossEncoderParameters["head"]): Int32Array | Float32Array {
  const bad = score.findIndex((value) => head === "classes" ? value !== 0 && value !== 1 : !(value >= 0 && value <= 1));
  if (bad < 0) return head === "classes" ? Int32Array.from(score) : Float32Array.from(score);
  throw new DatasetError("a score does not fit the cross-encoder", {
    where: `row ${bad + 1}`,
    expected: head === "classes" ? "0 or 1" : "0 … 1",
    found: `${score[bad]}`,
    hint: head === "classes"
      ? "--silver-labels soft takes scores between 0 and 1"
      : "divide scores by their highest grade",
  });
}

/**
 * How good a judge it is on pairs with known scores: of 0 and 1, accuracy, F1 and average precision; of graded ones, the
 * correlations.
 */
export const evaluateCrossEncoder: Stage<Record<never, never>, CrossEncoderInputs, Metrics> = defineStage<
  Record<never, never>,
  CrossEncoderInputs,
  Metrics
>({
  name: "evaluate-cross-encoder",
  version: 2, // exactly the reference's tokens
  inputs: { model: modelFormat, pairs: datasetFormat<ScoredPairs>() },
  output: jsonFormat<Metrics>("metrics.json"),
  computes: true,
  run: Effect.fnUntraced(function* ({ inputs, scratch }) {
    yield* phase("evaluating the cross-encoder");
    const engine = yield* (yield* TensorEngine).open;
    const model = yield* openCrossEncoder(inputs.model);
    yield* attempt(async () => {
      const { columns } = await inputs.pairs.read();
      const graded = columns.score.some((value) => value !== 0 && value !== 1);
      const scores = await predict(engine, model, columns.sentence1, columns.sentence2, { softmax: graded });
      await writeJson(
        join(scratch, "metrics.json"),
        graded
          ? crossEncoderCorrelation({ data: singleScores(scores), width: 1, rows: scores.rows }, columns.score)
          : crossEncoderClassification(scores, columns.score),
      );
    });
  }),
});
