/**
 * The tokenizer of a model, which must not know more tokens than the model has embeddings of.
 *
 * @module
 */
import { CheckpointError } from "../error.ts";
import { loadTokenizer, type Tokenizer } from "../text/tokenizer.ts";
import type { EncoderConfig } from "./config.ts";

/** Loads the tokenizer of the folder; one that does not fit the model's embeddings is a `CheckpointError`. */
export async function loadModelTokenizer(folder: string, config: EncoderConfig): Promise<Tokenizer> {
  const tokenizer = await loadTokenizer(folder);
  if (tokenizer.vocabSize <= config.vocabSize) return tokenizer;
  throw new CheckpointError("the tokenizer knows more tokens than the model", {
    where: folder,
    expected: `at most ${config.vocabSize}`,
    found: `${tokenizer.vocabSize}`,
  });
}
