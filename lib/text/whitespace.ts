/**
 * sentence-transformers' `WhitespaceTokenizer`: words between white space, for averaged word vectors.
 *
 * @module
 */
import { join } from "node:path";
import { TokenizerError } from "../error.ts";
import { SPACE } from "./sentences.ts";
import { ENGLISH_STOP_WORDS } from "./stop_words.ts";
import type { Tokenizer } from "./tokenizer.ts";

/** The file that holds one. */
export const WHITESPACE_FILE = "whitespacetokenizer_config.json";

/** What its file says. */
export interface WhitespaceSettings {
  /** Words in the order of their ids; of a word that stands twice, the last id counts. */
  readonly vocabulary: readonly string[];
  /** Words that are left out. Default English ones. */
  readonly stopWords?: readonly string[] | undefined;
  /** Whether texts are read in lower case. Default false: a word that is not known is looked for in lower case. */
  readonly lowercase?: boolean | undefined;
}

const CUT = new RegExp(`[${SPACE}]+`);
/** Python's `string.punctuation`. */
const PUNCTUATION = /^[!-/:-@[-`{-~]+|[!-/:-@[-`{-~]+$/g;
const NONE = { ids: [], typeIds: [] };

/** The words of a text as they are looked for in the end: in lower case, without punctuation around them. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().split(CUT).map((word) => word.replace(PUNCTUATION, "")).filter((word) => word !== "");
}

/**
 * A tokenizer of words between white space. A word is looked for as it is, then without the punctuation around it, then in
 * lower case; one that is a stop word at any of these, or that is not known at all, is left out.
 *
 * @param settings Its vocabulary.
 * @returns The tokenizer; nothing stands around a text.
 *
 * @example
 * ```ts
 * import { whitespaceTokenizer } from "@kindred/kindred/text";
 * import assert from "node:assert/strict";
 * const tokenizer = whitespaceTokenizer({ vocabulary: ["PADDING_TOKEN", "cat", "Dog"] });
 * assert.deepEqual(tokenizer.bareIds("The (cat), the Dog, and DOG"), [1, 2]);
 * ```
 */
export function whitespaceTokenizer(settings: WhitespaceSettings): Tokenizer {
  const { vocabulary, stopWords = ENGLISH_STOP_WORDS, lowercase = false } = settings;
  const bytes = new TextEncoder().encode(
    JSON.stringify({ vocab: vocabulary, stop_words: stopWords, do_lower_case: lowercase }),
  );
  return tokenizerOf({ vocabulary, stopWords, lowercase }, bytes);
}

/** Loads the tokenizer of a folder with word vectors. */
export async function loadWhitespaceTokenizer(folder: string): Promise<Tokenizer> {
  const where = join(folder, WHITESPACE_FILE);
  const bytes = await Deno.readFile(where).catch((cause) => {
    throw new TokenizerError("the tokenizer of word vectors is missing", { where, cause });
  });
  let read: Record<string, unknown>;
  try {
    read = Object(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (error) {
    throw new TokenizerError("not JSON", {
      where,
      found: (error as Error).message,
      hint: "the file is damaged or cut",
    });
  }
  const { vocab, stop_words: stopWords = ENGLISH_STOP_WORDS, do_lower_case: lowercase = false } = read;
  const areTexts = (list: unknown): list is string[] =>
    Array.isArray(list) && list.every((entry) => typeof entry === "string");
  if (areTexts(vocab) && areTexts(stopWords) && typeof lowercase === "boolean") {
    return tokenizerOf({ vocabulary: vocab, stopWords, lowercase }, bytes);
  }
  throw new TokenizerError("the tokenizer of word vectors is damaged", {
    where,
    expected: "vocab and stop_words, lists of words; do_lower_case, true or false",
    found: Object.keys(read).join(", "),
  });
}

function tokenizerOf({ vocabulary, stopWords, lowercase }: Required<WhitespaceSettings>, bytes: Uint8Array): Tokenizer {
  const numbers = new Map<string, number>();
  for (let id = 0; id < vocabulary.length; id++) numbers.set(vocabulary[id]!, id);
  const stops = new Set(stopWords);
  /** The id of a word; undefined for one that is left out. */
  const idOf = (word: string): number | undefined => {
    if (stops.has(word)) return undefined;
    const whole = numbers.get(word);
    if (whole !== undefined) return whole;
    const stripped = word.replace(PUNCTUATION, "");
    if (stops.has(stripped)) return undefined;
    const known = stripped === "" ? undefined : numbers.get(stripped);
    if (known !== undefined) return known;
    const low = stripped.toLowerCase();
    return stops.has(low) ? undefined : numbers.get(low);
  };
  const bareIds = (text: string) =>
    (lowercase ? text.toLowerCase() : text).split(CUT).flatMap((word) => word === "" ? [] : idOf(word) ?? []);
  return {
    vocabSize: vocabulary.length,
    idOf: (token) => numbers.get(token),
    ids: (text, maxLength) => bareIds(text).slice(0, maxLength),
    bareIds,
    wordStarts: (text, maxLength) => new Uint8Array(bareIds(text).slice(0, maxLength).length).fill(1),
    pair: { before: NONE, firstType: 0, between: NONE, secondType: 0, behind: NONE },
    special: { pad: undefined, cls: undefined, sep: undefined, mask: undefined },
    specialIds: new Set(),
    files: new Map([[WHITESPACE_FILE, bytes]]),
  };
}
