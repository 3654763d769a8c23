/**
 * Several data sets as a file names them: a list in JSON, an object for each.
 *
 * @module
 */
import { dirname, parse } from "node:path";
import { columnsText, parseColumns } from "../data/column_mapping.ts";
import { type ColumnMapping, isColumn } from "../data/column_names.ts";
import { type KindredError, knownError, UsageError } from "../error.ts";
import { isObject } from "../expect.ts";
import { lossOf, type LossSpec } from "../loss/named.ts";
import type { ColumnPrompts } from "../model/prompts.ts";
import { checkFields, type Field, type Fields, NUMBERS, oneOf, wrong } from "../train/fields.ts";
import { inSet } from "../train/in_set.ts";
import { checkMixing, type MixingSettings } from "../train/mixed_batches.ts";
import type { FlagValues } from "./flags.ts";
import { besideFile } from "./set_paths.ts";
import { text } from "./settings.ts";

/** A data set of a run. */
export interface SetSpec {
  /** What it is called in the report; without a slash. */
  readonly name: string;
  /** Its rows: a file, a folder, or a dataset of the hub. */
  readonly train: string;
  /** Its loss, by the name of `LossSpec`: multiple_negatives_ranking, cosent, softmax, … */
  readonly loss: string;
  /** What the loss takes. */
  readonly lossOptions?: object | undefined;
  /** Names of columns in the file, by ours: `{ "anchor": "question" }`, or `"anchor=question"`. */
  readonly columns?: ColumnMapping | string | undefined;
  /** Rows at most. */
  readonly limit?: number | undefined;
  /** Of NLI pairs under a loss over pairs: where negatives come from. Default none. */
  readonly negatives?: "none" | "easy" | "contradiction" | undefined;
  /** Texts before its columns. Default: those of `--prompts` for it, else the model's own. */
  readonly prompts?: ColumnPrompts | undefined;
  /** How many times as often as by its size alone it has its turn. Default 1. */
  readonly weight?: number | undefined;
  /** Rows of its batches. Default: those of the run. */
  readonly batchSize?: number | undefined;
  /** The model that the loss learns from, if it learns from one. */
  readonly guide?: string | undefined;
  /** Rows that it is measured by, instead of some that are held out. */
  readonly eval?: string | undefined;
  /** Names of their columns. */
  readonly evalColumns?: ColumnMapping | string | undefined;
  /** Rows that are held out, or a share of them. Default: those of `--hold-out`, else a tenth, 1,000 at most. */
  readonly holdOut?: number | undefined;
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
const aText: Field = { expected: "a text", is: isText };
const isTexts = (value: unknown) => isObject(value) && Object.values(value).every((one) => typeof one === "string");
const names: Field = {
  expected: '{"anchor": "question"}, or "anchor=question"',
  is: (value) => isText(value) || isTexts(value),
};

const FIELDS: Fields<SetSpec> = {
  name: aText,
  train: aText,
  loss: { ...aText, expected: "the name of a loss, such as multiple_negatives_ranking or cosent" },
  lossOptions: { expected: "an object", is: isObject },
  columns: names,
  limit: NUMBERS["positive"],
  negatives: oneOf(["none", "easy", "contradiction"]),
  prompts: {
    expected: 'a text, or one for each column: {"anchor": "query: "}',
    is: (value) => typeof value === "string" || isTexts(value),
  },
  weight: NUMBERS["above zero"],
  batchSize: NUMBERS["positive"],
  guide: aText,
  eval: aText,
  evalColumns: names,
  holdOut: NUMBERS["number"],
};

/**
 * Checks data sets, as a file or a script has them.
 *
 * @param given A list of objects.
 * @param mixing How they take turns.
 * @returns The same list.
 * @throws {UsageError} It names the data set.
 */
export function checkSpecs(given: unknown, mixing: MixingSettings): readonly SetSpec[] {
  if (!Array.isArray(given)) {
    throw new UsageError("data sets are a list", {
      expected: '[{"name": "qa", "train": "qa.csv", "loss": "multiple_negatives_ranking"}, …]',
      found: isObject(given) ? "an object" : typeof given,
    });
  }
  given.forEach((spec, i) => {
    const name = isObject(spec) && "name" in spec && isText(spec.name) ? spec.name : `number ${i + 1}`;
    try {
      checkFields(spec, FIELDS, `data set ${name}`);
      for (const field of ["name", "train", "loss"] as const) {
        if (spec[field] === undefined) throw wrong(`data set ${name}.${field}`, FIELDS[field].expected, undefined);
      }
      lossOfSpec(spec);
      for (const field of ["columns", "evalColumns"] as const) mappingOf(spec[field]);
    } catch (error) {
      throw namedAs(name, error);
    }
  });
  checkMixing(given, mixing);
  return given;
}

const namedAs = (name: string, error: unknown): unknown => {
  const known: KindredError | undefined = knownError(error);
  return known === undefined ? error : inSet(name, known);
};

/** Reads and checks the file of `--datasets`, whose paths are relative to its folder. */
export async function readSpecs(path: string, mixing: MixingSettings): Promise<readonly SetSpec[]> {
  const content = await Deno.readTextFile(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.IsADirectory)) throw error;
    throw new UsageError("there is no such file of data sets", { where: path, hint: "--datasets FILE.json" });
  });
  let given: unknown;
  try {
    given = JSON.parse(content);
  } catch (error) {
    throw new UsageError("the file of data sets is not JSON", { where: path, found: (error as Error).message });
  }
  return await Promise.all(checkSpecs(given, mixing).map((spec) => withPaths(spec, dirname(path))));
}

/** A data set whose paths are as they are from where the command runs. */
async function withPaths(spec: SetSpec, folder: string): Promise<SetSpec> {
  const found: { -readonly [field in "train" | "eval" | "guide"]?: string } = {};
  try {
    for (const field of ["train", "eval", "guide"] as const) {
      if (spec[field] !== undefined) found[field] = await besideFile(spec[field], folder);
    }
  } catch (error) {
    throw namedAs(spec.name, error);
  }
  return { ...spec, ...found };
}

/** The loss of a data set. */
export function lossOfSpec({ loss, lossOptions }: Pick<SetSpec, "loss" | "lossOptions">): LossSpec {
  const spec = { name: loss.replaceAll("-", "_"), ...(lossOptions !== undefined && { options: lossOptions }) };
  lossOf(spec); // refuses names and options that there are not
  return spec;
}

/** Columns as a mapping. */
export function mappingOf(columns: SetSpec["columns"]): ColumnMapping | undefined {
  if (columns === undefined || Object.keys(columns).length === 0) return undefined;
  return parseColumns(typeof columns === "string" ? columns : columnsText(columns)); // refuses names that we do not have
}

/** A path without the way up to where it begins: the file of data sets may lie elsewhere. */
const fromHere = (path: string) => path.replaceAll("\\", "/").replace(/^(\.{1,2}\/)+/, "");

/**
 * The texts before the columns of a data set: its own, else what `--prompts` says: one text, or one for each column, for all
 * sets; or by the names of sets, and then nothing for those that are not named.
 */
export function promptsOfSet(spec: SetSpec, all: readonly SetSpec[], values: FlagValues): ColumnPrompts | undefined {
  const given = text(values, "prompts");
  if (spec.prompts !== undefined || given === undefined) return spec.prompts;
  if (!given.trimStart().startsWith("{")) return given;
  let parsed: unknown;
  try {
    parsed = JSON.parse(given);
  } catch {
    parsed = undefined;
  }
  const keys = isObject(parsed) ? Object.keys(parsed) : [];
  const taken = all.map(({ name }) => name);
  /** What a set may be called: by its name; by its path or the end of that, the longest first, unless a set has it as its name. */
  const called = ({ name, train }: SetSpec) => {
    const parts = train.replaceAll("\\", "/").split("/");
    const ends = [...parts.map((_, i) => parts.slice(i).join("/")), parse(train).name];
    return [name, ...ends.filter((end) => !taken.includes(end))];
  };
  const keyOf = (spec: SetSpec) => called(spec).map((name) => keys.find((key) => fromHere(key) === name)).find(isText);
  const bySet = keys.length > 0 && keys.every((key) => all.some((set) => called(set).includes(fromHere(key))));
  const own = bySet ? (parsed as Record<string, unknown>)[keyOf(spec) ?? ""] : parsed;
  if (bySet && own === undefined) return undefined;
  if (FIELDS.prompts.is(own) && (bySet || keys.every((key) => isColumn(key)))) return own as ColumnPrompts;
  throw new UsageError("--prompts cannot be read", {
    expected: `{"${spec.name}": {"anchor": "query: "}}, {"anchor": "query: "}, or one text; sets: ${
      all.map(({ name }) => name).join(", ")
    }`,
    found: given,
  });
}
