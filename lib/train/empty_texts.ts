/**
 * Texts without a word among those that are trained on.
 *
 * @module
 */
import { counted } from "../counted.ts";

/**
 * Counts the texts of each column that are empty or hold nothing but spaces, and says so.
 *
 * @param columns Texts by the name of their column.
 * @returns One warning for each column that has any.
 *
 * @example
 * ```ts
 * import { emptyTextWarnings } from "@kindred/kindred/train";
 * import assert from "node:assert/strict";
 * assert.deepEqual(emptyTextWarnings({ anchor: ["a cat", "a dog"], positive: ["the cat", " "] }), [
 *   "1 of 2 texts in the column positive is empty",
 * ]);
 * ```
 */
export function emptyTextWarnings(columns: Readonly<Record<string, readonly string[]>>): string[] {
  return Object.entries(columns).flatMap(([name, texts]) => {
    const empty = texts.reduce((count, text) => count + (/\S/.test(text) ? 0 : 1), 0);
    return empty === 0
      ? []
      : [`${empty} of ${counted(texts.length, "text")} in the column ${name} ${empty === 1 ? "is" : "are"} empty`];
  });
}
