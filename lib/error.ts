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

/** The tags of {@linkcode KindredError}, one for each domain. */
export type ErrorTag =
  | "DatasetError"
  | "TokenizerError"
  | "CheckpointError"
  | "EngineError"
  | "TrainingError"
  | "EvaluationError"
  | "HubError"
  | "GeneratorError"
  | "CacheError"
  | "UsageError";

/** The base of all errors that Kindred raises on purpose. */
export abstract class KindredError extends Error {
  /** Tells the errors apart, also for `Effect.catchTag`. */
  abstract readonly _tag: ErrorTag;
  /** What would have been right. */
  readonly expected: string | undefined;
  /** What was there instead. */
  readonly found: string | undefined;
  /** Where to look. */
  readonly where: string | undefined;
  /** What to do. */
  readonly hint: string | undefined;

  /** A message and its details. */
  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.expected = details.expected;
    this.found = details.found;
    this.where = details.where;
    this.hint = details.hint;
  }

  /** The error as the JSON of `--json`. */
  toJSON(): { tag: ErrorTag; message: string; expected?: string; found?: string; where?: string; hint?: string } {
    const { _tag: tag, message, expected, found, where, hint } = this;
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
export class DatasetError extends KindredError {
  /** Tells the errors apart. */
  override readonly _tag = "DatasetError" as const;
}
/** A tokenizer's files or its input. */
export class TokenizerError extends KindredError {
  /** Tells the errors apart. */
  override readonly _tag = "TokenizerError" as const;
}
/** A model folder, its configuration or its tensors. */
export class CheckpointError extends KindredError {
  /** Tells the errors apart. */
  override readonly _tag = "CheckpointError" as const;
}
/** A tensor engine: not available, out of memory, or a kernel that failed. */
export class EngineError extends KindredError {
  /** Tells the errors apart. */
  override readonly _tag = "EngineError" as const;
}
/** Training: a loss that is not finite, data that the loss cannot use. */
export class TrainingError extends KindredError {
  /** Tells the errors apart. */
  override readonly _tag = "TrainingError" as const;
}
/** An evaluation that cannot be computed. */
export class EvaluationError extends KindredError {
  /** Tells the errors apart. */
  override readonly _tag = "EvaluationError" as const;
}
/** The Hugging Face hub, or the network on the way to it. */
export class HubError extends KindredError {
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
export class GeneratorError extends KindredError {
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
export class CacheError extends KindredError {
  /** Tells the errors apart. */
  override readonly _tag = "CacheError" as const;
}
/** A wrong flag or argument; the exit code is 2. */
export class UsageError extends KindredError {
  /** Tells the errors apart. */
  override readonly _tag = "UsageError" as const;
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
  if (!(error instanceof KindredError)) return error instanceof Error ? error.message : String(error);
  const lines = [`${error._tag}: ${error.message}`];
  if (error.where !== undefined) lines.push(`  where:    ${error.where}`);
  if (error.expected !== undefined) lines.push(`  expected: ${error.expected}`);
  if (error.found !== undefined) lines.push(`  found:    ${error.found}`);
  if (error.hint !== undefined) lines.push(`  hint:     ${error.hint}`);
  return lines.join("\n");
}
