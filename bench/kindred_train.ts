/**
 * Kindred's side of the trainings of bench/all.ts.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import type { Engine } from "../lib/engine/engine.ts";
import type { EngineChoice } from "../lib/engine/select.ts";
import { losses, multipleNegativesRanking } from "../lib/loss/mod.ts";
import { loadBiEncoder } from "../lib/model/bi_encoder.ts";
import { loadDenoisingDecoder } from "../lib/model/denoising_decoder.ts";
import { asTriplets, loadLabelledPairs, trainBiEncoder } from "../lib/pipeline/mod.ts";
import { TensorEngine } from "../lib/stage/engine.ts";
import { Progress } from "../lib/stage/progress.ts";
import { model } from "../lib/stage/roots.ts";
import { StageRunner } from "../lib/stage/stage.ts";
import { tokenize } from "../lib/text/tokenizer.ts";
import { biEncoderObjective } from "../lib/train/bi_encoder_objective.ts";
import { denoisingObjective } from "../lib/train/denoising_objective.ts";
import type { Objective } from "../lib/train/objective.ts";
import { train } from "../lib/train/trainer.ts";
import { peakBytes, type Told } from "./measure.ts";

/** A training to be timed. */
export interface TimedTraining {
  readonly model: string;
  /** JSON file of columns of texts: anchor and positive, or original. */
  readonly rows: string;
  readonly loss: "mnr" | "tsdae";
  readonly batchSize: number;
  readonly steps: number;
  /** Steps before the clock runs. */
  readonly warm: number;
  /** Tokens of a text at most. */
  readonly length: number | undefined;
}

/** Samples per second of the steps after the first, and of tokenising as many: that is done before, by theirs on the way. */
export async function timeTraining(engine: Engine, task: TimedTraining): Promise<Omit<Told, "by">> {
  const { batchSize, steps, warm } = task;
  const { objective, tokenSeconds } = await objectiveOf(engine, task);
  let [started, seconds] = [performance.now(), 0];
  const settings = {
    maxSteps: steps,
    batchSize,
    learningRate: 5e-5,
    warmupSteps: warm,
    loggingSteps: steps,
    saveSteps: steps + 1,
  };
  await Effect.runPromise(train(engine, objective, settings, {
    onStep: ({ step }) =>
      Effect.sync(() => {
        if (step === warm) started = performance.now();
        else if (step === steps) seconds = (performance.now() - started) / 1000;
      }),
  }));
  const tokens = objective.tokens(Int32Array.from({ length: objective.rows }, (_, row) => row)) / objective.rows;
  const samples = batchSize * (steps - warm);
  const rate = samples / (seconds + tokenSeconds * samples / objective.rows);
  return { rate, peak_bytes: peakBytes(), tokens, folder: task.model };
}

async function objectiveOf(
  engine: Engine,
  { model: folder, rows, loss, batchSize, length }: TimedTraining,
): Promise<{ readonly objective: Objective; readonly tokenSeconds: number }> {
  const columns: Record<string, string[]> = JSON.parse(await Deno.readTextFile(rows));
  const whole = Object.values(columns)[0]!.length;
  for (const column of Object.values(columns)) column.length = whole - whole % batchSize; // every batch is a full one
  if (loss === "tsdae") {
    const model = await loadBiEncoder(engine, folder, {
      trained: true,
      pooling: "cls",
      pooledOnly: true,
      maxSeqLength: length,
    });
    const decoder = await loadDenoisingDecoder(engine, model, folder, { seed: 42 });
    const texts = columns["original"]!;
    const started = performance.now();
    const targets = await tokenize(decoder.tokenizer, texts, { maxLength: model.maxSeqLength });
    const tokenSeconds = (performance.now() - started) / 1000;
    return { objective: denoisingObjective({ model, decoder, texts, targets }), tokenSeconds };
  }
  const model = await loadBiEncoder(engine, folder, { trained: true, maxSeqLength: length });
  const tokens = (texts: readonly string[]) => tokenize(model.tokenizer, texts, { maxLength: model.maxSeqLength });
  const started = performance.now();
  const texts = [await tokens(columns["anchor"]!), await tokens(columns["positive"]!)];
  const tokenSeconds = (performance.now() - started) / 1000;
  return { objective: biEncoderObjective({ model, loss: multipleNegativesRanking(), head: {}, texts }), tokenSeconds };
}

/** When the first step of the pipeline's stages began and was done: the rows and their tokens are in the cache after the first time. */
export async function firstStep(
  choice: EngineChoice,
  task: { model: string; train: string; cache: string },
): Promise<Omit<Told, "by">> {
  const work = Effect.gen(function* () {
    const base = yield* model(task.model);
    const data = yield* asTriplets(yield* loadLabelledPairs({ from: task.train }), { negatives: "none", seed: 42 });
    // A seed of its own: this training itself is not in the cache.
    const settings = { maxSteps: 1000, seed: Date.now() % 2 ** 31 };
    yield* trainBiEncoder({ model: base, data, loss: losses.multipleNegativesRanking(), settings });
  });
  type FirstStep = { readonly first_step_begun: number; readonly first_step_at: number };
  const { promise, resolve } = Promise.withResolvers<FirstStep>();
  const told = (seconds: number) =>
    resolve({ first_step_begun: Date.now() - 1000 * seconds, first_step_at: Date.now() });
  const layer = Layer.mergeAll(StageRunner.layer({ cacheDir: task.cache }), TensorEngine.layer(choice)).pipe(
    Layer.provideMerge(Progress.layer((event) => event._tag === "step" && told(event.seconds))),
  );
  const run = Effect.runPromise(Effect.provide(work, layer, { local: true }));
  const none = run.then((): FirstStep => {
    throw new Error("the training made no step");
  });
  return { ...await Promise.race([promise, none]), peak_bytes: peakBytes() };
}
