/**
 * From a text to ids: added tokens, normalizer, pre-tokenizer and model, one after the other.
 *
 * @module
 */
import { type AddedToken, cutterOf, type Parts } from "./added_tokens.ts";
import { type Json, refuse } from "./definition.ts";
import type { Model } from "./models/model.ts";
import { type Head, normalizerOf } from "./normalizer.ts";
import { preTokenizerOf } from "./pre_tokenizer.ts";
import { remembering } from "./word_memory.ts";

/** Appends the ids of a text. A token that begins a word is there as the complement of its id (`~id`, below 0). */
export type Pipeline = (text: string, ids: number[]) => void;

/** The pipeline of a definition, with its model and the tokens that were added to it. */
export function pipelineOf(
  definition: Json,
  model: Model,
  added: Iterable<AddedToken & { readonly id: number }>,
): Pipeline {
  const normalize = normalizerOf(definition["normalizer"]);
  const words = preTokenizerOf(definition["pre_tokenizer"]);
  if (words?.heedsStart) refuseManyFirstWords(definition);
  const tokens = [...added];
  const cutRaw = cutterOf(tokens.filter((token) => !token.normalized), undefined);
  const cutNormalized = cutterOf(tokens.filter((token) => token.normalized), normalize);
  const finish = words?.finish ?? ((word: string) => word);

  function tokenizeWord(word: string): number[] {
    const ids: number[] = [];
    model.tokenize(finish(word), ids);
    if (ids.length > 0) ids[0] = ~ids[0]!;
    return ids;
  }

  const addSpan = remembering(tokenizeWord);
  const addWord = (word: string, ids: number[]) => addSpan(word, 0, word.length, ids);

  function addPart(text: string, atStart: boolean, ids: number[]): void {
    const head: Head = { stays: atStart };
    const normalized = normalize === undefined ? text : normalize(text, words?.heedsStart ? head : undefined);
    if (normalized === "") return;
    const parts: Parts = cutNormalized === undefined ? [normalized] : cutNormalized(normalized);
    for (const [i, part] of parts.entries()) {
      if (typeof part === "number") ids.push(~part);
      else if (words === undefined) addWord(part, ids);
      else for (const word of words.split([part], { stays: i === 0 && head.stays })) addWord(word, ids);
    }
  }

  const cutsAtSpaces = cutNormalized === undefined && isCutAtSpaces(definition) && (normalize?.(" ") ?? " ") === " ";
  /** Pieces between plain spaces of ASCII text are remembered as they stand, before any normalisation. */
  const addChunk = remembering((text) => {
    const ids: number[] = [];
    addPart(text, false, ids);
    return ids;
  });

  function addText(text: string, atStart: boolean, ids: number[]): void {
    if (!cutsAtSpaces) return addPart(text, atStart, ids);
    let start = 0;
    for (let at = text.indexOf(" "); at >= 0; at = text.indexOf(" ", at + 1)) {
      // Beside other characters a space may belong to a cluster with them.
      if (text.charCodeAt(at + 1) > 127 || (at > 0 && text.charCodeAt(at - 1) > 127)) continue;
      if (at > start) addChunk(text, start, at, ids);
      start = at + 1;
    }
    if (start < text.length) addChunk(text, start, text.length, ids);
  }

  return (text, ids) => {
    if (!text.isWellFormed()) text = text.toWellFormed();
    if (cutRaw === undefined) addText(text, true, ids);
    else {
      for (const [i, part] of cutRaw(text).entries()) {
        if (typeof part === "number") ids.push(~part);
        else addText(part, i === 0, ids);
      }
    }
  };
}

/**
 * The words that a text is cut into before the model sees them, prepared as it wants them, and the text normalised.
 *
 * @param definition What `tokenizer.json` holds.
 * @returns Words of a text.
 */
export function wordsOf(definition: Json): (text: string) => { readonly words: string[]; readonly normalized: string } {
  const normalize = normalizerOf(definition["normalizer"]);
  const heard: string[] = [];
  const listening: Model = { vocabulary: new Map(), tokenize: (word) => void heard.push(word) };
  return (text) => {
    heard.length = 0;
    pipelineOf(definition, listening, [])(text, []); // made anew: one that remembers words would keep them to itself
    return { words: [...heard], normalized: normalize?.(text) ?? text };
  };
}

interface Part {
  readonly type: string;
  readonly normalizers?: readonly Part[];
  readonly pretokenizers?: readonly Part[];
  readonly prepend_scheme?: string;
}

/** The parts of a sequence, those of sequences in it as well; a part alone is one. */
function partsOf(part: unknown): readonly Part[] {
  const { type, normalizers, pretokenizers } = (part ?? { type: "Sequence" }) as Part;
  return type === "Sequence" ? (normalizers ?? pretokenizers ?? []).flatMap(partsOf) : [part as Part];
}

/** Normalizers that never make several characters of one. */
const NEVER_MORE = ["Nmt", "Strip", "StripAccents"];
/** What makes several characters of one, or puts some before the first, once the text is being cut. */
const MAKES_MORE = ["ByteLevel", "Metaspace"];

/**
 * Metaspace's scheme "first" goes by where a word began in the original: where the first character has become several and
 * these were cut apart, or something was put before it, the reference has more than one first word.
 */
function refuseManyFirstWords(definition: Json): void {
  const cutters = partsOf(definition["pre_tokenizer"]);
  const before = cutters.slice(0, cutters.findLastIndex((part) => part.prepend_scheme === "first"));
  const normalizers = partsOf(definition["normalizer"]);
  const unsure = normalizers.find(({ type }) => type === "Prepend") ??
    before.find(({ type }) => MAKES_MORE.includes(type)) ??
    (before.length > 0 ? normalizers.find(({ type }) => !NEVER_MORE.includes(type)) : undefined);
  if (unsure !== undefined) refuse(`Metaspace with prepend_scheme "first" behind ${unsure.type}`, unsure.type);
}

/** Normalizers that do to a text between two plain spaces what they do to it alone. */
const LOCAL = [
  "BertNormalizer",
  "NFC",
  "NFD",
  "NFKC",
  "NFKD",
  "Lowercase",
  "StripAccents",
  "Nmt",
  "Precompiled",
];

/** Whether white space only parts words, so that each piece between spaces can be done by itself. */
function isCutAtSpaces(definition: Json): boolean {
  const [first, ...others] = partsOf(definition["pre_tokenizer"]);
  return partsOf(definition["normalizer"]).every(({ type }) => LOCAL.includes(type)) &&
    ["BertPreTokenizer", "WhitespaceSplit", "Whitespace"].includes(first?.type ?? "") &&
    others.every((part) => part.prepend_scheme !== "first");
}
