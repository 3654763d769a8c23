/**
 * Evaluation: how good embeddings, similarities, rankings and classes are, under the names that sentence-transformers'
 * evaluators give their scores; and the predictions of cross-encoders. The benchmark's tasks are in `./mteb-protocol`.
 *
 * @module
 */
export {
  bootstrapIntervals,
  type BootstrapOptions,
  type Difference,
  type Interval,
  pairedDifferences,
  type Resampled,
  resampledAveragePrecision,
  resampledCorrelations,
  resampledMeans,
} from "./bootstrap.ts";
export {
  evaluateParaphraseMining,
  type ParaphraseMiningMetrics,
  type ParaphraseMiningOptions,
  type Paraphrases,
  paraphrases,
} from "./paraphrase_mining.ts";
export { evaluateMse, evaluateTranslation, type MseResult, type TranslationResult } from "./translation.ts";
export { type BinaryMetrics, binaryMetrics, type BinaryScore, thresholdsOf } from "./binary.ts";
export {
  accuracy,
  type Average,
  averagePrecision,
  f1Score,
  matthewsCorrelation,
  type PrecisionRecallF1,
  precisionRecallF1,
} from "./classification.ts";
export {
  pairScorer,
  type PairTextOptions,
  predict,
  type PredictOptions,
  rank,
  type RankDocumentsOptions,
  type RankedDocument,
  type Scores,
} from "./cross_encoder.ts";
export {
  type ClassificationMetrics,
  type CorrelationMetrics,
  crossEncoderClassification,
  crossEncoderCorrelation,
  crossEncoderReranking,
  listRanking,
  type ListRankingOptions,
  type RerankingMetrics,
  type RerankingOptions,
  type RerankingSample,
} from "./cross_encoder_metrics.ts";
export {
  evaluateRetrieval,
  type EvaluateRetrievalOptions,
  informationRetrievalMetrics,
  type InformationRetrievalOptions,
  informationRetrievalValues,
  type PairRetrieval,
  pairRetrieval,
  type RetrievalColumns,
  type RetrievalCuts,
  type RetrievalResult,
} from "./information_retrieval.ts";
export {
  evaluateLabels,
  type LabelMetrics,
  type LabelMetricsOptions,
  majorityAccuracy,
  silhouette,
} from "./label_metrics.ts";
export { NANO_BEIR, readRetrievalSets, readRetrievalTask, type RetrievalFolderOptions } from "./retrieval_folder.ts";
export { evaluateRetrievalSets, type RetrievalSetsOptions, type RetrievalSetsResult } from "./retrieval_sets.ts";
export type { RetrievalSet } from "../data/retrieval_sets.ts";
export { jaccard, tfidfCosine } from "./overlap.ts";
export { classAccuracy, type PairClassifier } from "./pair_classes.ts";
export {
  averagePrecisionAt,
  type AveragePrecisionOptions,
  hitAt,
  ndcgAt,
  ndcgOfScores,
  precisionAt,
  rankByScore,
  type RankOptions,
  recallAt,
  reciprocalRankAt,
} from "./ranking.ts";
export { type FoundDocuments, type Relevance, retrievalMetrics, type RetrievalOptions } from "./retrieval.ts";
export { correlationsOf, type SimilarityMetrics, similarityMetrics } from "./similarity.ts";
export { type TripletCounter, tripletCounter, type TripletMetrics, tripletMetrics } from "./triplet.ts";
export { adjustedMutualInformation, vMeasure } from "./v_measure.ts";
