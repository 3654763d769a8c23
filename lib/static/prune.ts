/**
 * A static model without the tokens that one's texts never have.
 *
 * @module
 */
import { UsageError } from "../error.ts";
import { keepTokens, tokensOf, unknownToken, withNeeded } from "../text/vocabulary.ts";
import type { StaticTable } from "./table.ts";
import { turn } from "../turn.ts";

/** How a vocabulary is pruned. */
export interface PruneOptions {
  /** A token stays that stands so often in the texts, at least. Default 1. */
  readonly minCount?: number | undefined;
}

/** What is left of a model. */
export interface Pruned extends StaticTable {
  /** Tokens that are left. */
  readonly tokens: number;
  /** Tokens that there were. */
  readonly of: number;
}

/**
 * How often each token of a tokenizer stands in texts.
 *
 * @param ids Tokens of one text.
 * @param texts The texts.
 * @returns The count of every id.
 */
export async function countTokens(
  ids: (text: string) => ArrayLike<number>,
  texts: readonly string[],
): Promise<ReadonlyMap<number, number>> {
  const counts = new Map<number, number>();
  for (const [row, text] of texts.entries()) {
    const found = ids(text);
    for (let i = 0; i < found.length; i++) counts.set(found[i]!, (counts.get(found[i]!) ?? 0) + 1);
    if (row % 1000 === 999) await turn();
  }
  return counts;
}

/**
 * Keeps the tokens that texts have, those that they are made of, and the special ones. With `minCount` 1 the texts have the
 * same embeddings as before; tokens that are left out for being rare become smaller ones, or unknown.
 *
 * @param table The model.
 * @param counts How often each token stands in the texts, by {@linkcode countTokens}.
 * @param options From how often on a token stays.
 * @returns The smaller model.
 * @throws {UsageError} No token of a text would be left.
 *
 * @example
 * ```ts
 * import { countTokens, pruneTable } from "@kindred/kindred/static";
 * import { tokenizerFromVocabulary } from "@kindred/kindred/text";
 * import assert from "node:assert/strict";
 * const tokenizer = tokenizerFromVocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "cat", "dog"]);
 * const table = { rows: new Float32Array(12), width: 2, tokenizer: tokenizer.definition!, normalize: true };
 * const { tokens, of } = pruneTable(table, await countTokens(tokenizer.bareIds, ["dog dog"]));
 * assert.deepEqual([tokens, of], [5, 6]);
 * ```
 */
export function pruneTable(
  table: StaticTable,
  counts: ReadonlyMap<number, number>,
  options: PruneOptions = {},
): Pruned {
  const { minCount = 1 } = options;
  if (!(Number.isInteger(minCount) && minCount > 0)) {
    throw new UsageError("minCount is no count", { expected: "a whole number above 0", found: `${minCount}` });
  }
  const { rows, width, tokenizer } = table;
  const tokens = tokensOf(tokenizer);
  const seen = tokens.filter(({ id }) => (counts.get(id) ?? 0) >= minCount).map(({ token }) => token);
  const unknown = unknownToken(tokenizer);
  if (seen.every((token) => token === unknown)) {
    throw new UsageError("no token of the texts would be left", {
      expected: `tokens that stand in the texts ${minCount === 1 ? "at all" : `${minCount} times`}`,
      hint: "give more texts, or a smaller count",
    });
  }
  const needed = withNeeded(tokenizer, new Set(seen));
  const { definition, ids } = keepTokens(
    tokenizer,
    ({ token, special }) => special || token === unknown || needed.has(token),
  );
  const kept = new Float32Array(ids.length * width);
  ids.forEach((id, row) => kept.set(rows.subarray(id * width, (id + 1) * width), row * width));
  return { ...table, rows: kept, tokenizer: definition, tokens: ids.length, of: tokens.length };
}
