/**
 * Packed batches: n sequences laid end to end, no padding anywhere.
 *
 * @module
 */

/** Token ids of many texts, laid end to end: what the tokenise stage makes once per column of a dataset. */
export interface TokenizedTexts {
  /** All ids. */
  readonly ids: Int32Array;
  /** Token types (segments) of `ids`; undefined when all are 0. */
  readonly typeIds: Int32Array | undefined;
  /** Text i is ids[offsets[i]] … ids[offsets[i + 1] − 1]. */
  readonly offsets: Int32Array;
}

/** The sequences of one step. */
export interface PackedBatch {
  /** [T] token ids. */
  readonly ids: Int32Array;
  /** [T] token types. */
  readonly typeIds: Int32Array;
  /** [T] place of each token in its sequence, from 0 (a model derives its own position ids from it). */
  readonly positions: Int32Array;
  /** [n + 1] first token of each sequence; the last entry is T. */
  readonly offsets: Int32Array;
  /** [T, 2] stream (row of the epoch × columns + column) and position of each token: the counter of dropout. */
  readonly places: Int32Array;
  /** Longest sequence, in tokens. */
  readonly maxLength: number;
}

/** One column of a batch: texts, and which of them. */
export interface PackedColumn {
  /** The tokenised texts of the column. */
  readonly texts: TokenizedTexts;
  /** Which texts, in order. */
  readonly rows: ArrayLike<number>;
}

/**
 * Lays the given rows of one or more columns end to end: all of the first column, then all of the second, …
 *
 * @param columns Tokenised texts, and which rows of each.
 * @param streams The place of each row in the epoch: with it a dropout mask does not depend on how rows are packed.
 *   Default: the place in the batch.
 * @returns Ids end to end, and where each text begins and ends.
 *
 * @example
 * ```ts
 * import { pack } from "@kindred/kindred/text";
 * import assert from "node:assert/strict";
 * const texts = { ids: Int32Array.of(1, 2, 3), typeIds: undefined, offsets: Int32Array.of(0, 2, 3) };
 * const batch = pack([{ texts, rows: [1, 0] }]);
 * assert.deepEqual([[...batch.ids], [...batch.offsets]], [[3, 1, 2], [0, 1, 3]]);
 * ```
 */
export function pack(columns: readonly PackedColumn[], streams?: ArrayLike<number>): PackedBatch {
  let sequences = 0;
  let tokens = 0;
  for (const { texts, rows } of columns) {
    sequences += rows.length;
    for (let i = 0; i < rows.length; i++) tokens += texts.offsets[rows[i]! + 1]! - texts.offsets[rows[i]!]!;
  }
  const ids = new Int32Array(tokens);
  const typeIds = new Int32Array(tokens);
  const positions = new Int32Array(tokens);
  const places = new Int32Array(2 * tokens);
  const offsets = new Int32Array(sequences + 1);
  let maxLength = 0;
  let sequence = 0;
  let t = 0;
  for (let column = 0; column < columns.length; column++) {
    const { texts, rows } = columns[column]!;
    for (let i = 0; i < rows.length; i++) {
      const start = texts.offsets[rows[i]!]!;
      const length = texts.offsets[rows[i]! + 1]! - start;
      const stream = (streams === undefined ? i : streams[i]!) * columns.length + column;
      ids.set(texts.ids.subarray(start, start + length), t);
      if (texts.typeIds !== undefined) typeIds.set(texts.typeIds.subarray(start, start + length), t);
      for (let p = 0; p < length; p++, t++) {
        positions[t] = p;
        places[2 * t] = stream;
        places[2 * t + 1] = p;
      }
      if (length > maxLength) maxLength = length;
      offsets[++sequence] = t;
    }
  }
  return { ids, typeIds, positions, offsets, places, maxLength };
}

/** Sequences `from` … `to` − 1 of a batch as a batch of their own; token arrays are views. */
export function slicePacked(batch: PackedBatch, from: number, to: number): PackedBatch {
  const start = batch.offsets[from]!;
  const end = batch.offsets[to]!;
  const offsets = batch.offsets.slice(from, to + 1).map((offset) => offset - start);
  let maxLength = 0;
  for (let i = 0; i + 1 < offsets.length; i++) maxLength = Math.max(maxLength, offsets[i + 1]! - offsets[i]!);
  return {
    ids: batch.ids.subarray(start, end),
    typeIds: batch.typeIds.subarray(start, end),
    positions: batch.positions.subarray(start, end),
    places: batch.places.subarray(2 * start, 2 * end),
    offsets,
    maxLength,
  };
}

/** What a language model reads, and what it shall say. */
export interface NextTokens {
  /** Every sequence without its last token. */
  readonly input: PackedBatch;
  /** [T] the token that follows each of the input, or −1 where that is padding and does not count. */
  readonly targets: Int32Array;
}

/** Splits a batch for a model that reads from left to right and guesses the next token. Needs no token of its own. */
export function nextTokens(batch: PackedBatch, pad: number | undefined): NextTokens {
  const lengths = Array.from({ length: batch.offsets.length - 1 }, (_, i) => batch.offsets[i + 1]! - batch.offsets[i]!);
  const offsets = new Int32Array(batch.offsets.length);
  for (const [i, length] of lengths.entries()) offsets[i + 1] = offsets[i]! + Math.max(0, length - 1);
  const rows = new Int32Array(offsets.at(-1)!); // of the batch
  for (let i = 0, t = 0; i < lengths.length; i++) {
    for (let p = 0; p + 1 < lengths[i]!; p++) rows[t++] = batch.offsets[i]! + p;
  }
  return {
    input: {
      ids: rows.map((row) => batch.ids[row]!),
      typeIds: rows.map((row) => batch.typeIds[row]!),
      positions: rows.map((row) => batch.positions[row]!),
      places: placesOf(batch, rows),
      offsets,
      maxLength: Math.max(0, batch.maxLength - 1),
    },
    targets: rows.map((row) => batch.ids[row + 1] === pad ? -1 : batch.ids[row + 1]!),
  };
}

/** Where dropout finds some rows of a batch: [n, 2]. */
export function placesOf({ places }: PackedBatch, rows: Int32Array): Int32Array {
  return Int32Array.from({ length: 2 * rows.length }, (_, i) => places[2 * rows[i >> 1]! + (i & 1)]!);
}

/**
 * The row of each sequence's first or last token.
 *
 * @param packed The sequences.
 * @param end Which of the two.
 * @param skip Leading tokens of each sequence that do not count.
 * @returns Rows among all tokens; undefined if a sequence has none that counts.
 */
export function endRows({ offsets }: PackedBatch, end: "first" | "last", skip = 0): Int32Array | undefined {
  const rows = new Int32Array(offsets.length - 1);
  for (let i = 0; i < rows.length; i++) {
    const [first, behind] = [offsets[i]! + skip, offsets[i + 1]!];
    if (first >= behind) return undefined;
    rows[i] = end === "first" ? first : behind - 1;
  }
  return rows;
}
