/**
 * The tokenizer of a model, which must not know more tokens than the model has embeddings of.
 *
 * @module
 */
import type { SentenceTransformerFolder } from "../checkpoint/sentence_transformers.ts";
import { CheckpointError } from "../error.ts";
import { loadTokenizer, type Tokenizer, withoutSpecialTokens } from "../text/tokenizer.ts";
import { loadWhitespaceTokenizer } from "../text/whitespace.ts";
import type { EncoderConfig } from "./config.ts";

/**
 * The tokenizer of a sentence-transformers folder. Static embeddings see a text without special tokens, and word vectors
 * have words.
 */
export async function folderTokenizer(
  { tokenizer, input }: Pick<SentenceTransformerFolder, "tokenizer" | "input">,
): Promise<Tokenizer> {
  if (input === "words") return await loadWhitespaceTokenizer(tokenizer);
  const whole = await loadTokenizer(tokenizer);
  return input === "static" ? withoutSpecialTokens(whole) : whole;
}

/** Loads the tokenizer of the folder; one that does not fit the model's embeddings is a `CheckpointError`. */
export async function loadModelTokenizer(folder: string, config: EncoderConfig): Promise<Tokenizer> {
  return fitting(await loadTokenizer(folder), folder, config);
}

/** The tokenizer, if the model has a row for each of its tokens. */
export function fitting(tokenizer: Tokenizer, where: string, config: EncoderConfig): Tokenizer {
  if (tokenizer.vocabSize <= config.vocabSize) return tokenizer;
  throw new CheckpointError("the tokenizer knows more tokens than the model", {
    where,
    expected: `at most ${config.vocabSize}`,
    found: `${tokenizer.vocabSize}`,
  });
}
