/**
 * Flat lists of texts, for training without labels.
 *
 * @module
 */
import { counted } from "../counted.ts";
import { DatasetError } from "../error.ts";

/** A list of texts, and how many were left out of it. */
export interface DistinctTexts {
  /** Each text once, in the order of first occurrence. */
  readonly texts: readonly string[];
  /** Repetitions. */
  readonly dropped: number;
}

/**
 * All texts of the columns, one column after the other, each text once. A list without any word is refused.
 *
 * The order is that of first occurrence: the same in every run, unlike that of Python's `set`.
 *
 * @param columns Lists of texts.
 * @returns The texts, and where each of them came from.
 * @throws {DatasetError} No list has a text with a word in it.
 *
 * @example
 * ```ts
 * import { distinctTexts } from "@kindred/kindred/data";
 * import assert from "node:assert/strict";
 * const premise = ["a man sleeps", "a man sleeps", "a dog runs"];
 * const hypothesis = ["he is awake", "he rests", "a dog runs"];
 * assert.deepEqual(distinctTexts([premise, hypothesis]), {
 *   texts: ["a man sleeps", "a dog runs", "he is awake", "he rests"],
 *   dropped: 2,
 * });
 * ```
 */
export function distinctTexts(columns: readonly (readonly string[])[]): DistinctTexts {
  const texts = new Set<string>();
  let rows = 0;
  for (const column of columns) {
    for (const text of column) texts.add(text);
    rows += column.length;
  }
  if (![...texts].some((text) => text.trim() !== "")) {
    throw new DatasetError("there is no text to learn from", {
      expected: "at least one text that is not blank",
      found: counted(rows, "row"),
    });
  }
  return { texts: [...texts], dropped: rows - texts.size };
}
