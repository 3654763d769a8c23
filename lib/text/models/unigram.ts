/**
 * The unigram language model of SentencePiece (Kudo 2018, arXiv 1804.10959): of all ways to put a word together the
 * one whose tokens have the highest sum of log-probabilities, found by the algorithm of Viterbi.
 *
 * @module
 */
import { TokenizerError } from "../../error.ts";
import { type Json, list, setting } from "../definition.ts";
import { utf8Bytes } from "../unicode/utf8.ts";
import { byteIds } from "./bpe.ts";
import { type Model, withoutUnknown } from "./model.ts";
import { trieOf } from "./trie.ts";

/** How much less likely an unknown character is than the least likely token. */
const UNKNOWN_PENALTY = 10;

/** The model of a definition. */
export function unigram(definition: Json): Model {
  const vocabulary = new Map<string, number>();
  const entries = list(definition["vocab"], "the vocabulary");
  const scores = new Float64Array(entries.length);
  let lowest = Infinity;
  for (const [id, entry] of entries.entries()) {
    const [token, score] = entry as [unknown, unknown];
    if (typeof token !== "string" || typeof score !== "number") {
      throw new TokenizerError("an entry of the vocabulary is no token with its score", {
        where: `entry ${id}`,
        found: JSON.stringify(entry),
      });
    }
    vocabulary.set(token, id);
    scores[id] = asReferenceReads(score);
    if (scores[id]! < lowest) lowest = scores[id]!;
  }
  const given = definition["unk_id"] ?? undefined;
  if (
    given !== undefined && !(Number.isInteger(given) && (given as number) >= 0 && (given as number) < scores.length)
  ) {
    throw new TokenizerError("the tokenizer's unk_id is not in its vocabulary", {
      expected: `0 … ${scores.length - 1}`,
      found: String(given),
    });
  }
  const unknownId = given as number | undefined;
  const unknownScore = lowest - UNKNOWN_PENALTY;
  const bytes = setting(definition, "byte_fallback", true, false) ? byteIds(vocabulary) : undefined;
  const trie = trieOf(vocabulary);

  // Of the best path that ends at each place of a word: its score, its last token and where that begins.
  let best = new Float64Array(64);
  let tokens = new Int32Array(64);
  let starts = new Int32Array(64);

  return {
    vocabulary,
    tokenize(word, ids) {
      const size = word.length;
      if (size >= starts.length) {
        best = new Float64Array(2 * size);
        tokens = new Int32Array(2 * size);
        starts = new Int32Array(2 * size);
      }
      best[0] = 0;
      starts.fill(-1, 0, size + 1);
      const reach = (start: number, end: number, token: number, score: number) => {
        if (starts[end]! >= 0 && score <= best[end]!) return;
        best[end] = score;
        tokens[end] = token;
        starts[end] = start;
      };
      for (let start = 0; start < size;) {
        const next = start + (word.codePointAt(start)! > 0xffff ? 2 : 1);
        let known = false;
        let node = 0;
        for (let end = start; end < size;) {
          node = trie.child(node, word.charCodeAt(end++));
          if (node < 0) break;
          const token = trie.value(node);
          if (token < 0) continue;
          reach(start, end, token, scores[token]! + best[start]!);
          if (end === next) known = true;
        }
        if (!known) {
          if (unknownId === undefined) throw withoutUnknown(word, undefined);
          reach(start, next, unknownId, unknownScore + best[start]!);
        }
        start = next;
      }
      const first = ids.length;
      for (let end = size; end > 0;) {
        let start = starts[end]!;
        if (tokens[end] !== unknownId) ids.push(tokens[end]!);
        else {
          // Unknown neighbours are one; by chance they may be a token after all.
          while (start > 0 && tokens[start] === unknownId) start = starts[start]!;
          const run = word.slice(start, end);
          const codes = bytes !== undefined && !vocabulary.has(run) ? utf8Bytes(run) : undefined;
          if (codes?.every((byte) => bytes![byte]! >= 0)) {
            for (let i = codes.length - 1; i >= 0; i--) ids.push(bytes![codes[i]!]!);
          } else ids.push(vocabulary.get(run) ?? unknownId!);
        }
        end = start;
      }
      for (let i = first, j = ids.length - 1; i < j; i++, j--) [ids[i], ids[j]] = [ids[j]!, ids[i]!];
    },
  };
}

/**
 * A score as the reference reads it of the file: its digits as one whole number, rounded, over a power of ten, rounded
 * again. A path of the same tokens in another order differs in its last bit only, and so decides that bit.
 */
function asReferenceReads(score: number): number {
  const [, sign, whole, behind = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(String(score)) ?? [];
  return whole === undefined ? score : Number(sign + whole + behind) / Number(`1e${behind.length}`);
}
