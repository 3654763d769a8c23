/**
 * Vocabularies of `tokenizer.json` made smaller and larger, with tokens numbered anew.
 *
 * @module
 */
import { TokenizerError } from "../error.ts";
import { addedTokenOf } from "./added_tokens.ts";
import { type Json, list, object, vocabularyOf } from "./definition.ts";
import { wordsOf } from "./pipeline.ts";
import { templatesOf } from "./post_processor.ts";

/** What `tokenizer.json` holds. */
export type TokenizerDefinition = Readonly<Record<string, unknown>>;

/** A token of a vocabulary. */
export interface VocabularyToken {
  /** As the file has it, prefixes of word pieces included. */
  readonly token: string;
  /** Its number. */
  readonly id: number;
  /** Whether it is cut out of a text before anything else is done. */
  readonly added: boolean;
  /** Whether it marks something, and is no part of a text. */
  readonly special: boolean;
}

/** A vocabulary that was made smaller. */
export interface KeptTokens {
  /** What `tokenizer.json` is to hold. */
  readonly definition: TokenizerDefinition;
  /** The former ids of its tokens, in the order of the new ones. */
  readonly ids: Int32Array;
}

/**
 * All tokens of a definition, by id: those of its model, and those that were added.
 *
 * @param definition What `tokenizer.json` holds.
 * @returns The tokens.
 * @throws {TokenizerError} It has no vocabulary.
 */
export function tokensOf(definition: TokenizerDefinition): VocabularyToken[] {
  const added = new Map(addedOf(definition).map((token) => [token.content, token]));
  const vocabulary = modelVocabulary(definition);
  const tokens = [...vocabulary].map(([token, id]) => {
    const flags = added.get(token);
    return { token, id, added: flags !== undefined, special: flags?.special ?? false };
  });
  for (const { content, id, special } of added.values()) {
    if (!vocabulary.has(content)) tokens.push({ token: content, id, added: true, special });
  }
  return tokens.sort((a, b) => a.id - b.id);
}

const addedOf = (definition: TokenizerDefinition) =>
  list(definition["added_tokens"] ?? [], "the added tokens").map((token) => ({
    ...addedTokenOf(token),
    id: Number(object(token, "an added token")["id"]),
  }));

const isUnigram = (model: Json) => Array.isArray(model["vocab"]);
const piecesOf = (model: Json) => model["vocab"] as readonly (readonly [string, number])[];

function modelVocabulary(definition: TokenizerDefinition): Map<string, number> {
  const model = object(definition["model"], "the model");
  return isUnigram(model) ? new Map(piecesOf(model).map(([piece], id) => [piece, id])) : vocabularyOf(model);
}

/**
 * The token that stands for what is not known; undefined where there is none.
 *
 * @param definition What `tokenizer.json` holds.
 * @returns The token.
 */
export function unknownToken(definition: TokenizerDefinition): string | undefined {
  const model = object(definition["model"], "the model");
  if (typeof model["unk_token"] === "string") return model["unk_token"];
  if (isUnigram(model) && typeof model["unk_id"] === "number") return piecesOf(model)[model["unk_id"]]?.[0];
  return addedOf(definition).map(({ content }) => content).find((content) => ["<unk>", "[UNK]"].includes(content));
}

/** Ids that stand before and behind a text. */
export function idsAround(definition: TokenizerDefinition): Readonly<Record<"before" | "behind", readonly number[]>> {
  return templatesOf(definition["post_processor"]);
}

/**
 * A definition with some of its tokens, numbered anew in their order. Nothing stands around a text any more, and nothing
 * cuts or fills it: static embeddings do not look at that. Texts whose tokens are all kept have the same ones as before.
 *
 * @param definition What `tokenizer.json` holds.
 * @param keeps Which tokens stay.
 * @returns The smaller definition, and which tokens it has.
 * @throws {TokenizerError} No token would be left.
 */
export function keepTokens(
  definition: TokenizerDefinition,
  keeps: (token: VocabularyToken) => boolean,
): KeptTokens {
  const model = object(definition["model"], "the model");
  const own = modelVocabulary(definition);
  const kept = tokensOf(definition).filter(keeps);
  // Those of the model come first: added ones that it does not know are numbered behind it.
  const ordered = [...kept.filter(({ token }) => own.has(token)), ...kept.filter(({ token }) => !own.has(token))];
  if (ordered.length === 0) {
    throw new TokenizerError("no token is left of the vocabulary", { expected: "at least one token" });
  }
  const numbers = new Map(ordered.map(({ token }, id) => [token, id]));
  const inModel = ordered.filter(({ token }) => own.has(token));
  const unknown = unknownToken(definition);
  return {
    definition: {
      version: "1.0",
      ...definition,
      truncation: null,
      padding: null,
      post_processor: null,
      added_tokens: list(definition["added_tokens"] ?? [], "the added tokens").flatMap((token) => {
        const { content } = addedTokenOf(token);
        return numbers.has(content) ? [{ ...token as Json, id: numbers.get(content)! }] : [];
      }),
      model: isUnigram(model)
        ? {
          type: "Unigram",
          ...model,
          vocab: inModel.map(({ id }) => piecesOf(model)[id]!),
          unk_id: unknown === undefined ? null : numbers.get(unknown) ?? null,
        }
        : {
          ...(model["merges"] === undefined && model["type"] !== "WordLevel" && WORD_PIECE),
          ...model,
          vocab: Object.fromEntries(inModel.map(({ token }) => [token, numbers.get(token)!])),
          ...(model["merges"] !== undefined && { merges: mergesWithin(model, numbers) }),
        },
    },
    ids: Int32Array.from(ordered, ({ id }) => id),
  };
}

/** What the reference wants to be said, and old files and classes of transformers leave to it. */
const WORD_PIECE = {
  type: "WordPiece",
  unk_token: "[UNK]",
  continuing_subword_prefix: "##",
  max_input_chars_per_word: 100,
};

type Merge = string | readonly [string, string];
const partsOf = (merge: Merge) => typeof merge === "string" ? merge.split(" ") as [string, string] : merge;
const mergesOf = (model: Json) => list(model["merges"], "the merges") as readonly Merge[];

/** Merges whose parts and result are all there. */
function mergesWithin(model: Json, tokens: ReadonlyMap<string, unknown>): readonly Merge[] {
  const prefix = String(model["continuing_subword_prefix"] ?? "");
  return mergesOf(model).filter((merge) => {
    const [left, right] = partsOf(merge);
    return tokens.has(left) && tokens.has(right) && tokens.has(left + right.slice(prefix.length));
  });
}

/**
 * Tokens without which others could not come about: of byte pairs, the parts of each, and the single bytes; of a
 * unigram model the least likely piece, by which the price of what is not known is reckoned.
 *
 * @param definition What `tokenizer.json` holds.
 * @param wanted Tokens that are to come about.
 * @returns These, and what they need.
 */
export function withNeeded(definition: TokenizerDefinition, wanted: ReadonlySet<string>): Set<string> {
  const model = object(definition["model"], "the model");
  const all = new Set(wanted);
  if (isUnigram(model)) {
    const least = piecesOf(model).reduce((a, b) => b[1] < a[1] ? b : a);
    if (wanted.size > 0) all.add(least[0]);
  }
  if (model["merges"] === undefined) return all;
  const prefix = String(model["continuing_subword_prefix"] ?? "");
  const makers = new Map<string, (readonly [string, string])[]>();
  for (const merge of mergesOf(model)) {
    const [left, right] = partsOf(merge);
    const made = left + right.slice(prefix.length);
    makers.set(made, [...makers.get(made) ?? [], [left, right]]);
  }
  const open = [...all];
  for (let token = open.pop(); token !== undefined; token = open.pop()) {
    for (const part of (makers.get(token) ?? []).flat()) {
      if (all.has(part)) continue;
      all.add(part);
      open.push(part);
    }
  }
  // Every byte has a token, or a letter that stands for it: with them no text is without tokens.
  const letters = [...modelVocabulary(definition).keys()].filter((token) => [...token].length === 1);
  for (const letter of letters.length <= 256 ? letters : []) all.add(letter);
  for (const token of modelVocabulary(definition).keys()) if (/^<0x[0-9A-F]{2}>$/.test(token)) all.add(token);
  return all;
}

/** A vocabulary that words were added to. */
export interface AddedWords {
  /** What `tokenizer.json` is to hold. */
  readonly definition: TokenizerDefinition;
  /** The words that became tokens, in the order of their ids, which follow those that were there. */
  readonly words: readonly string[];
  /** Of the words given, how many were there already, or are nothing. */
  readonly known: number;
}

/**
 * A definition with further words as tokens of their own, as model2vec adds them: normalised, and those that are cut into
 * several words are looked for in the text as they are.
 *
 * @param definition What `tokenizer.json` holds; added tokens must be part of the model's vocabulary, or there are none.
 * @param words The words.
 * @returns The larger definition.
 * @throws {TokenizerError} A vocabulary of byte pairs: what a new token's merges would be is not said.
 */
export function addWords(definition: TokenizerDefinition, words: readonly string[]): AddedWords {
  if (words.length === 0) return { definition, words, known: 0 };
  const model = object(definition["model"], "the model");
  if (model["merges"] !== undefined) {
    throw new TokenizerError("words cannot be added to a vocabulary of byte pairs", {
      expected: "a WordPiece, WordLevel or Unigram vocabulary",
      found: "BPE",
      hint: "leave --vocabulary out, or take a teacher with another tokenizer",
    });
  }
  const cut = wordsOf(definition);
  const known = new Set(tokensOf(definition).map(({ token }) => token));
  const [single, several]: [string[], string[]] = [[], []];
  for (const word of words) {
    const { words: parts, normalized } = cut(word);
    const token = parts.length > 1 ? normalized.trim() : parts[0];
    if (token === undefined || token === "" || known.has(token)) continue;
    known.add(token);
    (parts.length > 1 ? several : single).push(token);
  }
  const first = tokensOf(definition).reduce((most, { id }) => Math.max(most, id + 1), 0);
  const numbers = new Map([...single, ...several].map((token, i) => [token, first + i]));
  const least = isUnigram(model) ? Math.min(...piecesOf(model).map(([, score]) => score)) : 0;
  return {
    definition: {
      ...definition,
      added_tokens: [
        ...list(definition["added_tokens"] ?? [], "the added tokens"),
        ...several.map((content) => ({
          id: numbers.get(content)!,
          content,
          single_word: false,
          lstrip: true,
          rstrip: true,
          normalized: true,
          special: false,
        })),
      ],
      model: {
        ...model,
        vocab: isUnigram(model)
          ? [...piecesOf(model), ...[...numbers.keys()].map((word) => [word, least])]
          : { ...object(model["vocab"], "the vocabulary"), ...Object.fromEntries(numbers) },
      },
    },
    words: [...numbers.keys()],
    known: words.length - numbers.size,
  };
}

/**
 * A definition that reads a text as if a space stood before it, where it tells the two apart by bytes: the first word is
 * then as any other.
 *
 * @param definition What `tokenizer.json` holds.
 * @returns The same, with that.
 */
export function withLeadingSpace(definition: TokenizerDefinition): TokenizerDefinition {
  const spaced = (part: Json): Json =>
    part["type"] === "ByteLevel"
      ? { ...part, add_prefix_space: true }
      : Array.isArray(part["pretokenizers"])
      ? { ...part, pretokenizers: part["pretokenizers"].map(spaced) }
      : part;
  const cutter = definition["pre_tokenizer"] as Json | null | undefined;
  return cutter ? { ...definition, pre_tokenizer: spaced(cutter) } : definition;
}
