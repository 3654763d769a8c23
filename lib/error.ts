/**
 * The errors of Kindred: every one says what was expected, what was found, where, and what to do.
 *
 * They are plain classes with a `_tag`, so that the numeric storeys can throw them without knowing Effect and
 * `Effect.catchTag` can still tell them apart.
 *
 * @module
 */

/** What an error knows, all of it optional: it is printed, and written to `--json`, field by field. */
export interface ErrorDetails {
  /** What would have been right. */
  readonly expected?: string;
  /** What was there instead. */
  readonly found?: string;
  /** File, row, column, tensor name, step: where to look. */
  readonly where?: string;
  /** One thing to do about it. */
  readonly hint?: string;
  /** The error underneath, if there is one. */
  readonly cause?: unknown;
}

/** What is shown of them. */
type Shown = { readonly [D in Exclude<keyof ErrorDetails, "cause">]: string | undefined };

/** Characters that are shown of the front and of the end of one detail. */
const [FRONT, END] = [800, 200];

/**
 * A detail at a length that can be read: an array that a caller took for something else has a million numbers. The end
 * stays, for that of a path names file and line.
 */
function bounded(detail: string | undefined): string | undefined {
  if (detail === undefined) return undefined;
  const text = String(detail); // callers without types give what they have
  if (text.length <= FRONT + END) return text;
  return `${text.slice(0, FRONT)} … ${text.slice(-END)} (${text.length} characters)`.toWellFormed();
}

/** The base of all errors that Kindred raises on purpose. Its message has the details, for whoever sees no more of it. */
export abstract class DomainError extends Error {
  /** Tells the errors apart, also for `Effect.catchTag`. */
  abstract readonly _tag: string;
  /** What is wrong, in one line. */
  declare readonly summary: string;
  /** What would have been right. */
  declare readonly expected: string | undefined;
  /** What was there instead. */
  declare readonly found: string | undefined;
  /** Where to look. */
  declare readonly where: string | undefined;
  /** What to do. */
  declare readonly hint: string | undefined;

  /** What is wrong, and its details. */
  constructor(summary: string, details: ErrorDetails = {}) {
    const { cause } = details;
    const [expected, found, where] = [bounded(details.expected), bounded(details.found), bounded(details.where)];
    const [text, hint] = [bounded(summary)!, bounded(details.hint)];
    const message = [text, ...linesOf({ expected, found, where, hint })].join("\n");
    super(message, cause === undefined ? undefined : { cause });
    // Not enumerable: whatever prints the error prints its message, which has them.
    for (
      const [name, value] of Object.entries({ summary: text, expected, found, where, hint, name: new.target.name })
    ) {
      Object.defineProperty(this, name, { value, enumerable: false, configurable: true });
    }
  }

  /** The error as the JSON of `--json`. */
  toJSON(): { tag: string; message: string; expected?: string; found?: string; where?: string; hint?: string } {
    const { _tag: tag, summary: message, expected, found, where, hint } = this;
    return {
      tag,
      message,
      ...(expected !== undefined && { expected }),
      ...(found !== undefined && { found }),
      ...(where !== undefined && { where }),
      ...(hint !== undefined && { hint }),
    };
  }
}

/** A dataset, one of its files, rows or columns. */
export class DatasetError extends DomainError {
  /** Tells the errors apart. */
  override readonly _tag = "DatasetError" as const;
}
/** A tokenizer's files or its input. */
export class TokenizerError extends DomainError {
  /** Tells the errors apart. */
  override readonly _tag = "TokenizerError" as const;
}
/** A model folder, its configuration or its tensors. */
export class CheckpointError extends DomainError {
  /** Tells the errors apart. */
  override readonly _tag = "CheckpointError" as const;
}
/** A tensor engine: not available, out of memory, or a kernel that failed. */
export class EngineError extends DomainError {
  /** Tells the errors apart. */
  override readonly _tag = "EngineError" as const;
}
/** Training: a loss that is not finite, data that the loss cannot use. */
export class TrainingError extends DomainError {
  /** Tells the errors apart. */
  override readonly _tag = "TrainingError" as const;
}
/** An evaluation that cannot be computed. */
export class EvaluationError extends DomainError {
  /** Tells the errors apart. */
  override readonly _tag = "EvaluationError" as const;
}
/** The Hugging Face hub, or the network on the way to it. */
export class HubError extends DomainError {
  /** Tells the errors apart. */
  override readonly _tag = "HubError" as const;
}
/**
 * Why no text was generated: `refused`, asking again will not help (settings, key, model, permission); `unavailable`, the
 * endpoint could not be reached or did not recover; `answer`, this one request got nothing that can be used; `budget`,
 * the tokens allowed are used up.
 */
export type GeneratorFailure = "refused" | "unavailable" | "answer" | "budget";
/** A text generator: its endpoint, its answers, its budget. */
export class GeneratorError extends DomainError {
  /** Tells the errors apart. */
  override readonly _tag = "GeneratorError" as const;
  /** What kind of failure it is: only `answer` concerns this one request. */
  readonly kind: GeneratorFailure;

  /** A message, its details, and what kind of failure it is. Default `refused`. */
  constructor(message: string, details: ErrorDetails & { readonly kind?: GeneratorFailure } = {}) {
    super(message, details);
    this.kind = details.kind ?? "refused";
  }
}
/** The cache of stages. */
export class CacheError extends DomainError {
  /** Tells the errors apart. */
  override readonly _tag = "CacheError" as const;
}
/** A wrong flag or argument; the exit code is 2. */
export class UsageError extends DomainError {
  /** Tells the errors apart. */
  override readonly _tag = "UsageError" as const;
}

/** A permission that Deno was not given, or that the system does not give. */
export class PermissionError extends DomainError {
  /** Tells the errors apart. */
  override readonly _tag = "PermissionError" as const;
}
/** A disk without room. */
export class DiskFullError extends DomainError {
  /** Tells the errors apart. */
  override readonly _tag = "DiskFullError" as const;
}

/**
 * Every error that Kindred raises on purpose: `Effect.catchTag` takes one out of it.
 *
 * @example
 * ```ts
 * import { DatasetError, type KindredError } from "@kindred/kindred/error";
 * import { Effect } from "effect";
 * import assert from "node:assert/strict";
 * const work: Effect.Effect<number, KindredError> = Effect.fail(new DatasetError("no rows", { where: "a.csv" }));
 * const mended: Effect.Effect<number, Exclude<KindredError, DatasetError>> = work.pipe(
 *   Effect.catchTag("DatasetError", () => Effect.succeed(0)),
 * );
 * assert.equal(await Effect.runPromise(mended), 0);
 * ```
 */
export type KindredError =
  | DatasetError
  | TokenizerError
  | CheckpointError
  | EngineError
  | TrainingError
  | EvaluationError
  | HubError
  | GeneratorError
  | CacheError
  | UsageError
  | PermissionError
  | DiskFullError;

/** The tags of {@linkcode KindredError}, one for each domain. */
export type ErrorTag = KindredError["_tag"];

/** What all of them are an `instanceof`. */
export const KindredError: abstract new (...given: never) => KindredError = DomainError as unknown as abstract new (
  ...given: never
) => KindredError;

/**
 * An error as one of Kindred's: a refusal by Deno or by the system, and a full disk, as errors that say what helps.
 *
 * @param error Whatever was thrown.
 * @returns The error; undefined for one that nobody foresaw.
 */
export function knownError(error: unknown): KindredError | undefined {
  if (error instanceof KindredError) return error;
  if (error instanceof Deno.errors.NotCapable) {
    return new PermissionError(`a permission is missing: ${/--allow-[a-z]+/.exec(error.message)?.[0] ?? "-A"}`, {
      found: error.message.split(",")[0]!,
      hint: "deno run --allow-read --allow-write --allow-env --allow-sys --allow-ffi --allow-net (or -A)",
      cause: error,
    });
  }
  if (error instanceof Error && /ENOSPC|os error 28|no space left/i.test(error.message)) {
    return new DiskFullError("there is no room left on the disk", {
      found: error.message,
      hint: "make room, then run it again",
      cause: error,
    });
  }
  if (error instanceof Deno.errors.NotADirectory) {
    return new UsageError("a file stands where a folder is needed", {
      found: error.message,
      hint: "name another folder",
      cause: error,
    });
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return new PermissionError("the system does not permit it", {
      found: error.message,
      hint: "see whose the file is, and who may read and write it",
      cause: error,
    });
  }
  return undefined;
}

function linesOf({ where, expected, found, hint }: Shown): string[] {
  const lines: string[] = [];
  if (where !== undefined) lines.push(`  where:    ${where}`);
  if (expected !== undefined) lines.push(`  expected: ${expected}`);
  if (found !== undefined) lines.push(`  found:    ${found}`);
  if (hint !== undefined) lines.push(`  hint:     ${hint}`);
  return lines;
}

/**
 * An error as lines for a person: message, where, expected and found, hint.
 *
 * @param error Anything that was thrown.
 * @returns The lines; of an error that is not Kindred's, its message.
 *
 * @example
 * ```ts
 * import { DatasetError, explain } from "@kindred/kindred/error";
 * import assert from "node:assert/strict";
 * const error = new DatasetError("a score is missing", { where: "pairs.csv:3", hint: "fill it in" });
 * assert.match(explain(error), /DatasetError: a score is missing\n +where: +pairs.csv:3\n +hint: +fill it in/);
 * ```
 */
export function explain(error: unknown): string {
  if (error instanceof KindredError) return `${error._tag}: ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}
