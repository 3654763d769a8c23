/**
 * Checks of arguments that many functions share.
 *
 * @module
 */
import { UsageError } from "./error.ts";

/** Throws a `UsageError` that names the argument unless it is a whole number from `from` (1, if nothing is said) on. */
export function expectWholeNumber(name: string, value: number, from = 1): void {
  if (Number.isSafeInteger(value) && value >= from) return;
  const expected = `a whole number from ${from}`;
  throw new UsageError(`${name} must be ${expected}`, { expected, found: String(value) });
}

/** Throws a `UsageError` that names the argument unless it is one of the names there are. */
export function expectOneOf<Name extends string>(
  name: string,
  value: string,
  names: readonly Name[],
): asserts value is Name {
  if ((names as readonly string[]).includes(value)) return;
  throw new UsageError(`there is no such ${name}`, { expected: names.join(", "), found: String(value) });
}

/** Whether a value is an object with fields, as JSON's: neither null nor a list. */
export const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
