/**
 * Distillation of an encoder, awaited: a smaller student, or one that understands another language.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import type { Dataset } from "../data/dataset.ts";
import { type Columns, datasetOf } from "../data/rows.ts";
import { UsageError } from "../error.ts";
import type { EmbeddingDistance } from "../loss/embed_distill.ts";
import { type BetweenWidths, teacherAndStudent } from "../pipeline/distillation.ts";
import { FLAGS } from "../pipeline/flags.ts";
import { trainStudent } from "../pipeline/stages/distill.ts";
import type { Texts } from "../pipeline/stages/load.ts";
import type { CountedDataset } from "../stage/artifact.ts";
import { given, type RunOptions } from "../stage/run.ts";
import type { Artifact } from "../stage/stage.ts";
import { type Field, oneOf } from "../train/fields.ts";
import { TRAIN_FIELDS, type TrainSettings } from "../train/settings.ts";
import { A_LIST, A_MODEL, checkTexts, checkTraining, HOLD_OUT } from "./fields.ts";
import {
  type HoldOutOption,
  type MeasuredTraining,
  type OutputOptions,
  runTraining,
  startingModel,
  trainMeasured,
} from "./training.ts";

/** Plain texts, which the student shall embed as its teacher does. */
export interface DistilledTexts {
  /** The texts. */
  readonly texts: readonly string[];
}

/** Parallel sentences: a translation shall come to where the teacher has its source. */
export interface ParallelTexts {
  /** Texts that the teacher understands. */
  readonly source: readonly string[];
  /** The same in another language, row by row. */
  readonly translation: readonly string[];
}

/** Settings of {@linkcode distillEncoder}, beside its texts. */
export interface DistillEncoderSettings extends TrainSettings, RunOptions, OutputOptions, HoldOutOption {
  /** Encoder whose embeddings are the aim: a folder or a model of the hub. */
  readonly teacher: string;
  /** Encoder that the student is made of. Default: the teacher. */
  readonly model?: string;
  /** Layers that the student keeps, from 0. Default: all. */
  readonly layers?: readonly number[];
  /** How far a student's embedding is from its teacher's. Default mse, the mean of squares. */
  readonly imitate?: EmbeddingDistance;
  /**
   * Where the teacher's embeddings are wider: they are reduced by their principal components (pca, the default), or the student
   * learns a layer to their width, which is left out in the end.
   */
  readonly between?: BetweenWidths;
}

/** What {@linkcode distillEncoder} takes. */
export type DistillEncoderInput = DistillEncoderSettings & (DistilledTexts | ParallelTexts);

const FIELDS: Readonly<Record<string, Field>> = {
  teacher: A_MODEL,
  model: A_MODEL,
  layers: A_LIST,
  texts: A_LIST,
  source: A_LIST,
  translation: A_LIST,
  imitate: oneOf(FLAGS["imitate"][0]),
  between: oneOf(FLAGS["between"][0]),
  ...HOLD_OUT,
  ...TRAIN_FIELDS,
};

/**
 * Trains a student to embed texts as its teacher does, and saves it. Texts that are held out say how near it comes
 * (`negative_mse`), translations also whether they find each other (`mean_accuracy`). Static embeddings are distilled by
 * `distill`.
 *
 * @param input Teacher, student, texts, where to save, and the settings of the training.
 * @returns The course of the training, and metrics on what was held out, before and after it.
 * @throws {UsageError} Settings that cannot be right, a student that would be its teacher, or an output folder that is not
 *   ours.
 * @throws {DatasetError} Texts that cannot be used.
 * @throws {TrainingError} The loss is not finite.
 *
 * @example
 * ```ts
 * import { distillEncoder } from "@kindred/kindred/simple";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const folder = await Deno.makeTempDir();
 * const { before, metrics } = await distillEncoder({
 *   teacher: await sampleBaseModel(), // or "sentence-transformers/all-MiniLM-L6-v2"
 *   layers: [0],
 *   texts: Array.from({ length: 30 }, (_, i) => `the boy has ${i} apples`),
 *   epochs: 10,
 *   output: `${folder}/student`,
 *   cacheDir: `${folder}/cache`,
 * });
 * assert.ok(metrics["negative_mse"]! > before["negative_mse"]!); // nearer to 0
 * ```
 */
export async function distillEncoder(input: DistillEncoderInput): Promise<MeasuredTraining> {
  checkTraining(input, FIELDS);
  const parallel = "source" in input && input.source !== undefined;
  const { teacher, model, layers, imitate, between, holdOut, ...others } = input;
  const { texts, source, translation, ...rest } = others as typeof others & Partial<DistilledTexts & ParallelTexts>;
  if (parallel === (texts !== undefined)) {
    throw new UsageError("a student learns from texts, or from sources and translations", {
      found: parallel ? "both" : "neither",
    });
  }
  if (!parallel) checkTexts(texts, "texts");
  const { output, force = false, loraSave, cacheDir, engine, progress, signal, ...settings } = rest;
  const columns: Columns = parallel ? { anchor: source!, positive: translation! } : { text: [...new Set(texts)] };
  const work = Effect.gen(function* () {
    const data = yield* given(datasetOf(columns));
    const from = yield* startingModel(teacher);
    const base = model === undefined ? from : yield* startingModel(model);
    const pair = yield* teacherAndStudent({ teacher: from, base, texts: data }, { layers, between });
    const { student, projection } = pair;
    return yield* trainMeasured({
      base: student,
      source: model ?? teacher,
      how: `as a student of another encoder, by ${imitate ?? "mse"} (Reimers & Gurevych 2020, arXiv 2004.09813)`,
      data,
      kind: parallel ? "translation" : "imitation",
      teacher: pair.teacher,
      // Embeddings of different widths have no distance.
      holdOut: projection !== undefined && !parallel ? 0 : holdOut,
      settings,
      train: (rows, heldOut) =>
        trainStudent({
          teacher: pair.teacher,
          student,
          texts: rows as Artifact<Dataset<Columns>> as Artifact<CountedDataset<Texts>>,
          eval: heldOut.eval,
        }, {
          settings,
          evaluation: heldOut.evaluation,
          distance: {
            distance: imitate ?? "mse",
            target: parallel ? "first" : "each",
            ...(projection !== undefined && { projection }),
          },
        }),
    });
  });
  const told = { output, force, loraSave, source: model ?? teacher, cacheDir, engine, progress, signal };
  return (await runTraining(work, told)).training;
}
