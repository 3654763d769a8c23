/**
 * A static model that knows nothing yet.
 *
 * @module
 */
import { randomPurpose, randomStream } from "../engine/philox.ts";
import { UsageError } from "../error.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { keepTokens } from "../text/vocabulary.ts";
import type { StaticTable } from "./table.ts";

/** How a table is drawn. */
export interface RandomTableOptions {
  /** Features of a row. Default 1024. */
  readonly width?: number | undefined;
  /** Seed. Default 42. */
  readonly seed?: number | undefined;
  /** Whether embeddings have length 1. Default false, as in sentence-transformers. */
  readonly normalize?: boolean | undefined;
}

/**
 * Rows from N(0, 1) for each token, as sentence-transformers' `StaticEmbedding` starts: to be trained by pairs, which wants
 * many of them.
 *
 * @param tokenizer Its vocabulary, special tokens included.
 * @param options How wide, and which seed.
 * @returns The model.
 * @throws {UsageError} The tokenizer is no `tokenizer.json`.
 *
 * @example
 * ```ts
 * import { randomTable } from "@kindred/kindred/static";
 * import { tokenizerFromVocabulary } from "@kindred/kindred/text";
 * import assert from "node:assert/strict";
 * const table = randomTable(tokenizerFromVocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "word"]), { width: 8 });
 * assert.equal(table.rows.length, 6 * 8);
 * ```
 */
export function randomTable(tokenizer: Tokenizer, options: RandomTableOptions = {}): StaticTable {
  const { width = 1024, seed = 42, normalize = false } = options;
  const { definition } = tokenizer;
  if (definition === undefined) {
    throw new UsageError("words without a tokenizer.json cannot start at random", {
      hint: "name a model with a tokenizer of word pieces",
    });
  }
  const kept = keepTokens(definition, () => true);
  const stream = randomStream(seed, randomPurpose("model-init"), 0);
  const rows = Float32Array.from({ length: kept.ids.length * width }, () => stream.normal());
  return { rows, width, tokenizer: kept.definition, normalize };
}
