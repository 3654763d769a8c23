/**
 * What may be asked of the functions of this face: plain JavaScript can pass anything, and a misspelt name must not be
 * ignored.
 *
 * @module
 */
import { isObject } from "../expect.ts";
import { aText, checkFields, type Field, type Fields, NUMBERS, oneOf, YES_OR_NO } from "../train/fields.ts";
import type { EngineChoice } from "../engine/select.ts";
import { UsageError } from "../error.ts";
import { choicesOf, FLAGS } from "../pipeline/flags.ts";
import type { RunOptions } from "../stage/run.ts";
import type { TrainSettings } from "../train/settings.ts";
import type { HoldOutOption, OutputOptions } from "./training.ts";

/** Columns and texts: their rows are checked where they become a dataset, which names the row. */
export const A_LIST: Field = { expected: "a list", is: (value) => Array.isArray(value) || ArrayBuffer.isView(value) };
/** An object of settings or of columns. */
export const AN_OBJECT: Field = { expected: "an object", is: isObject };
/** A text, which may be empty. */
export const A_TEXT: Field = { expected: "a text", is: (value) => typeof value === "string" };
/** A folder, or a model of the hub; that there is one is for who looks for it. */
export const A_MODEL: Field = { expected: "a folder, or a model of the hub", is: A_TEXT.is };
/** One of the library's losses, or one of the user's own. */
export const A_LOSS: Field = {
  expected: "a loss, such as losses.multipleNegativesRanking()",
  is: (value) => isObject(value) && "name" in value,
};
/** A share below 1. */
export const A_SHARE: Field = {
  expected: "a number from 0, below 1",
  is: (x) => typeof x === "number" && x >= 0 && x < 1,
};

const ENGINE: Fields<EngineChoice> = {
  engine: oneOf(FLAGS["engine"][0]),
  kernels: oneOf(FLAGS["kernels"][0]),
  threads: NUMBERS["positive"],
  precision: oneOf(FLAGS["precision"][0]),
  profile: YES_OR_NO,
};

/** What trains does not do so in 8 bits. */
const TRAINING_ENGINE: Fields<EngineChoice> = {
  ...ENGINE,
  precision: oneOf(choicesOf(["epochs"])["precision"]!),
};

type JobOptions = Pick<RunOptions, "engine" | "signal">;

const JOB: Fields<JobOptions> = {
  engine: { expected: 'an object, such as { engine: "cpu" }', is: isObject },
  signal: { expected: "an AbortSignal", is: (value) => value instanceof AbortSignal },
};

const TRAINING: Fields<RunOptions & OutputOptions> = {
  ...JOB,
  cacheDir: aText("a folder"),
  progress: YES_OR_NO,
  output: aText("a folder's name; . for the working folder"),
  force: YES_OR_NO,
  loraSave: oneOf(FLAGS["lora-save"][0]),
};

/** How many rows are held out; whether there are so many is for who cuts them off. */
export const HOLD_OUT: Fields<HoldOutOption> = {
  holdOut: { expected: "a number of rows, or a share below 1", is: (value) => typeof value === "number" },
};

/**
 * Checks texts that are computed on as they are: what is none would be embedded as an empty one, and a lone text by its
 * letters.
 *
 * @param texts A list of texts.
 * @param name What it is called.
 * @throws {UsageError} It is no list; or an entry is no text: it names which.
 */
export function checkTexts(texts: unknown, name: string): asserts texts is readonly string[] {
  if (!Array.isArray(texts)) {
    throw new UsageError(`${name} must be a list of texts`, {
      expected: "a list of texts",
      found: shown(texts),
      ...(typeof texts === "string" && { hint: "a single text stands in a list as well: [text]" }),
    });
  }
  const wrong = Array.from(texts, (text) => typeof text === "string").indexOf(false); // holes of a list as well
  if (wrong >= 0) {
    throw new UsageError(`${name} must be a list of texts`, {
      where: `${name}[${wrong}]`,
      expected: "a text",
      found: shown(texts[wrong]),
      hint: 'what has no text can be left out, or stand as ""',
    });
  }
}

/** Checks what texts come from, one after the other: a lone text would be a stream of its letters. */
export function checkStream(texts: unknown): void {
  if (typeof texts === "object" && texts !== null && (Symbol.iterator in texts || Symbol.asyncIterator in texts)) {
    return;
  }
  throw new UsageError("texts must come one after the other", {
    expected: "a list of texts, or an iterable or async iterable of them",
    found: shown(texts),
    ...(typeof texts === "string" && { hint: "a single text stands in a list as well: [text]" }),
  });
}

/** Checks numbers of rows, which plain JavaScript may have as texts or with gaps. */
export function checkNumbers(numbers: ArrayLike<unknown> | undefined, name: string): void {
  if (numbers === undefined) throw new UsageError(`${name} is missing`, { expected: "a list of numbers" });
  const wrong = Array.from(numbers, (number) => Number.isFinite(number)).indexOf(false);
  if (wrong < 0) return;
  throw new UsageError(`${name} must be a list of numbers`, {
    where: `${name}[${wrong}]`,
    expected: "a finite number",
    found: shown(numbers[wrong]),
  });
}

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  return typeof value === "string" ? JSON.stringify(value.slice(0, 60)) : String(value).slice(0, 60);
}

/** Checks the options of a job, beside which it may have its own. */
export function checkJob(options: JobOptions, own: Readonly<Record<string, Field>> = {}): void {
  checkFields(options, { ...own, ...JOB });
  if (options.engine !== undefined) checkFields(options.engine, ENGINE, "engine");
}

/** Checks the options of a model that stays loaded, which no signal aborts: it is closed. */
export function checkOpening(
  options: Pick<JobOptions, "engine">,
  own: Readonly<Record<string, Field>> = {},
): void {
  checkFields(options, { ...own, engine: JOB.engine });
  if (options.engine !== undefined) checkFields(options.engine, ENGINE, "engine");
}

/** Checks the options of a training, beside which it has its own. */
export function checkTraining(
  options: RunOptions & OutputOptions & Pick<TrainSettings, "lora">,
  own: Readonly<Record<string, Field>>,
): void {
  checkFields(options, { ...own, ...TRAINING });
  if (options.loraSave !== undefined && options.lora === undefined) {
    throw new UsageError("loraSave is for adapters, and there are none", { hint: "lora: { rank: 16 } trains some" });
  }
  if (options.engine !== undefined) checkFields(options.engine, TRAINING_ENGINE, "engine");
}
