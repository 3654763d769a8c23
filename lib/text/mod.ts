/**
 * Text: tokenizers and packed batches.
 *
 * @module
 */
export * from "./packed.ts";
export * from "./tokenizer.ts";
