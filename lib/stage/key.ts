/**
 * Keys: the hash of everything that a result depends on, and of nothing else.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { UsageError } from "../error.ts";
import { isObject } from "../expect.ts";

/** Plain JSON. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

/** What is to be done, as plain JSON: any process that has the code and the cache could do it. */
export interface Task {
  /** Hash of all the rest but `how`. */
  readonly key: string;
  /** `name@version` of a stage. */
  readonly stage: string;
  /** Settings that change the result. */
  readonly parameters: Json;
  /** Settings that change how it is done and not what comes of it. */
  readonly how: Json;
  /** Keys of what goes in. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Engine, library, precision: only where the result is computed on the engine. */
  readonly computes?: Json | undefined;
}

/**
 * A task with its key.
 *
 * @param what The task, without the key; `how` may be left out.
 * @returns The task.
 *
 * @example
 * ```ts
 * import { taskOf } from "@kindred/kindred/stage";
 * import assert from "node:assert/strict";
 * const often = taskOf({ stage: "train@1", parameters: { epochs: 1 }, how: { saveSteps: 10 }, inputs: {} });
 * const seldom = taskOf({ stage: "train@1", parameters: { epochs: 1 }, how: { saveSteps: 500 }, inputs: {} });
 * assert.equal(often.key, seldom.key);
 * ```
 */
export function taskOf(what: Omit<Task, "key" | "how"> & { readonly how?: Json }): Task {
  const { stage, parameters, how = {}, inputs, computes } = what;
  const key = createHash("sha256").update(canonical({ stage, parameters, inputs, computes })).digest("hex");
  return { key, stage, parameters, how, inputs, ...(computes !== undefined && { computes }) };
}

/** JSON with sorted keys: equal values, equal text. What is undefined is left out. */
function canonical(value: Json | undefined): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (value !== null && typeof value === "object") {
    const entries = Object.entries(value).filter(([, v]) => v !== undefined).sort(([a], [b]) => a < b ? -1 : 1);
    return `{${entries.map(([key, v]) => `${JSON.stringify(key)}:${canonical(v)}`).join()}}`;
  }
  return JSON.stringify(value ?? null);
}

/**
 * A value as plain JSON, without what is undefined.
 *
 * @param value The value.
 * @param where What it is called, for the error.
 * @returns The same as plain JSON.
 * @throws {UsageError} Something in it cannot be written down: a function, a number that is not finite, an object that
 * is no plain record.
 */
export function plainJson(value: unknown, where: string): Json {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map((item, i) => plainJson(item, `${where}[${i}]`));
  if (typeof value === "object" && [Object.prototype, null].includes(Object.getPrototypeOf(value))) {
    const entries = Object.entries(value).filter(([, v]) => v !== undefined);
    return Object.fromEntries(entries.map(([name, v]) => [name, plainJson(v, `${where}.${name}`)]));
  }
  throw new UsageError("a setting cannot be written down, so no key could hold it", {
    where,
    expected: "plain JSON",
    found: typeof value === "object" ? value?.constructor.name ?? "object" : `${typeof value} ${String(value)}`
      .slice(0, 80),
    hint: "give a function a name and a version, and let the stage find it by them",
  });
}

/** The dotted names of all that a record holds: `settings` and `settings.seed`. */
export type PathOf<T> = T extends readonly unknown[] ? never
  : T extends object
    ? { [K in keyof T & string]-?: K | `${K}.${PathOf<Exclude<T[K], undefined>> & string}` }[keyof T & string]
  : never;

/** Settings divided in two: those that `isHow` names by their dotted path, and all others. */
export function divide(
  settings: Json,
  isHow: (path: string) => boolean,
  above = "",
): { readonly parameters: Json; readonly how: Json } {
  if (!isObject(settings)) return { parameters: settings, how: {} };
  const [parameters, how]: Record<string, Json>[] = [{}, {}];
  for (const [name, value] of Object.entries(settings)) {
    if (value === undefined) continue;
    const path = above + name;
    if (isHow(path)) how![name] = value;
    else {
      const inner = divide(value, isHow, `${path}.`);
      parameters![name] = inner.parameters;
      if (Object.keys(inner.how as object).length > 0) how![name] = inner.how;
    }
  }
  return { parameters: parameters!, how: how! };
}

/** What {@linkcode divide} has divided, as one again. */
export function unite(parameters: Json, how: Json): Json {
  if (!isObject(parameters) || !isObject(how)) return parameters;
  const united: Record<string, Json | undefined> = { ...parameters };
  for (const [name, value] of Object.entries(how)) {
    united[name] = name in parameters ? unite(parameters[name]!, value!) : value;
  }
  return united;
}
