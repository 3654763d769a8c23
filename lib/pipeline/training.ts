/**
 * What the training pipelines have in common: load → prepare → train → evaluate, each a cached stage.
 *
 * @module
 */
import { Effect } from "effect";
import { parquetWriteBuffer } from "hyparquet-writer";
import { join, resolve } from "node:path";
import { attempt } from "../attempt.ts";
import { asLabelledPairs, asPairsOrTriplets, asScoredPairs, parseColumns } from "../data/columns.ts";
import type { Column, Dataset, LabelledPairs, ScoredPairs } from "../data/dataset.ts";
import { sampleBaseModel } from "../data/sample/base.ts";
import { sampleNli, sampleSts } from "../data/sample/mod.ts";
import { resolveSource } from "../data/source.ts";
import { readTable, type Table } from "../data/table.ts";
import { createCpuEngine } from "../engine/cpu/engine.ts";
import { type GemmChoice, openNativeGemm } from "../engine/cpu/native_gemm.ts";
import type { Engine, EngineInfo, PoolingMode } from "../engine/engine.ts";
import { type EngineChoice, type EngineName, selectEngine } from "../engine/select.ts";
import { type KindredError, TrainingError, UsageError } from "../error.ts";
import { spearman } from "../evaluate/correlation.ts";
import { encodeTokens } from "../evaluate/encode.ts";
import { jaccard, tfidfCosine } from "../evaluate/overlap.ts";
import { pairwiseSimilarities } from "../evaluate/pairwise.ts";
import { similarityMetrics } from "../evaluate/similarity.ts";
import { fetchSnapshot, modelFiles } from "../hub/snapshot.ts";
import type { Loss } from "../loss/loss.ts";
import { type BiEncoder, freeBiEncoder, loadBiEncoder, saveBiEncoder } from "../model/bi_encoder.ts";
import { parameter, type Parameters, type Tensor } from "../tensor/tensor.ts";
import { tokenize } from "../text/tokenizer.ts";
import { biEncoderObjective } from "../train/bi_encoder_objective.ts";
import type { Metrics, TrainingRecord } from "../train/record.ts";
import type { ScheduleKind } from "../train/schedule.ts";
import { train, type TrainSettings } from "../train/trainer.ts";
import { writeSafetensors } from "../checkpoint/safetensors.ts";
import { type Artifact, type Json, keyOfFiles, StageRunner } from "./cache.ts";
import type { Command } from "./command.ts";
import type { Flag, FlagValues } from "./flags.ts";
import { TRAINING } from "./flags.ts";
import { modelCard } from "./model_card.ts";
import { Progress } from "./progress.ts";
import { type PageData, type Report, reportPage, summary, type TrainingReport } from "./report.ts";

/** A pipeline that trains a bi-encoder under one loss. */
export interface TrainingPipeline {
  /** As its file is called. */
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** Flags beside those of every training. */
  readonly flags?: readonly Flag[];
  /** Changes of the common presets. */
  readonly presets?: Readonly<Record<string, FlagValues>>;
  /** The loss. */
  readonly loss: (values: FlagValues) => Loss;
  /** From NLI pairs to rows of the loss. Its name is that of the stage. */
  readonly prepare: {
    readonly stage: string;
    readonly run: (pairs: Dataset<LabelledPairs>, values: FlagValues) => Dataset;
    /** Flags that it depends on. */
    readonly flags: readonly Flag[];
  };
}

const DEFAULTS: FlagValues = {
  "seed": 42,
  "engine": "auto",
  "gemm": "auto",
  "precision": "fp32",
  "epochs": 1,
  "batch-size": 32,
  "accumulate": 1,
  "learning-rate": 5e-5,
  "schedule": "linear",
  "warmup-steps": 100,
  "weight-decay": 0,
  "clip": 1,
  "logging-steps": 100,
  "save-steps": 500,
};
const CHAPTER: FlagValues = {
  ...DEFAULTS,
  "model": "google-bert/bert-base-uncased",
  "train": "nyu-mll/glue/mnli#train",
  "limit": 50_000,
  "eval": "nyu-mll/glue/stsb#validation",
  "eval-steps": 100,
};
const SAMPLE: FlagValues = {
  ...DEFAULTS,
  "learning-rate": 1e-3,
  "epochs": 2,
  "warmup-steps": 50,
  "logging-steps": 20,
};
const TEST: FlagValues = {
  ...SAMPLE,
  "limit": 600,
  "max-steps": 8,
  "batch-size": 16,
  "warmup-steps": 2,
  "logging-steps": 2,
};

/** The command of a training pipeline. */
export function trainingCommand(pipeline: TrainingPipeline): Command {
  const presets = Object.fromEntries(
    Object.entries({ sample: SAMPLE, chapter: CHAPTER, test: TEST }).map((
      [preset, values],
    ) => [preset, { ...values, ...pipeline.presets?.[preset] }]),
  );
  return {
    name: pipeline.name,
    summary: pipeline.summary,
    flags: [...TRAINING, ...pipeline.flags ?? []],
    presets,
    run: (values, operands, args) => runTraining(pipeline, values, operands, args),
    print: summary as (report: never) => string,
  };
}

const number = (values: FlagValues, flag: Flag): number => values[flag] as number;
const text = (values: FlagValues, flag: Flag): string | undefined => values[flag] as string | undefined;

/** Runs the pipeline; the result is the report. */
export const runTraining: (
  pipeline: TrainingPipeline,
  values: FlagValues,
  operands: readonly string[],
  args: readonly string[],
) => Effect.Effect<Report, KindredError, StageRunner | Progress> = Effect.fnUntraced(
  function* (pipeline, values, operands, args) {
    const runner = yield* StageRunner;
    const progress = yield* Progress;
    const warnings: string[] = [];
    const preset = text(values, "preset") ?? "sample";
    const seed = number(values, "seed");
    if (operands.length > 0) {
      return yield* Effect.fail(new UsageError("this command takes flags only", { found: operands.join(" ") }));
    }
    const sample = preset !== "chapter";
    if (sample && (values["train"] !== undefined || values["eval"] !== undefined) && values["model"] === undefined) {
      return yield* Effect.fail(
        new UsageError("the sample's base model knows only the sample's words", {
          hint: "add --model sentence-transformers/all-MiniLM-L6-v2",
        }),
      );
    }
    const output = resolve(text(values, "output") ?? join("kindred", pipeline.name));
    yield* attempt(() => checkOutput(output, values["force"] === true));
    const engines = yield* attempt(() => lazyEngine(values));
    const { info } = engines;
    const computes: Json = {
      engine: info.name,
      gemm: info.gemm,
      library: info.library,
      precision: info.precision,
      ...(info.gemm !== "wasm" && { threads: info.threads }),
    };
    const loss = pipeline.loss(values);

    const work = Effect.gen(function* () {
      // --- what goes in --------------------------------------------------------------------------------------------
      progress.note("loading");
      const model = yield* attempt(() => resolveModel(text(values, "model")));
      const trainSource = yield* attempt(() => resolveData(text(values, "train"), () => "sample-nli@1"));
      const evalSource = yield* attempt(() => resolveData(text(values, "eval"), () => "sample-sts@1"));
      const mapping = values["columns"] === undefined ? {} : parseColumns(text(values, "columns")!);
      const tableOptions = {
        limit: values["limit"] as number | undefined,
        skipBadRows: values["skip-bad-rows"] === true,
      };

      const prepared = yield* runner.run({
        name: pipeline.prepare.stage,
        version: 1,
        parameters: {
          pipeline: pipeline.prepare.stage,
          limit: tableOptions.limit ?? null,
          skipBadRows: tableOptions.skipBadRows,
          columns: mapping,
          seed,
          loss: loss.name,
          ...Object.fromEntries(pipeline.prepare.flags.map((flag) => [flag, values[flag] ?? null])),
        },
        inputs: { train: trainSource.key },
      }, (scratch) =>
        attempt(async () => {
          const { dataset, dropped } = await loadTraining(
            pipeline,
            values,
            loss,
            trainSource.paths,
            mapping,
            tableOptions,
          );
          await writeDataset(scratch, dataset, dropped);
        }));
      const evaluation = yield* runner.run(
        {
          name: "load",
          version: 1,
          parameters: { columns: mapping, preset: preset === "test" ? "test" : "" },
          inputs: { eval: evalSource.key },
        },
        (scratch) =>
          attempt(async () => {
            const pairs = evalSource.paths === undefined
              ? sampleSts(preset === "test" ? { rows: 200 } : {})
              : asScoredPairs(await readTables(evalSource.paths), mapping);
            await writeDataset(scratch, pairs, 0);
          }),
      );

      // --- before, train, after ------------------------------------------------------------------------------------
      const pooling = text(values, "pooling") as PoolingMode | undefined;
      const load = { pooling, maxSeqLength: values["max-seq-length"] as number | undefined };
      const shape: Json = { pooling: pooling ?? null, maxSeqLength: load.maxSeqLength ?? null };
      const evaluate = (name: string, modelKey: string, folder: string) =>
        runner.run({
          name,
          version: 1,
          parameters: { shape, computes },
          inputs: { model: modelKey, eval: evaluation.key },
        }, (scratch) =>
          attempt(async () => {
            progress.note(name);
            const engine = await engines.open();
            const pairs = await readScored(evaluation);
            const biEncoder = await loadBiEncoder(engine, folder, load);
            const { metrics, similarities } = await evaluatePairs(engine, biEncoder, pairs);
            freeBiEncoder(engine, biEncoder);
            await Deno.writeTextFile(
              join(scratch, "metrics.json"),
              JSON.stringify({ metrics, similarities: [...similarities] }),
            );
          }));
      const before = yield* evaluate("evaluate-before", model.key, model.folder);

      const settings = trainSettings(values);
      const trained = yield* runner.run({
        name: "train",
        version: 1,
        parameters: {
          settings: JSON.parse(JSON.stringify(settings)),
          loss: { name: loss.name, ...loss.options },
          freeze: text(values, "freeze") ?? null,
          shape,
          computes,
        },
        inputs: {
          model: model.key,
          data: prepared.key,
          ...(settings.evalSteps !== undefined && { eval: evaluation.key }),
        },
      }, (scratch) =>
        Effect.gen(function* () {
          progress.note("training");
          const engine = yield* attempt(() => engines.open());
          const biEncoder = yield* attempt(() =>
            loadBiEncoder(engine, model.folder, { ...load, trained: true, freeze: text(values, "freeze") })
          );
          const data = yield* attempt(() => readDataset(prepared));
          const head = makeHead(engine, loss, biEncoder.width, seed);
          const objective = yield* attempt(() => objectiveOf(biEncoder, loss, head, data));
          const pairs = yield* attempt(() => readScored(evaluation));
          const record = yield* train(engine, objective, settings, {
            folder: join(scratch, "checkpoint"),
            onStep: (step) => Effect.sync(() => progress.step(step)),
            evaluate: settings.evalSteps === undefined && settings.keepBest === undefined
              ? undefined
              : attempt(() => evaluatePairs(engine, biEncoder, pairs).then(({ metrics }) => metrics)),
          });
          yield* attempt(async () => {
            const card = modelCard({ pipeline: pipeline.name, base: model.name, loss, rows: data.rows, values });
            await saveBiEncoder(engine, biEncoder, join(scratch, "model"), card);
            if (Object.keys(head).length > 0) await saveHead(engine, join(scratch, "head.safetensors"), head);
            await Deno.writeTextFile(join(scratch, "training.json"), JSON.stringify(record));
            await Deno.remove(join(scratch, "checkpoint"), { recursive: true }).catch(() => {});
          });
        }));
      const after = yield* evaluate("evaluate", trained.key, join(trained.folder, "model"));

      // --- what comes out ------------------------------------------------------------------------------------------
      return yield* attempt(async () => {
        const record: TrainingRecord = JSON.parse(await Deno.readTextFile(join(trained.folder, "training.json")));
        const [first, last] = [await readEvaluation(before), await readEvaluation(after)];
        const [data, pairs] = [await readDataset(prepared), await readScored(evaluation)];
        const { sentence1, sentence2, score } = pairs.columns;
        if (last.metrics["spearman_cosine"]! < first.metrics["spearman_cosine"]!) {
          warnings.push("training made the model worse on the evaluation pairs");
        }
        if (settings.keepBest !== undefined) {
          warnings.push("the best checkpoint was chosen on the same pairs that the report is about");
        }
        if (sample && preset === "test") {
          warnings.push("the test preset shows that everything runs; its numbers mean nothing");
        }
        const training = trainingReport(record, trained.cached);
        const metrics = last.metrics;
        const productModel = join(output, "model");
        const report: Report = {
          schema: "kindred-report/1",
          pipeline: pipeline.name,
          preset,
          command: `${pipeline.name} ${args.join(" ")}`.trim(),
          seed,
          engine: info,
          data: {
            train: { source: text(values, "train") ?? "sample", rows: data.rows, dropped: data.dropped },
            eval: { source: text(values, "eval") ?? "sample", rows: pairs.rows, dropped: 0 },
          },
          baseline: {
            jaccard: spearman(jaccard(sentence1, sentence2), score),
            tfidf: spearman(tfidfCosine(sentence1, sentence2), score),
          },
          stages: runner.executed.map(({ name, key, cached, seconds }) => ({ name, key, cached, seconds })),
          training,
          before: first.metrics,
          metrics,
          model: productModel,
          runs: { main: { role: "product", training, before: first.metrics, metrics, model: productModel } },
          evaluations: record.evaluations,
          warnings,
        };
        const known = new Set(Object.values(data.columns).flatMap((column) => isTexts(column) ? column : []));
        const page: PageData = {
          pairs: sentence1.map((text, i) => ({
            first: text,
            second: sentence2[i]!,
            gold: score[i]!,
            before: first.similarities[i]!,
            after: last.similarities[i]!,
          })),
          leaks: [...new Set([...sentence1, ...sentence2])].filter((text) => known.has(text)),
        };
        await writeOutput(output, report, page, join(trained.folder, "model"));
        return report;
      });
    });
    return yield* work.pipe(Effect.ensuring(Effect.sync(() => engines.close())));
  },
);

// --- engine -----------------------------------------------------------------------------------------------------------

const threadsOf = (values: FlagValues): number =>
  (values["threads"] as number | undefined) ?? navigator.hardwareConcurrency;

/** The flags as an engine. */
function choiceOf(values: FlagValues): EngineChoice {
  return {
    engine: text(values, "engine") as EngineName,
    gemm: text(values, "gemm") as GemmChoice,
    threads: threadsOf(values),
    precision: text(values, "precision") as "fp32",
    deterministic: values["deterministic"] === true,
  };
}

/** An engine that starts when the first stage needs it: a run from the cache needs none. */
interface LazyEngine {
  /** What it is, or will be. */
  readonly info: EngineInfo;
  readonly open: () => Promise<Engine>;
  readonly close: () => void;
}

async function lazyEngine(values: FlagValues): Promise<LazyEngine> {
  const choice = choiceOf(values);
  const { engine: name = "auto", gemm = "auto", deterministic, precision } = choice;
  if ((name !== "auto" && name !== "cpu") || precision !== "fp32") {
    // Others start at once: what they are is known only then.
    const { engine } = await selectEngine(choice);
    return { info: engine.info, open: () => Promise.resolve(engine), close: () => engine.close() };
  }
  const threads = threadsOf(values);
  const native = openNativeGemm({ gemm: deterministic ? "wasm" : gemm, threads }).gemm;
  let engine: Engine | undefined;
  return {
    info: {
      name: "cpu",
      backend: "wasm",
      device: `${Deno.build.arch}, ${threads} threads`,
      gemm: native?.name ?? "wasm",
      library: native?.version ?? "",
      threads,
      precision: "fp32",
    },
    open: () => Promise.resolve(engine ??= createCpuEngine({ threads, gemm: native })),
    close: () => engine === undefined ? native?.close() : engine.close(),
  };
}

// --- data -------------------------------------------------------------------------------------------------------------

async function resolveModel(source: string | undefined): Promise<{ folder: string; key: string; name: string }> {
  if (source === undefined) {
    const folder = sampleBaseModel();
    return { folder, key: await keyOfFiles([folder]), name: "the sample's base model" };
  }
  const local = await Deno.stat(source).then(({ isDirectory }) => isDirectory, () => false);
  if (local || !/^(hub:)?[\w.-]+\/[\w.-]+(@[\w./-]+)?$/.test(source)) {
    return { folder: source, key: await keyOfModel(source), name: source };
  }
  const [id, revision = "main"] = source.replace(/^hub:/, "").split("@");
  const { folder, commit } = await fetchSnapshot({ kind: "model", id: id!, revision }, { wanted: modelFiles });
  return { folder, key: commit, name: id! };
}

async function keyOfModel(folder: string): Promise<string> {
  try {
    return await keyOfFiles([folder]);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UsageError("there is no such model", {
      found: folder,
      hint: "name a folder, or a model of the hub as owner/name",
    });
  }
}

async function resolveData(
  source: string | undefined,
  sampleKey: () => string,
): Promise<{ paths: readonly string[] | undefined; key: string }> {
  if (source === undefined) return { paths: undefined, key: sampleKey() };
  const { paths, version } = await resolveSource(source);
  try {
    return { paths, key: version ?? await keyOfFiles(paths) };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new UsageError("there is no such data", {
      found: source,
      hint: "name a file, a folder, or owner/name/config#split",
    });
  }
}

async function readTables(
  paths: readonly string[],
  options: { limit?: number | undefined; skipBadRows?: boolean } = {},
): Promise<Table> {
  if (paths.length === 1) return await readTable(paths[0]!, options);
  const tables: Table[] = [];
  let rows = 0;
  for (const path of paths) {
    const left = options.limit === undefined ? undefined : options.limit - rows;
    if (left === 0) break;
    tables.push(await readTable(path, { ...options, limit: left }));
    rows += tables.at(-1)!.rows;
  }
  const names = tables[0]!.names;
  return {
    names,
    columns: new Map(names.map((name) => [name, tables.flatMap((table) => table.columns.get(name) ?? [])])),
    rows,
    dropped: tables.reduce((sum, table) => sum + table.dropped, 0),
    where: (row) => tables[0]!.where(row),
  };
}

async function loadTraining(
  pipeline: TrainingPipeline,
  values: FlagValues,
  loss: Loss,
  paths: readonly string[] | undefined,
  mapping: Readonly<Record<string, string>>,
  options: { limit?: number | undefined; skipBadRows: boolean },
): Promise<{ dataset: Dataset; dropped: number }> {
  if (paths === undefined) {
    return {
      dataset: pipeline.prepare.run(sampleNli({ rows: Math.min(options.limit ?? 20_000, 20_000) }), values),
      dropped: 0,
    };
  }
  const table = await readTables(paths, options);
  // Data that already has the shape of the loss goes in as it is; NLI pairs are prepared.
  if (loss.label === "none" && !table.names.includes("label") && !("label" in mapping)) {
    return { dataset: asPairsOrTriplets(table, mapping), dropped: table.dropped };
  }
  if (loss.label === "score" && (table.names.includes("score") || "score" in mapping)) {
    const pairs = asScoredPairs(table, mapping);
    const [low, high] = [Math.min(...pairs.columns.score), Math.max(...pairs.columns.score)];
    if (low < -1 || high > 1) {
      throw new TrainingError("the cosine loss wants scores between −1 and 1", {
        where: table.where(0),
        expected: "scores in [−1, 1]",
        found: `${low} to ${high}`,
        hint: "divide them by the highest grade",
      });
    }
    return { dataset: pairs, dropped: table.dropped };
  }
  const { dataset, dropped } = asLabelledPairs(table, mapping);
  return { dataset: pipeline.prepare.run(dataset, values), dropped: dropped + table.dropped };
}

function isTexts(column: Column): column is readonly string[] {
  return Array.isArray(column);
}

async function writeDataset(folder: string, dataset: Dataset, dropped: number): Promise<void> {
  const columnData = Object.entries(dataset.columns).map(([name, column]) => ({
    name,
    data: Array.from(column as ArrayLike<string | number>),
    type: isTexts(column) ? "STRING" as const : column instanceof Int32Array ? "INT32" as const : "DOUBLE" as const,
  }));
  await Deno.writeFile(join(folder, "data.parquet"), new Uint8Array(parquetWriteBuffer({ columnData })));
  await Deno.writeTextFile(join(folder, "data.json"), JSON.stringify({ rows: dataset.rows, dropped }));
}

async function readDataset(artifact: Artifact): Promise<Dataset & { dropped: number }> {
  const table = await readTable(join(artifact.folder, "data.parquet"));
  const { dropped } = JSON.parse(await Deno.readTextFile(join(artifact.folder, "data.json")));
  const columns: Record<string, Column> = {};
  for (const name of table.names) {
    const values = table.columns.get(name)!;
    columns[name] = typeof values[0] === "string"
      ? values as readonly string[]
      : name === "label"
      ? Int32Array.from(values, Number)
      : Float64Array.from(values, Number);
  }
  return { columns, rows: table.rows, dropped };
}

async function readScored(artifact: Artifact): Promise<Dataset<ScoredPairs>> {
  return await readDataset(artifact) as Dataset as Dataset<ScoredPairs>;
}

async function readEvaluation(artifact: Artifact): Promise<{ metrics: Metrics; similarities: number[] }> {
  return JSON.parse(await Deno.readTextFile(join(artifact.folder, "metrics.json")));
}

// --- training and evaluation ------------------------------------------------------------------------------------------

/** The flags of a training as settings. */
export function trainSettings(values: FlagValues): TrainSettings {
  return {
    epochs: number(values, "epochs"),
    maxSteps: values["max-steps"] as number | undefined,
    batchSize: number(values, "batch-size"),
    accumulate: number(values, "accumulate"),
    seed: number(values, "seed"),
    learningRate: number(values, "learning-rate"),
    schedule: text(values, "schedule") as ScheduleKind,
    warmupSteps: number(values, "warmup-steps"),
    warmupRatio: values["warmup-ratio"] as number | undefined,
    optimizer: { weightDecay: number(values, "weight-decay"), clip: number(values, "clip") },
    loggingSteps: number(values, "logging-steps"),
    evalSteps: values["eval-steps"] as number | undefined,
    saveSteps: number(values, "save-steps"),
    keepBest: text(values, "keep-best"),
    patience: values["patience"] as number | undefined,
  };
}

async function objectiveOf(model: BiEncoder, loss: Loss, head: Parameters, data: Dataset) {
  const columns = Object.values(data.columns).filter(isTexts);
  if (columns.length < loss.texts.min || columns.length > loss.texts.max) {
    throw new TrainingError(`the loss ${loss.name} does not fit the data`, {
      expected: `${loss.texts.min} to ${loss.texts.max} columns of texts`,
      found: Object.keys(data.columns).join(", "),
    });
  }
  const prompt = model.defaultPromptName === undefined ? undefined : model.prompts[model.defaultPromptName];
  const texts = [];
  for (const column of columns) {
    texts.push(await tokenize(model.tokenizer, column, { maxLength: model.maxSeqLength, prompt }));
  }
  const labels = loss.label === "none"
    ? undefined
    : loss.label === "class"
    ? data.columns["label"] as Int32Array
    : Float32Array.from(data.columns["score"] as Float64Array);
  return biEncoderObjective({ model, loss, head, texts, labels, distinct: loss.inBatch ? columns : undefined });
}

function makeHead(engine: Engine, loss: Loss, width: number, seed: number): Parameters {
  const head: Record<string, Tensor> = {};
  for (const [name, { shape, data, trained }] of Object.entries(loss.head?.(width, seed) ?? {})) {
    head[name] = parameter(engine, shape, data, { trained });
  }
  return head;
}

async function saveHead(engine: Engine, path: string, head: Parameters): Promise<void> {
  const tensors = [];
  for (const [name, { value }] of Object.entries(head)) {
    tensors.push({ name, shape: value.shape, data: await engine.read(value) });
  }
  await writeSafetensors(path, tensors);
}

/** The ten similarity metrics, and the cosine of every pair. */
export async function evaluatePairs(
  engine: Engine,
  model: BiEncoder,
  pairs: Dataset<ScoredPairs>,
): Promise<{ metrics: Metrics; similarities: Float64Array }> {
  const prompt = model.defaultPromptName === undefined ? undefined : model.prompts[model.defaultPromptName];
  const embed = async (sentences: readonly string[]) =>
    await encodeTokens(
      engine,
      model,
      await tokenize(model.tokenizer, sentences, { maxLength: model.maxSeqLength, prompt }),
    );
  const first = await embed(pairs.columns.sentence1);
  const second = await embed(pairs.columns.sentence2);
  const metrics = similarityMetrics(first, second, pairs.columns.score);
  return { metrics, similarities: pairwiseSimilarities(first, second).cosine };
}

function trainingReport(record: TrainingRecord, cached: boolean): TrainingReport {
  const { steps, samples, tokens, seconds, loss } = record;
  return {
    steps,
    samples,
    tokens,
    seconds,
    loss,
    samples_per_second: samples / seconds,
    tokens_per_second: tokens / seconds,
    ...(cached && { cached }),
  };
}

// --- output -----------------------------------------------------------------------------------------------------------

async function checkOutput(output: string, force: boolean): Promise<void> {
  const names: string[] = await Array.fromAsync(Deno.readDir(output), ({ name }) => name).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  });
  if (names.length === 0 || names.includes("report.json") || force) return;
  throw new UsageError("the output folder is not empty, and not ours", {
    found: output,
    hint: "name another one with --output, or write into it with --force",
  });
}

async function writeOutput(output: string, report: Report, page: PageData, model: string): Promise<void> {
  await Deno.mkdir(output, { recursive: true });
  const put = async (name: string, contents: string) => {
    const temporary = join(output, `${name}.${crypto.randomUUID()}.tmp`);
    await Deno.writeTextFile(temporary, contents);
    await Deno.rename(temporary, join(output, name));
  };
  await copyFolder(model, join(output, "model"));
  const lines = [
    ...report.training.loss.map(([step, loss]) => ({ step, loss })),
    ...report.evaluations.map(([step, metrics]) => ({ step, ...metrics })),
  ].sort((a, b) => a.step - b.step);
  await put("metrics.jsonl", lines.map((line) => JSON.stringify(line) + "\n").join(""));
  await put("report.html", reportPage(report, page));
  await put("report.json", JSON.stringify(report, null, 2) + "\n");
}

/** Replaces a folder by a copy of another, whole or not at all. */
async function copyFolder(from: string, to: string): Promise<void> {
  const temporary = `${to}.${crypto.randomUUID()}.tmp`;
  const copy = async (source: string, target: string) => {
    await Deno.mkdir(target, { recursive: true });
    for await (const { name, isDirectory } of Deno.readDir(source)) {
      if (isDirectory) await copy(join(source, name), join(target, name));
      else await Deno.copyFile(join(source, name), join(target, name));
    }
  };
  await copy(from, temporary);
  await Deno.remove(to, { recursive: true }).catch(() => {});
  await Deno.rename(temporary, to);
}
