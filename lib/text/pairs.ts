/**
 * Two texts as one sequence, for cross-encoders: [CLS] a [SEP] b [SEP], or what the tokenizer has instead.
 *
 * Texts are tokenised once, alone; pairs are put together when a batch is packed. So a query is tokenised once for all
 * its documents, and a text once for all pairs it is in.
 *
 * @module
 */
import { TokenizerError } from "../error.ts";
import type { PackedBatch, PackedColumn, TokenizedTexts } from "./packed.ts";
import { type PairTemplate, specialTokens, type TemplatePart } from "./pair_template.ts";
import { SPACE } from "./sentences.ts";
import { tokenizeBy, type Tokenizer } from "./tokenizer.ts";

/** Tokens of a pair of texts of `one` and `two` tokens, cut to `maxLength`. */
export function pairLength(template: PairTemplate, one: number, two: number, maxLength: number): number {
  return Math.min(maxLength, one + two + specialTokens(template));
}

/**
 * How much of two texts stays when both must fit into `room`: the longer one gives way, as transformers'
 * `longest_first`; where both must be cut they share the room, and an odd token goes to the one that was longer, or to
 * the second of two equal ones.
 */
export function cutLongestFirst(one: number, two: number, room: number): [number, number] {
  if (room < 0) throw new TokenizerError("the special tokens alone are longer than the sequence may be");
  if (one + two <= room) return [one, two];
  const short = Math.min(one, two);
  const long = Math.max(short, room - short);
  const [less, more] = short + long <= room ? [short, long] : [Math.floor(room / 2), Math.floor(room / 2) + room % 2];
  return one > two ? [more, less] : [less, more];
}

/** Options of {@linkcode tokenizeBare}. */
export interface BareOptions {
  /** Text put before each. */
  readonly prompt?: string | undefined;
  /** Take off white space at both ends first, as sentence-transformers did before version 4. Default false. */
  readonly strip?: boolean;
}

/** What Python's `str.strip` takes off. */
const ENDS = new RegExp(`^[${SPACE}]+|[${SPACE}]+$`, "g");

/**
 * Tokenises texts without special tokens and uncut, each distinct one once: what {@linkcode packPairs} makes pairs of.
 *
 * @param tokenizer From {@linkcode loadTokenizer}.
 * @param texts n texts.
 * @param options What stands before each, and whether white space is taken off.
 * @returns Ids of the n texts, one after the other.
 */
export async function tokenizeBare(
  tokenizer: Pick<Tokenizer, "bareIds">,
  texts: readonly string[],
  options: BareOptions = {},
): Promise<TokenizedTexts> {
  const { prompt = "", strip = false } = options;
  return await tokenizeBy((text) => tokenizer.bareIds(prompt + (strip ? text.replace(ENDS, "") : text)), texts);
}

/** The texts of several columns as one: text i of column c becomes c · rows + i, if all columns have so many rows. */
export function concatTexts(columns: readonly TokenizedTexts[]): TokenizedTexts {
  if (columns.length === 1) return columns[0]!;
  const ids = new Int32Array(columns.reduce((sum, column) => sum + column.ids.length, 0));
  const offsets = new Int32Array(columns.reduce((sum, column) => sum + column.offsets.length - 1, 1));
  let [token, text] = [0, 0];
  for (const column of columns) {
    ids.set(column.ids, token);
    for (let i = 1; i < column.offsets.length; i++) offsets[++text] = token + column.offsets[i]!;
    token += column.ids.length;
  }
  return { ids, typeIds: undefined, offsets };
}

/** Options of {@linkcode packPairs}. */
export interface PackPairsOptions {
  /** Longest sequence in tokens, special ones included; longer pairs are cut by {@linkcode cutLongestFirst}. */
  readonly maxLength: number;
  /** Stream of each pair for dropout. Default: its place in the batch. */
  readonly streams?: ArrayLike<number>;
}

/**
 * Lays pairs of bare texts end to end, special tokens around them: pair i is text `first.rows[i]` with
 * `second.rows[i]`.
 *
 * @param template The special tokens around a pair, from the tokenizer.
 * @param first First texts, from {@linkcode tokenizeBare}, and which rows.
 * @param second Second texts, and which rows; as many.
 * @param options How long a pair may be; the longer text is cut first.
 * @returns Ids end to end, and where each pair begins and ends.
 *
 * @example
 * ```ts
 * import { packPairs, tokenizeBare, tokenizerFromVocabulary } from "@kindred/kindred/text";
 * import assert from "node:assert/strict";
 * const tokenizer = tokenizerFromVocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "red", "fish"]);
 * const texts = await tokenizeBare(tokenizer, ["red fish", "fish"]);
 * const batch = packPairs(tokenizer.pair, { texts, rows: [0] }, { texts, rows: [1] }, { maxLength: 512 });
 * assert.deepEqual([...batch.ids], [2, 5, 6, 3, 6, 3]);
 * assert.deepEqual([...batch.typeIds], [0, 0, 0, 0, 1, 1]);
 * ```
 */
export function packPairs(
  template: PairTemplate,
  first: PackedColumn,
  second: PackedColumn,
  options: PackPairsOptions,
): PackedBatch {
  const { maxLength, streams } = options;
  const { before, between, behind } = template;
  const pairs = first.rows.length;
  const room = maxLength - specialTokens(template);
  const lengthOf = ({ texts, rows }: PackedColumn, i: number) =>
    texts.offsets[rows[i]! + 1]! - texts.offsets[rows[i]!]!;
  const offsets = new Int32Array(pairs + 1);
  for (let i = 0; i < pairs; i++) {
    if (room < 0) cutLongestFirst(0, 0, room);
    offsets[i + 1] = offsets[i]! + pairLength(template, lengthOf(first, i), lengthOf(second, i), maxLength);
  }
  const tokens = offsets[pairs]!;
  const ids = new Int32Array(tokens);
  const typeIds = new Int32Array(tokens);
  const positions = new Int32Array(tokens);
  const places = new Int32Array(2 * tokens);
  let maxFound = 0;
  for (let i = 0; i < pairs; i++) {
    const [keepFirst, keepSecond] = cutLongestFirst(lengthOf(first, i), lengthOf(second, i), room);
    let t = offsets[i]!;
    const special = (part: TemplatePart) => {
      ids.set(part.ids, t);
      typeIds.set(part.typeIds, t);
      t += part.ids.length;
    };
    const text = ({ texts, rows }: PackedColumn, size: number, type: number) => {
      const cut = template.cutsStart ? texts.offsets[rows[i]! + 1]! - texts.offsets[rows[i]!]! - size : 0;
      const start = texts.offsets[rows[i]!]! + cut;
      ids.set(texts.ids.subarray(start, start + size), t);
      if (type !== 0) typeIds.fill(type, t, t + size);
      t += size;
    };
    special(before);
    text(first, keepFirst, template.firstType);
    special(between);
    text(second, keepSecond, template.secondType);
    special(behind);
    const length = t - offsets[i]!;
    const stream = streams === undefined ? i : streams[i]!;
    for (let p = 0; p < length; p++) {
      positions[offsets[i]! + p] = p;
      places[2 * (offsets[i]! + p)] = stream;
      places[2 * (offsets[i]! + p) + 1] = p;
    }
    if (length > maxFound) maxFound = length;
  }
  return { ids, typeIds, positions, offsets, places, maxLength: maxFound };
}
