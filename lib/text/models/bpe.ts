/**
 * Byte pair encoding (Sennrich et al. 2016, arXiv 1508.07909): a word begins as single characters, and of all pairs of
 * neighbours that can be merged the one that was learnt first is, the leftmost if there are several.
 *
 * @module
 */
import { TokenizerError } from "../../error.ts";
import { type Json, list, refuse, setting, vocabularyOf } from "../definition.ts";
import { utf8Bytes } from "../unicode/utf8.ts";
import { type Model, withoutUnknown } from "./model.ts";
import { pairTable } from "./pair_table.ts";

/** The model of a definition. Dropout is for training a tokenizer's model and does not count here. */
export function bpe(definition: Json): Model {
  const vocabulary = vocabularyOf(definition);
  const unknown = definition["unk_token"] as string | null | undefined;
  const prefix = setting(definition, "continuing_subword_prefix", "", "");
  const suffix = setting(definition, "end_of_word_suffix", "", "");
  const fuses = setting(definition, "fuse_unk", true, false);
  const wholeWords = setting(definition, "ignore_merges", true, false);
  const fallsBack = setting(definition, "byte_fallback", true, false);
  const dropout = definition["dropout"] ?? 0;
  if (typeof dropout !== "number") return refuse("dropout of this kind", String(dropout), "a number");
  const unknownId = typeof unknown === "string" ? vocabulary.get(unknown) : undefined;
  const bytes = fallsBack ? byteIds(vocabulary) : undefined;
  const merge = merger(definition, vocabulary, prefix);

  /** Ids of a character as it stands in a word, and whether it is a token itself; no ids if it is unknown. */
  interface Spelling {
    readonly ids: readonly number[];
    readonly isToken: boolean;
  }
  const spellings = new Map<number, Spelling>();
  function spellingOf(code: number, isFirst: boolean, isLast: boolean): Spelling {
    const key = 4 * code + (isFirst ? 0 : 1) + (isLast ? 2 : 0);
    let spelling = spellings.get(key);
    if (spelling === undefined) {
      const symbol = (isFirst ? "" : prefix) + String.fromCodePoint(code) + (isLast ? suffix : "");
      const id = vocabulary.get(symbol);
      const codes = id !== undefined || bytes === undefined ? [] : utf8Bytes(symbol).map((b) => bytes[b]!);
      const ids = id !== undefined ? [id] : codes.some((code) => code < 0) ? [] : codes;
      spelling = { ids, isToken: id !== undefined };
      if (spellings.size < 1 << 18) spellings.set(key, spelling);
    }
    return spelling;
  }

  /** Ids of a word's characters, before any merge. */
  function characters(word: string): number[] {
    const ids: number[] = [];
    let pending = -1; // an unknown token that is not written yet
    for (let i = 0; i < word.length;) {
      const code = word.codePointAt(i)!;
      const next = i + (code > 0xffff ? 2 : 1);
      const spelling = spellingOf(code, i === 0, next >= word.length);
      i = next;
      if (spelling.ids.length > 0) {
        // Bytes go before an unknown token that is pending, as in the reference.
        if (spelling.isToken && pending >= 0) {
          ids.push(pending);
          pending = -1;
        }
        for (const id of spelling.ids) ids.push(id);
        continue;
      }
      if (typeof unknown !== "string") continue; // the reference leaves it out
      if (unknownId === undefined) throw withoutUnknown(word, unknown);
      if (pending >= 0 && !fuses) ids.push(pending);
      pending = unknownId;
    }
    if (pending >= 0) ids.push(pending);
    return ids;
  }

  return {
    vocabulary,
    tokenize(word, ids) {
      const whole = wholeWords ? vocabulary.get(word) : undefined;
      if (whole !== undefined) ids.push(whole);
      else merge(characters(word), ids);
    },
  };
}

/** Ids of the tokens that stand for one byte, <0x00> … <0xFF>; −1 for those that are not there. */
export function byteIds(vocabulary: ReadonlyMap<string, number>): Int32Array {
  return Int32Array.from(
    { length: 256 },
    (_, byte) => vocabulary.get(`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`) ?? -1,
  );
}

/** Merges of a definition: pairs, or texts with a space between the two. */
function readMerges(definition: Json): readonly (readonly [string, string])[] {
  return list(definition["merges"], "merges").flatMap((merge, i) => {
    if (typeof merge === "string" && merge.startsWith("#version")) return [];
    const parts = typeof merge === "string" ? merge.split(" ") : merge;
    if (Array.isArray(parts) && parts.length === 2 && parts.every((part) => typeof part === "string")) {
      return [parts as [string, string]];
    }
    throw new TokenizerError("a merge of the tokenizer is not a pair", { where: `merge ${i}`, found: String(merge) });
  });
}

/** A function that merges neighbours and appends what is left. */
function merger(definition: Json, vocabulary: ReadonlyMap<string, number>, prefix: string) {
  const merges = readMerges(definition);
  const idOf = (token: string, rank: number): number => {
    const id = vocabulary.get(token);
    if (id !== undefined) return id;
    throw new TokenizerError("a merge of the tokenizer makes no token of its vocabulary", {
      where: `merge ${rank}`,
      found: token,
    });
  };
  const ranks = pairTable(merges.length);
  const made = new Int32Array(merges.length);
  for (const [rank, [left, right]] of merges.entries()) {
    made[rank] = idOf(left + right.slice(prefix.length), rank);
    ranks.set(idOf(left, rank), idOf(right, rank), rank);
  }
  const queue = mergeQueue();

  return (symbols: number[], ids: number[]): void => {
    const count = symbols.length;
    if (count < 2 || merges.length === 0) {
      for (const symbol of symbols) ids.push(symbol);
      return;
    }
    // A linked list of what is left; a symbol that went into its left neighbour is −1.
    const previous = new Int32Array(count);
    const next = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      previous[i] = i - 1;
      next[i] = i + 1;
      const rank = i + 1 < count ? ranks.get(symbols[i]!, symbols[i + 1]!) : -1;
      if (rank >= 0) queue.push(rank, i);
    }
    while (queue.pop()) {
      const { rank, place } = queue;
      const right = next[place]!;
      if (symbols[place]! < 0 || right >= count) continue;
      // What was queued may be out of date: it holds if the two make the same token still.
      const now = ranks.get(symbols[place]!, symbols[right]!);
      if (now < 0 || made[now] !== made[rank]) continue;
      symbols[place] = made[rank]!;
      symbols[right] = -1;
      const after = next[place] = next[right]!;
      if (after < count) {
        previous[after] = place;
        const rank = ranks.get(symbols[place]!, symbols[after]!);
        if (rank >= 0) queue.push(rank, place);
      }
      const before = previous[place]!;
      if (before >= 0) {
        const rank = ranks.get(symbols[before]!, symbols[place]!);
        if (rank >= 0) queue.push(rank, before);
      }
    }
    for (let i = 0; i < count; i = next[i]!) ids.push(symbols[i]!);
  };
}

/** A heap of merges to do: the lowest rank first, then the leftmost place. */
function mergeQueue() {
  const keys: number[] = [];
  const PLACES = 2 ** 27; // a place is below it; rank · PLACES + place stays below 2⁵³
  return {
    /** Of the merge that `pop` took out. */
    rank: 0,
    /** Of the merge that `pop` took out. */
    place: 0,
    push(rank: number, place: number): void {
      const key = rank * PLACES + place;
      let at = keys.length;
      keys.push(key);
      for (let parent = (at - 1) >> 1; at > 0 && keys[parent]! > key; parent = (at - 1) >> 1) {
        keys[at] = keys[parent]!;
        at = parent;
      }
      keys[at] = key;
    },
    pop(): boolean {
      if (keys.length === 0) return false;
      const top = keys[0]!;
      const key = keys.pop()!;
      const size = keys.length;
      let at = 0;
      if (size > 0) {
        for (let child = 1; child < size; child = 2 * at + 1) {
          if (child + 1 < size && keys[child + 1]! < keys[child]!) child++;
          if (keys[child]! >= key) break;
          keys[at] = keys[child]!;
          at = child;
        }
        keys[at] = key;
      }
      this.rank = Math.floor(top / PLACES);
      this.place = top % PLACES;
      return true;
    },
  };
}
