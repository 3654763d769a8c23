/**
 * Augmented SBERT (Thakur et al. 2021, arXiv 2010.08240): unlabelled pairs, their silver labels, and the union with the
 * gold pairs.
 *
 * @module
 */
export { type DensitySample, type DensitySampleOptions, sampleByClass, sampleByDensity } from "./balance.ts";
export { type Bm25Hits, type Bm25Index, type Bm25Options, bm25Terms, buildBm25 } from "./bm25.ts";
export { type Density, kernelDensity } from "./density.ts";
export {
  type Bm25PairOptions,
  bm25Pairs,
  joinPairs,
  type PairSource,
  recombinePairs,
  semanticPairs,
} from "./pair_sampling.ts";
export type { PairedComparison } from "./paired_comparison.ts";
export type { PairSample, SentencePairs } from "./pairs.ts";
export {
  type PassageQueries,
  passageQueries,
  type PassageQuery,
  type PassageQueryOptions,
  type QueryOrigin,
  writtenQueries,
  type WrittenQueryOptions,
} from "./passage_queries.ts";
export { type JudgeGate, judgeGate, judgeRows } from "./judge_gate.ts";
export {
  type CrossEncoderOutputs,
  meanOutputs,
  type MergedPairs,
  mergeGoldSilver,
  type SilverAgreement,
  silverAgreement,
  silverConfidence,
  type SilverOptions,
  silverPairs,
} from "./silver.ts";
