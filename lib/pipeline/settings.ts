/**
 * From flags to settings: the presets, and how flags are read as what stages take.
 *
 * @module
 */
import { parseColumns } from "../data/column_names.ts";
import type { PoolingMode } from "../engine/engine.ts";
import type { EngineChoice, EngineName } from "../engine/select.ts";
import { UsageError } from "../error.ts";
import type { ScheduleKind } from "../train/schedule.ts";
import type { TrainSettings } from "../train/trainer.ts";
import type { Invocation } from "./flags.ts";
import type { Flag, FlagValues } from "./flags.ts";
import type { DenoisingParameters } from "./stages/denoise.ts";
import type { LoadOptions } from "./stages/load.ts";
import type { ModelShape } from "../stage/artifact.ts";

/** What sentence-transformers' trainer does when it is told nothing, with the chapter's batch size and warmup. */
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

/** Names of the presets. */
export type Preset = "sample" | "chapter" | "test";

/** The presets of a training, with the changes that a pipeline makes. */
export function trainingPresets(
  changes: Readonly<Partial<Record<Preset | "all", FlagValues>>> = {},
): Readonly<Record<Preset, FlagValues>> {
  const preset = (name: Preset, values: FlagValues) => ({ ...values, ...changes.all, ...changes[name] });
  return { sample: preset("sample", SAMPLE), chapter: preset("chapter", CHAPTER), test: preset("test", TEST) };
}

/** The value of a flag that has a number. */
export const number = (values: FlagValues, flag: Flag): number => values[flag] as number;
/** The value of a flag that may have a number. */
export const optional = (values: FlagValues, flag: Flag): number | undefined => values[flag] as number | undefined;
/** The value of a flag that may have a text. */
export const text = (values: FlagValues, flag: Flag): string | undefined => values[flag] as string | undefined;

/** The engine that the flags name. */
export function engineChoice(values: FlagValues): EngineChoice {
  return {
    engine: text(values, "engine") as EngineName | undefined,
    gemm: text(values, "gemm") as EngineChoice["gemm"],
    threads: optional(values, "threads"),
    precision: text(values, "precision") as EngineChoice["precision"],
    deterministic: values["deterministic"] === true,
  };
}

/** Hyper-parameters. */
export function trainSettings(values: FlagValues): TrainSettings {
  return {
    epochs: number(values, "epochs"),
    maxSteps: optional(values, "max-steps"),
    batchSize: number(values, "batch-size"),
    accumulate: number(values, "accumulate"),
    seed: number(values, "seed"),
    learningRate: number(values, "learning-rate"),
    schedule: text(values, "schedule") as ScheduleKind,
    warmupSteps: number(values, "warmup-steps"),
    warmupRatio: optional(values, "warmup-ratio"),
    optimizer: { weightDecay: number(values, "weight-decay"), clip: number(values, "clip") },
    loggingSteps: number(values, "logging-steps"),
    evalSteps: optional(values, "eval-steps"),
    saveSteps: number(values, "save-steps"),
    keepBest: text(values, "keep-best"),
    patience: optional(values, "patience"),
  };
}

/** How the model is read. */
export function modelShape(values: FlagValues): ModelShape {
  return {
    pooling: text(values, "pooling") as PoolingMode | undefined,
    maxSeqLength: optional(values, "max-seq-length"),
  };
}

/** How texts are damaged and written again. */
export function denoisingParameters(values: FlagValues): DenoisingParameters {
  return {
    settings: trainSettings(values),
    pooling: (text(values, "pooling") ?? "cls") as PoolingMode,
    ratio: number(values, "deletion-ratio"),
    fixedNoise: values["fixed-noise"] === true,
    tie: text(values, "tie-decoder") !== "false",
    maxSeqLength: optional(values, "max-seq-length"),
    freeze: text(values, "freeze"),
  };
}

const mapping = (values: FlagValues) =>
  values["columns"] === undefined ? undefined : parseColumns(text(values, "columns")!);

/** Own data wants an own model: the sample's base model knows only the sample's words. */
export function checkOwnModel({ values, preset }: Invocation, flags: readonly Flag[] = ["train", "eval"]): void {
  const own = flags.some((flag) => values[flag] !== undefined && !String(values[flag]).startsWith("sample:"));
  if (preset === "chapter" || !own || values["model"] !== undefined) return;
  throw new UsageError("the sample's base model knows only the sample's words", {
    hint: "add --model sentence-transformers/all-MiniLM-L6-v2",
  });
}

/** Where training rows come from. */
export function trainSource(invocation: Invocation, flag: Flag = "train"): LoadOptions {
  checkOwnModel(invocation, [flag, "eval"]);
  const { values } = invocation;
  return {
    from: text(values, flag),
    columns: mapping(values),
    limit: optional(values, "limit"),
    skipBadRows: values["skip-bad-rows"] === true,
  };
}

/** Where evaluation pairs come from. `--columns` is for files: for those of the training first. */
export function evalSource({ values, preset }: Invocation, flag: Flag = "eval"): LoadOptions {
  const from = text(values, flag);
  const small = preset === "test" && (from === undefined || from.startsWith("sample:"));
  const columns = values["train"] === undefined && values["gold"] === undefined ? mapping(values) : undefined;
  return { from, ...(columns !== undefined && from !== undefined && { columns }), ...(small && { limit: 200 }) };
}
