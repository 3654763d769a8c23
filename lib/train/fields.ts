/**
 * What the fields of an object of settings may be: one table says it for the library and for the command line.
 *
 * @module
 */
import { UsageError } from "../error.ts";
import { isObject } from "../expect.ts";
import { didYouMean, nearestName } from "../text/edits.ts";

/** What a value may be, for people and for a check. */
export interface Field {
  /** Behind "must be". */
  readonly expected: string;
  /** Whether a value is one. */
  readonly is: (value: unknown) => boolean;
}

/** Fields by the names of an object's. */
export type Fields<A> = { readonly [K in keyof Required<A>]: Field };

/** Kinds of numbers that settings and flags are. */
export type NumberKind = "whole" | "positive" | "number" | "above zero" | "rate" | "below one";

const numbers = (expected: string, holds: (value: number) => boolean): Field => ({
  expected,
  is: (value) => typeof value === "number" && holds(value),
});

/** What numbers of each kind are. */
export const NUMBERS: Readonly<Record<NumberKind, Field>> = {
  "whole": numbers("a whole number from 0", (value) => Number.isSafeInteger(value) && value >= 0),
  "positive": numbers("a whole number from 1", (value) => Number.isSafeInteger(value) && value > 0),
  "number": numbers("a number from 0", (value) => Number.isFinite(value) && value >= 0),
  "above zero": numbers("a number above 0", (value) => Number.isFinite(value) && value > 0),
  "rate": numbers("a number from 0 to 1", (value) => value >= 0 && value <= 1),
  "below one": numbers("a number from 0, below 1", (value) => value >= 0 && value < 1),
};

/** A text with something in it. */
export const aText = (what: string): Field => ({
  expected: what,
  is: (value) => typeof value === "string" && value !== "",
});
/** One of these words. */
export const oneOf = (words: readonly string[]): Field => ({
  expected: `one of ${words.join(", ")}`,
  is: (value) => words.includes(value as string),
});
/** Yes or no. */
export const YES_OR_NO: Field = { expected: "true or false", is: (value) => typeof value === "boolean" };

/**
 * Checks an object of settings. What is undefined counts as left out.
 *
 * @param given The object, as a script without types may have made it.
 * @param fields What may be in it.
 * @param within The name of the object, where it is a setting itself.
 * @throws {UsageError} It is no object, has a setting that there is not, or one of another kind.
 */
export function checkFields(given: unknown, fields: Readonly<Record<string, Field>>, within?: string): void {
  if (!isObject(given)) throw wrong(within ?? "the settings", "an object", given);
  for (const [name, value] of Object.entries(given)) {
    const full = within === undefined ? name : `${within}.${name}`;
    if (!Object.hasOwn(fields, name)) {
      throw new UsageError(`there is no setting ${full}`, {
        expected: Object.keys(fields).join(", "),
        found: full,
        ...didYouMean(nearestName(name, Object.keys(fields))),
      });
    }
    const { expected, is } = fields[name]!;
    if (value !== undefined && !is(value)) throw wrong(full, expected, value);
  }
}

/** A value that cannot be what it is given for. */
export function wrong(name: string, expected: string, value: unknown): UsageError {
  const found = typeof value === "number" || typeof value === "bigint" || typeof value === "function"
    ? String(value) // JSON has no NaN
    : JSON.stringify(value) ?? "nothing";
  const short = found.length > 80 ? `${found.slice(0, 80)}…` : found;
  return new UsageError(`${name} must be ${expected}`, { expected, found: short });
}
