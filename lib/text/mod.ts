/**
 * Text: tokenizers and packed batches.
 *
 * @module
 */
export * from "./masking.ts";
export * from "./packed.ts";
export * from "./pair_template.ts";
export * from "./pairs.ts";
export { splitSentences } from "./sentences.ts";
export * from "./tokenizer.ts";
export * from "./words.ts";
