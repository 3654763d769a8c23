/**
 * What the options of losses may be, for descriptions of losses in plain JSON.
 *
 * @module
 */
import { UsageError } from "../error.ts";

/** What an option may be: in words, and as a test. */
export type OptionRule = readonly [expected: string, holds: (value: unknown) => boolean];

/** The options of a loss, by name. */
export type OptionRules = Readonly<Record<string, OptionRule>>;

const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const isList = (value: unknown, holds: (one: unknown) => boolean): boolean =>
  Array.isArray(value) && value.length > 0 && value.every(holds);
const wholeFrom = (least: number): OptionRule => [
  `a whole number from ${least}`,
  (value) => Number.isSafeInteger(value) && value as number >= least,
];

/** A number above 0. */
export const ABOVE_ZERO: OptionRule = ["a number above 0", (value) => isNumber(value) && value > 0];
/** Any finite number. */
export const NUMBER: OptionRule = ["a number", isNumber];
/** A switch. */
export const SWITCH: OptionRule = ["true or false", (value) => typeof value === "boolean"];
/** A number of classes. */
export const COUNT: OptionRule = wholeFrom(2);
/** A number of things of which there is at least one. */
export const POSITIVE: OptionRule = wholeFrom(1);
/** A number of things. */
export const WHOLE: OptionRule = wholeFrom(0);
/** One of these words. */
export const oneOf = (...values: readonly string[]): OptionRule => [
  values.join(", "),
  (value) => typeof value === "string" && values.includes(value),
];
/** Some of these words. */
export const someOf = (...values: readonly string[]): OptionRule => [
  `some of ${values.join(", ")}`,
  (value) => isList(value, (each) => values.includes(each as string)),
];
/** Several values that each keep this rule. */
export const listOf = ([expected, holds]: OptionRule): OptionRule => [
  `a list, each ${expected}`,
  (value) => isList(value, holds),
];
/** A number that something counts. */
export const FROM_ZERO: OptionRule = ["a number from 0", (value) => isNumber(value) && value >= 0];

/** An option that a loss would ignore, or cannot use, is an error; without rules nothing is checked. */
export function checkOptions(name: string, options: object | undefined, rules: OptionRules | undefined): void {
  if (rules === undefined) return;
  for (const [option, value] of Object.entries(options ?? {})) {
    const rule = rules[option];
    if (rule === undefined) {
      throw new UsageError(`the loss ${name} has no option ${option}`, {
        expected: Object.keys(rules).join(", ") || "no options",
        found: option,
      });
    }
    if (value !== undefined && !rule[1](value)) {
      throw new UsageError(`the option ${option} of the loss ${name} cannot be used`, {
        expected: rule[0],
        found: JSON.stringify(value) ?? `${value}`,
      });
    }
  }
}
