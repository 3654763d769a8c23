/**
 * Texts to embeddings, and what is nearest among them.
 *
 * @module
 */
export { type EncodeOptions, encodeTexts } from "./encode.ts";
export type { NearestSimilarity } from "./blocks.ts";
export { type ClosestPairs, closestPairs, type ClosestPairsOptions } from "./closest_pairs.ts";
export { nearest, type NearestOptions, type Neighbors } from "./nearest.ts";
export { type BinaryEmbeddings, nearestBits } from "./hamming.ts";
export {
  type Calibration,
  dequantizeEmbeddings,
  embeddingRanges,
  type OutputPrecision,
  type PrecisionArrays,
  type QuantizedEmbeddings,
  quantizeEmbeddings,
  type Ranges,
} from "./quantize.ts";
export { nearestQuantized, type QuantizedSearchOptions, recallOf } from "./quantized_search.ts";
export { textChunks } from "./text_chunks.ts";
export { type TokenEmbeddings, tokenEmbeddings } from "./token_embeddings.ts";
export { type Embeddings, pairwiseSimilarities, type Similarity, similarityMatrix } from "./pairwise.ts";
export { type Role, type RoleEncoder, roleEncoder, type RoleEncoderOptions, rolePrompts } from "./roles.ts";
export {
  type CorpusSearchOptions,
  type Effort,
  type EmbeddedTexts,
  firstOccurrences,
  type Found,
  type Hit,
  type PairScorer,
  type QuantizedTexts,
  searchCorpus,
  type SearchCost,
  searchCost,
  type SearchOptions,
  type SimilarPair,
  similarPairs,
} from "./search.ts";
