/**
 * Pipelines: stages and their cache, commands, reports.
 *
 * @module
 */
export { type RunOptions, runStages } from "../stage/run.ts";
export { valueOf } from "../stage/stage.ts";
export type { LearntFrom, SilverWorth } from "./silver_worth.ts";
export { type AugmentedSbert, augmentedSbert, type AugmentedSbertOptions } from "./augmented_sbert.ts";
export { type Command, main } from "./command.ts";
export {
  type Adaptation,
  type AdaptationTask,
  type AdaptationTests,
  compareAdaptations,
  type CompareAdaptationsOptions,
  type ComparedAdaptation,
  type ComparedAdaptations,
  type DomainAdaptation,
  domainAdaptation,
  type DomainAdaptationOptions,
  type Supervise,
} from "./domain_adaptation.ts";
export { type EmbeddingFileOptions, type EmbeddingSink, embeddingSink } from "./embedding_file.ts";
export type { FileSink, TextChunk } from "./embedding_formats.ts";
export { readEmbeddings, type ReadEmbeddingsOptions, readRanges } from "./embedding_reader.ts";
export type { EvaluationSet } from "./evaluation.ts";
export { type Flag, FLAGS, type FlagType, type FlagValues, type Invocation } from "./flags.ts";
export {
  type GplModels,
  type GplParameters,
  type GplRowParameters,
  gplRows,
  marginScaleOf,
  trainGpl,
  trainOnMargins,
} from "./gpl.ts";
export { type GoldParts, JudgeError, type JudgeOptions, makeJudge, measureJudge, type Student } from "./judge.ts";
export type { JudgeGate } from "../augment/judge_gate.ts";
export {
  type CrossEncoderInputs,
  type CrossEncoderParameters,
  type JudgeParameters,
  trainCrossEncoder,
  type TrainJudge,
  trainJudge,
} from "./stages/cross_encoder.ts";
export {
  type ContrastiveTensionInputs,
  type ContrastiveTensionParameters,
  trainContrastiveTension,
} from "./stages/contrastive_tension.ts";
export { evaluateCrossEncoder, type EvaluateJudgeInputs, type RelevanceParameters } from "./stages/judge_metrics.ts";
export type { CrossEncoderRowsOf } from "./stages/judge_rows.ts";
export { asLists, holdOutListsOf } from "./stages/lists.ts";
export { type DenoisingParameters, trainDenoising } from "./stages/denoise.ts";
export { loadEvaluation, loadRetrievalSets } from "./stages/retrieval.ts";
export type { RetrievalRows } from "../data/retrieval_sets.ts";
export { evaluateModel, evaluateSimilarity, type SetView } from "./stages/evaluate.ts";
export type { EvaluateParameters, EvaluationKind } from "./stages/evaluate_rows.ts";
export {
  evaluateByLabels,
  type LabelEvaluation,
  type LabelEvaluationParameters,
  type LabelledData,
  type LabelledTextsOptions,
  labelPairs,
  labelTriplets,
  loadLabelledTexts,
  type LoadLabels,
} from "./stages/labels.ts";
export {
  type Loader,
  loadEvaluationRows,
  loadFlatTexts,
  loadLabelledPairs,
  loadPairsOrNli,
  type LoadParameters,
  loadScoredPairs,
  loadScoresOrNli,
  loadSentencePairs,
  loadTexts,
  type RowKind,
  type RowsOptions,
  type SamplePart,
  type Texts,
} from "./stages/load.ts";
export type { GeneratorParameters } from "./stages/generator.ts";
export {
  joinCandidates,
  labelMargins,
  makeQueries,
  type MarginParameters,
  type MarginScale,
  passagesOf,
  queryCorpus,
  type QueryParameters,
} from "./stages/gpl.ts";
export {
  evaluateMaskedLm,
  type EvaluateMaskedLmParameters,
  type MaskedLmInputs,
  type MaskedLmParameters,
  trainMaskedLm,
} from "./stages/masked_lm.ts";
export { evaluateOnTask, mtebSample, type TaskEvaluation, type TaskParameters } from "./stages/mteb.ts";
export {
  type CandidateInputs,
  type CandidateParameters,
  chooseNegatives,
  mineCandidates,
  type NegativeFormat,
  type NegativeInputs,
  type NegativeJudge,
  type NegativeParameters,
} from "./stages/negatives.ts";
export {
  asScores,
  asTriplets,
  deduplicate,
  holdOutOf,
  type Made,
  splitOf,
  type SplitParameters,
  type TripletParameters,
} from "./stages/rows.ts";
export {
  balanceSilver,
  bothWays,
  compareSilver,
  keepConfident,
  labelSilver,
  mergePairs,
  type PairParameters,
  samplePairs,
  type SilverPairs,
  type SilverParameters,
} from "./stages/silver.ts";
export { type SimcseInputs, type SimcseParameters, trainSimcse } from "./stages/simcse.ts";
export { type KeepLayers, keepLayers } from "./stages/keep_layers.ts";
export { type ReduceWidth, reduceWidth } from "./stages/reduce_width.ts";
export { type TeacherScoreParameters, teacherScores } from "./stages/teacher_scores.ts";
export { type BetweenWidths, type TeacherAndStudent, teacherAndStudent } from "./distillation.ts";
export { type StudentInputs, type StudentParameters, trainStudent } from "./stages/distill.ts";
export type { RowsOf } from "./stages/loss_rows.ts";
export { type TrainBiEncoder, trainBiEncoder, type TrainParameters } from "./stages/train.ts";
export { MEAN_OF_SETS, type SetOptions, type TrainOnSets, trainOnSets } from "./stages/train_sets.ts";
export { trainWord2vec, type Word2vecInputs, type Word2vecParameters } from "./stages/word2vec.ts";
export type { ReportTable } from "./report.ts";
export {
  type DistilInputs,
  type DistilParameters,
  distilStatic,
  type PruneInputs,
  type PruneParameters,
  pruneStatic,
  type RandomParameters,
  randomStatic,
  type StaticModel,
} from "./stages/static.ts";
