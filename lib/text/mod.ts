/**
 * Text: tokenizers and packed batches.
 *
 * @module
 */
export { type MaskedBatch, type MaskingOptions, maskTokens, wordStartsOf } from "./masking.ts";
export { pack, type PackedBatch, type PackedColumn, type TokenizedTexts } from "./packed.ts";
export type { PairTemplate, TemplatePart } from "./pair_template.ts";
export { type BareOptions, packPairs, type PackPairsOptions, tokenizeBare } from "./pairs.ts";
export { splitSentences } from "./sentences.ts";
export { loadTokenizer, tokenize, type Tokenizer, tokenizerFromVocabulary } from "./tokenizer.ts";
export { joinWords, splitWords } from "./words.ts";
export { type WhitespaceSettings, whitespaceTokenizer } from "./whitespace.ts";
