/**
 * Reading the parts of `tokenizer.json`: objects, their types and settings, with errors that name what is wrong.
 *
 * @module
 */
import { TokenizerError } from "../error.ts";
import { isObject } from "../expect.ts";

/** An object of a JSON file. */
export type Json = Readonly<Record<string, unknown>>;

/** What is not covered exactly is refused by its name. */
export function refuse(what: string, found: string, expected?: string): never {
  throw new TokenizerError(`${what} is not supported`, {
    found,
    ...(expected === undefined ? {} : { expected }),
    hint: "texts would get other tokens than in Python; open an issue that names the model",
  });
}

/** An object, or an error. */
export function object(value: unknown, what: string): Json {
  if (isObject(value)) return value as Json;
  throw new TokenizerError(`${what} of the tokenizer is not an object`, {
    found: JSON.stringify(value)?.slice(0, 80) ?? "nothing",
  });
}

/** A list, or an error. */
export function list(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new TokenizerError(`${what} of the tokenizer is not a list`, {
    found: JSON.stringify(value)?.slice(0, 80) ?? "nothing",
  });
}

/** A setting that must be there, or has a default. */
export function setting<A extends string | number | boolean>(part: Json, key: string, kind: A, fallback?: A): Widen<A> {
  const value = part[key] ?? fallback;
  if (typeof value === typeof kind) return value as Widen<A>;
  throw new TokenizerError(`${part["type"] ?? "a part"} of the tokenizer lacks a setting`, {
    expected: `a ${typeof kind} for ${key}`,
    found: JSON.stringify(part[key]) ?? "nothing",
  });
}

type Widen<A> = A extends string ? string : A extends number ? number : boolean;

/** A vocabulary given as an object: token → id. */
export function vocabularyOf(model: Json): Map<string, number> {
  const vocabulary = new Map<string, number>();
  const ids = object(model["vocab"], "the vocabulary");
  for (const token of Object.keys(ids)) { // a pair for each token, as of Object.entries, takes twice as long
    const id = ids[token];
    if (!Number.isInteger(id) || (id as number) < 0 || (id as number) > 0x7fffffff) {
      throw new TokenizerError("a token of the vocabulary has no possible id", { where: token, found: String(id) });
    }
    vocabulary.set(token, id as number);
  }
  return vocabulary;
}
