/**
 * What the models of tokenizers share: words in, ids out.
 *
 * @module
 */
import { TokenizerError } from "../../error.ts";

/** Cuts words into tokens of its vocabulary. */
export interface Model {
  /** Id of each token. */
  readonly vocabulary: ReadonlyMap<string, number>;
  /** Appends the ids of a word. */
  readonly tokenize: (word: string, ids: number[]) => void;
}

/** The error of a word that has no tokens. */
export function withoutUnknown(word: string, unknown: string | undefined): TokenizerError {
  return new TokenizerError("the tokenizer meets what it does not know and has no token for that", {
    expected: unknown === undefined ? "a token for the unknown" : `${unknown} in the vocabulary`,
    found: word.length > 40 ? `${word.slice(0, 40)}…` : word,
  });
}
