/**
 * From a text to ids: added tokens, normalizer, pre-tokenizer and model, one after the other.
 *
 * @module
 */
import { type AddedToken, cutterOf, type Parts } from "./added_tokens.ts";
import type { Json } from "./definition.ts";
import type { Model } from "./models/model.ts";
import { type Head, normalizerOf } from "./normalizer.ts";
import { preTokenizerOf } from "./pre_tokenizer.ts";

/** Ids of a text alone. A token that begins a word is there as the complement of its id (`~id`, below 0). */
export type Pipeline = (text: string) => number[];

/** Words longer than this are not remembered. */
const LONGEST_WORD = 64;
/** So many words are remembered, then all are forgotten. */
const WORDS = 1 << 17;

/** The pipeline of a definition, with its model and the tokens that were added to it. */
export function pipelineOf(
  definition: Json,
  model: Model,
  added: Iterable<AddedToken & { readonly id: number }>,
): Pipeline {
  const normalize = normalizerOf(definition["normalizer"]);
  const words = preTokenizerOf(definition["pre_tokenizer"]);
  const tokens = [...added];
  const cutRaw = cutterOf(tokens.filter((token) => !token.normalized), undefined);
  const cutNormalized = cutterOf(tokens.filter((token) => token.normalized), normalize);
  const finish = words?.finish ?? ((word: string) => word);
  const known = new Map<string, readonly number[]>();

  function tokenizeWord(word: string): number[] {
    const ids: number[] = [];
    model.tokenize(finish(word), ids);
    if (ids.length > 0) ids[0] = ~ids[0]!;
    return ids;
  }

  function addWord(word: string, ids: number[]): void {
    let found = known.get(word);
    if (found === undefined) {
      found = tokenizeWord(word);
      if (word.length <= LONGEST_WORD) {
        if (known.size >= WORDS) known.clear();
        known.set(word, found);
      }
    }
    for (let i = 0; i < found.length; i++) ids.push(found[i]!);
  }

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

  return (text) => {
    const ids: number[] = [];
    if (!text.isWellFormed()) text = text.toWellFormed();
    if (cutRaw === undefined) addPart(text, true, ids);
    else {
      for (const [i, part] of cutRaw(text).entries()) {
        if (typeof part === "number") ids.push(~part);
        else addPart(part, i === 0, ids);
      }
    }
    return ids;
  };
}
