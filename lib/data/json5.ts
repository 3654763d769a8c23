/**
 * JSON5: JSON as people write it, with comments, trailing commas, unquoted names and single quotes.
 *
 * @module
 */
import { DatasetError } from "../error.ts";

const ESCAPES: Readonly<Record<string, string>> = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  0: "\0",
};

/**
 * The value of a JSON5 text (json5.org). A `DatasetError` says line and column of what is wrong; `where` names the text.
 *
 * @example
 * ```ts
 * import { parseJson5 } from "@kindred/kindred/data";
 * import assert from "node:assert/strict";
 * assert.deepEqual(parseJson5("{name: 'a', // first\n list: [1, +.5, 0x10,],}"), { name: "a", list: [1, 0.5, 16] });
 * ```
 */
export function parseJson5(text: string, where = "JSON5"): unknown {
  let at = 0;
  const fail = (expected: string): never => {
    const before = text.slice(0, at).split("\n");
    throw new DatasetError("the file is no JSON", {
      where: `${where}:${before.length}:${before.at(-1)!.length + 1}`,
      expected,
      found: at < text.length ? JSON.stringify(text.slice(at, at + 20)) : "the end",
    });
  };
  /** Takes what a sticky pattern matches here. */
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(text)?.[0];
    at += match?.length ?? 0;
    return match;
  };
  const skip = () => void take(/(?:[\s\ufeff]|\/\/[^\n\r\u2028\u2029]*|\/\*[^]*?\*\/)*/y);
  const comes = (mark: string): boolean => {
    skip();
    if (!text.startsWith(mark, at)) return false;
    at += mark.length;
    return true;
  };

  const string = (quote: string): string => {
    let result = "";
    while (true) {
      const plain = take(quote === '"' ? /[^"\\\n\r]+/y : /[^'\\\n\r]+/y);
      if (plain !== undefined) result += plain;
      if (text[at] === quote) {
        at++;
        return result;
      }
      if (text[at] !== "\\" || at + 1 >= text.length) fail(`the end of the string, ${quote}`);
      at++;
      const code = take(/x[\da-f]{2}|u[\da-f]{4}/iy);
      if (code !== undefined) result += String.fromCharCode(parseInt(code.slice(1), 16));
      else if (take(/\r\n|[\n\r\u2028\u2029]/y) === undefined) { // a break after a backslash is no part of the string
        const letter = text[at++]!;
        if (/[1-9xu]/.test(letter)) fail("an escape");
        result += ESCAPES[letter] ?? letter;
      }
    }
  };

  const value = (): unknown => {
    if (comes("{")) {
      const entries: [string, unknown][] = [];
      while (!comes("}")) {
        const name = comes('"') ? string('"') : comes("'") ? string("'") : take(/[\p{L}$_][\p{L}\p{N}$_]*/uy);
        if (name === undefined) return fail("a name or }");
        if (!comes(":")) fail(":");
        entries.push([name, value()]);
        if (comes(",")) continue;
        if (!comes("}")) fail(", or }");
        break;
      }
      return Object.fromEntries(entries);
    }
    if (comes("[")) {
      const values: unknown[] = [];
      while (!comes("]")) {
        values.push(value());
        if (comes(",")) continue;
        if (!comes("]")) fail(", or ]");
        break;
      }
      return values;
    }
    if (comes('"')) return string('"');
    if (comes("'")) return string("'");
    const number = take(/[+-]?(?:0x[\da-f]+|Infinity|NaN|(?:(?:0|[1-9]\d*)\.?\d*|\.\d+)(?:e[+-]?\d+)?)/iy);
    if (number !== undefined) {
      const size = Number(number.replace(/^[+-]/, ""));
      return number.startsWith("-") ? -size : size;
    }
    const word = take(/(?:true|false|null)(?![\p{L}\p{N}$_])/uy);
    return word === undefined ? fail("a value") : JSON.parse(word);
  };

  const result = value();
  skip();
  if (at < text.length) fail("the end");
  return result;
}
