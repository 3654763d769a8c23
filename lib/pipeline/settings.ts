/**
 * From flags to settings: the presets, and how flags are read as what stages take.
 *
 * @module
 */
import { parse } from "node:path";
import { parseColumns } from "../data/column_mapping.ts";
import type { PoolingMode } from "../engine/engine.ts";
import type { EngineChoice, EngineName } from "../engine/select.ts";
import { UsageError } from "../error.ts";
import type { LoraSettings } from "../model/lora.ts";
import type { ColumnPrompts } from "../model/prompts.ts";
import {
  LORA_DEFAULTS,
  type ResolvedTrainSettings,
  resolveSettings,
  TRAIN_DEFAULTS,
  type TrainSettings,
} from "../train/settings.ts";
import type { Invocation } from "./flags.ts";
import type { Flag, FlagValues } from "./flags.ts";
import type { RowsOptions } from "./stages/load.ts";
import type { ModelShape } from "../stage/artifact.ts";

/** The hyper-parameters among the flags, and what they are called in the library. */
const SETTINGS = {
  "epochs": "epochs",
  "max-steps": "maxSteps",
  "batch-size": "batchSize",
  "accumulate": "accumulate",
  "seed": "seed",
  "learning-rate": "learningRate",
  "schedule": "schedule",
  "warmup-steps": "warmupSteps",
  "warmup-ratio": "warmupRatio",
  "weight-decay": "weightDecay",
  "clip": "clip",
  "logging-steps": "loggingSteps",
  "eval-steps": "evalSteps",
  "save-steps": "saveSteps",
  "keep-best": "keepBest",
  "patience": "patience",
} as const satisfies Partial<Record<Flag, keyof TrainSettings>>;

/** Fine-tuning of a model of one's own on data of one's own: the library's defaults. */
const OWN: FlagValues = {
  "engine": "auto",
  "kernels": "auto",
  "precision": "fp32",
  ...Object.fromEntries(
    Object.entries(SETTINGS).flatMap(([flag, name]) =>
      TRAIN_DEFAULTS[name] === undefined ? [] : [[flag, TRAIN_DEFAULTS[name]]]
    ),
  ),
};
const { "warmup-ratio": _, ...BOOK } = OWN;
const CHAPTER: FlagValues = {
  ...BOOK,
  "warmup-steps": 100,
  "model": "google-bert/bert-base-uncased",
  "train": "nyu-mll/glue/mnli#train",
  "limit": 50_000,
  "eval": "nyu-mll/glue/stsb#validation",
  "eval-steps": 100,
};
const SAMPLE: FlagValues = {
  ...BOOK,
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
export type Preset = "sample" | "chapter" | "test" | "own";

/** The presets of a training, with the changes that a pipeline makes. */
export function trainingPresets(
  changes: Readonly<Partial<Record<Preset | "all", FlagValues>>> = {},
): Readonly<Record<Preset, FlagValues>> {
  const preset = (name: Preset, values: FlagValues) => ({ ...values, ...changes.all, ...changes[name] });
  return {
    sample: preset("sample", SAMPLE),
    chapter: preset("chapter", CHAPTER),
    test: preset("test", TEST),
    own: preset("own", OWN),
  };
}

/**
 * The preset of these flags, and their values with its defaults: the one that `--preset` names; `own` with a model of one's
 * own, for which the sample's settings are far too strong, or with another of the flags `ownBy`; the sample's otherwise.
 */
export function withPreset(
  presets: Readonly<Record<string, FlagValues>>,
  given: FlagValues,
  ownBy: readonly Flag[] = ["model"],
): { readonly preset: string; readonly values: FlagValues } {
  const own = "own" in presets && ownBy.some((flag) => isNamed(given[flag]));
  const preset = String(given["preset"] ?? (own ? "own" : "sample"));
  const usual = preset === "own" ? usualValues(presets, given) : presets[preset];
  const values: { -readonly [F in Flag]?: FlagValues[F] } = { ...usual };
  // A warmup in steps takes the place of one as a share, and the other way round.
  if (given["warmup-steps"] !== undefined) delete values["warmup-ratio"];
  if (given["warmup-ratio"] !== undefined) delete values["warmup-steps"];
  return { preset, values: { ...values, ...given } };
}

/** What a command takes for a model of one's own, with these flags. */
export function usualValues(
  presets: Readonly<Record<string, FlagValues>>,
  given: FlagValues,
): FlagValues | undefined {
  const { own } = presets;
  if (own === undefined || given["lora-rank"] === undefined) return own;
  return { ...own, "learning-rate": LORA_DEFAULTS.learningRate };
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
    kernels: text(values, "kernels") as EngineChoice["kernels"],
    threads: optional(values, "threads"),
    precision: text(values, "precision") as EngineChoice["precision"],
    profile: values["profile"] === true,
  };
}

/** Hyper-parameters, checked; `recipe` has those of a method, where the flags say nothing. */
export function trainSettings(values: FlagValues, recipe?: Partial<ResolvedTrainSettings>): ResolvedTrainSettings {
  const named = Object.entries(SETTINGS).map(([flag, name]) => [name, values[flag as Flag]]);
  return resolveSettings({ ...Object.fromEntries(named), lora: loraOf(values) }, recipe);
}

/** Adapters, if there shall be any. */
export function loraOf(values: FlagValues): LoraSettings | undefined {
  const rank = optional(values, "lora-rank");
  if (rank !== undefined) {
    const [alpha, dropout] = [optional(values, "lora-alpha"), optional(values, "lora-dropout")];
    return { rank, alpha, targets: targetsOf(text(values, "lora-targets")), dropout };
  }
  const idle = (["lora-alpha", "lora-targets", "lora-dropout", "lora-save"] as const).find((flag) =>
    values[flag] !== undefined
  );
  if (idle === undefined) return undefined;
  throw new UsageError(`--${idle} is for adapters, and there are none`, { hint: "--lora-rank 16 trains some" });
}

/** Ends of names, with commas between; anything else is a regular expression, or all-linear. */
function targetsOf(given: string | undefined): LoraSettings["targets"] {
  return given === "all-linear" || !/^[\w.-]+(\s*,\s*[\w.-]+)*$/.test(given ?? "") ? given : given!.split(/\s*,\s*/);
}

/** How the model is read. */
export function modelShape(values: FlagValues): ModelShape {
  return {
    pooling: text(values, "pooling") as PoolingMode | undefined,
    maxSeqLength: optional(values, "max-seq-length"),
  };
}

/**
 * Prompts of a training: a text before every column, or JSON with one for each; or JSON with such prompts for each of several
 * data sets by their names, of which those of the one that is trained on hold, so that one text serves several trainings.
 */
export function promptsOf(values: FlagValues): ColumnPrompts | undefined {
  const given = text(values, "prompts");
  if (given === undefined || !given.trimStart().startsWith("{")) return given;
  let parsed: unknown;
  try {
    parsed = JSON.parse(given);
  } catch {
    parsed = undefined;
  }
  const entries = Object.entries(parsed ?? {});
  if (entries.length > 0 && entries.every(([, prompt]) => typeof prompt === "string")) {
    return Object.fromEntries(entries) as Record<string, string>;
  }
  if (entries.some(([, prompt]) => typeof prompt === "object" && prompt !== null)) {
    const source = text(values, "train") ?? "sample";
    const own = entries.find(([name]) => name === source || name === parse(source).base || name === parse(source).name);
    if (own === undefined) {
      throw new UsageError("--prompts has none for this data set", {
        expected: `${source}, or ${parse(source).name}, among the names`,
        found: entries.map(([name]) => name).join(", "),
      });
    }
    return promptsOf({ ...values, prompts: typeof own[1] === "string" ? own[1] : JSON.stringify(own[1]) });
  }
  throw new UsageError("--prompts cannot be read", {
    expected: '{"anchor": "query: ", "positive": "passage: "}, or one text for all columns',
    found: given,
  });
}

/** Numbers with commas between, such as the lengths of `--matryoshka`. */
export function numberList(values: FlagValues, flag: Flag): readonly number[] | undefined {
  const given = text(values, flag);
  const list = given?.split(",").map((part) => part.trim() === "" ? NaN : Number(part));
  if (list?.some(Number.isNaN)) {
    throw new UsageError(`--${flag} cannot be read`, { expected: "numbers with commas between", found: given! });
  }
  return list;
}

const mapping = (values: FlagValues, ours: readonly string[] = []) =>
  values["columns"] === undefined ? undefined : parseColumns(text(values, "columns")!, ours);

/** The one column that a command reads: that of `--column`, or `text=` of `--columns`. */
export function columnOf(values: FlagValues): string | undefined {
  return text(values, "column") ?? mapping(values)?.["text"];
}

/** Whether the data that a flag names are one's own: neither the sample's nor the chapter's. */
export function isOwn(values: FlagValues, flag: Flag = "train"): boolean {
  const from = text(values, flag);
  return from !== undefined && !from.startsWith("sample:") && from !== CHAPTER[flag];
}

/** Whether something of one's own is named: not the sample's, nor nothing. */
const isNamed = (value: FlagValues[Flag]) => value !== undefined && !String(value).startsWith("sample:");

/** Own data wants an own model: the sample's base model knows only the sample's words. */
export function checkOwnModel(
  { values, preset }: Invocation,
  flags: readonly Flag[] = ["train", "eval"],
  missing: Flag = "model",
): void {
  const own = flags.some((flag) => isNamed(values[flag]));
  if (preset === "chapter" || !own || (values["model"] ?? values[missing]) !== undefined) return;
  throw new UsageError("the sample's base model knows only the sample's words", {
    hint: `add --${missing} sentence-transformers/all-MiniLM-L6-v2`,
  });
}

/** Where training rows come from; `ours` are names of columns beside the usual ones. */
export function trainSource(
  invocation: Invocation,
  flag: Flag = "train",
  ours: readonly string[] = [],
): RowsOptions {
  checkOwnModel(invocation, [flag, "eval"]);
  const { values } = invocation;
  return {
    from: text(values, flag),
    columns: mapping(values, ours),
    limit: optional(values, "limit"),
    skipBadRows: values["skip-bad-rows"] === true,
  };
}

/** Where evaluation rows come from. Their columns are those of `--eval-columns`; without training data, of `--columns`. */
export function evalSource(
  { values, preset }: Invocation,
  flag: Flag = "eval",
  ours: readonly string[] = [],
): RowsOptions {
  const from = text(values, flag);
  const small = preset === "test" && (from === undefined || from.startsWith("sample:"));
  const named = text(values, "eval-columns");
  const alone = values["train"] === undefined && values["gold"] === undefined;
  const columns = named !== undefined ? parseColumns(named, ours) : alone ? mapping(values, ours) : undefined;
  return {
    from,
    ...(!alone && { columnsFlag: "--eval-columns" }),
    ...(columns !== undefined && from !== undefined && { columns }),
    ...(small && { limit: 200 }),
  };
}
