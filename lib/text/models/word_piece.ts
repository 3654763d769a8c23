/**
 * WordPiece: from the left, always the longest token that fits (Schuster & Nakajima 2012). A word that cannot be put
 * together is unknown as a whole.
 *
 * @module
 */
import { type Json, setting, vocabularyOf } from "../definition.ts";
import { countCodePoints } from "../unicode/code_points.ts";
import { type Model, withoutUnknown } from "./model.ts";

/** The model of a definition. */
export function wordPiece(definition: Json): Model {
  const vocabulary = vocabularyOf(definition);
  const unknown = setting(definition, "unk_token", "", "[UNK]");
  const prefix = setting(definition, "continuing_subword_prefix", "", "##");
  const most = setting(definition, "max_input_chars_per_word", 0, 100);
  const unknownId = vocabulary.get(unknown);
  // Tokens that go on a word, without their prefix; no cut is tried that is longer than the longest token.
  const continuing = new Map<string, number>();
  let longest = 1;
  for (const [token, id] of vocabulary) {
    if (token.length > longest) longest = token.length;
    if (token.startsWith(prefix)) continuing.set(token.slice(prefix.length), id);
  }
  return {
    vocabulary,
    tokenize(word, ids) {
      const first = ids.length;
      let start = word.length > most && countCodePoints(word) > most ? -1 : 0;
      while (start >= 0 && start < word.length) {
        const tokens = start === 0 ? vocabulary : continuing;
        let end = Math.min(word.length, start + longest);
        let id: number | undefined;
        while (end > start && (id = tokens.get(word.slice(start, end))) === undefined) end--;
        if (id !== undefined) ids.push(id);
        start = id === undefined ? -1 : end;
      }
      if (start >= 0) return;
      ids.length = first;
      if (unknownId === undefined) throw withoutUnknown(word, unknown);
      ids.push(unknownId);
    },
  };
}
