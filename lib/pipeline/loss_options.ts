/**
 * `--loss-options`: what a loss is told on the command line.
 *
 * @module
 */
import { UsageError } from "../error.ts";
import type { FlagValues } from "./flags.ts";
import { text } from "./settings.ts";

/** A loss's name, or a value, as the library has it. */
export const snake = (name: string): string => name.replaceAll("-", "_");

/** `k=10,weighting=lambda-rank`, or JSON; undefined without the flag. */
export function lossOptions(values: FlagValues): Record<string, unknown> | undefined {
  const given = text(values, "loss-options")?.trim();
  if (given === undefined || given === "") return undefined;
  const refuse = (found: string) =>
    new UsageError("--loss-options cannot be read", { expected: "name=value,…, or JSON", found });
  const parse = (value: string): unknown => {
    try {
      return JSON.parse(value);
    } catch {
      return /^[-+]?\.\d+$/.test(value) ? Number(value) : undefined; // .5 is no JSON
    }
  };
  if (given.startsWith("{")) {
    const parsed = parse(given);
    if (typeof parsed !== "object" || parsed === null) throw refuse(given);
    return parsed as Record<string, unknown>;
  }
  return Object.fromEntries(
    given.split(",").map((part) => {
      const [name, value, more] = part.split("=").map((side) => side.trim());
      if (!name || !value || more !== undefined) throw refuse(part);
      const camel = name.replace(/[-_]([a-z])/g, (_, letter: string) => letter.toUpperCase());
      return [camel, parse(value) ?? snake(value)];
    }),
  );
}
