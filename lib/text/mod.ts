/**
 * Text: tokenizers and packed batches.
 *
 * @module
 */
export * from "./masking.ts";
export * from "./packed.ts";
export * from "./pairs.ts";
export * from "./tokenizer.ts";
