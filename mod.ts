/**
 * Kindred: training, evaluating and shipping text-embedding models from Deno.
 *
 * This entry gathers what most programs need. Each part has an entry of its own with all of it (`./loss`, `./data`,
 * `./evaluate`, …), the cached stages and the scenarios are in `./stage` and `./pipeline`, and every scenario is a command
 * of its own (`./augmented-sbert`, `./tsdae`, …).
 *
 * @example
 * ```ts
 * import { encode, pairwiseSimilarities } from "@kindred/kindred";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const model = await sampleBaseModel(); // or a folder, or the name of a model of the hub
 * const boys = await encode(model, ["the boy opens the door", "the boy opens the door"]);
 * const others = await encode(model, ["the lad opens the door", "a castle on a hill"]);
 * const { cosine } = pairwiseSimilarities(boys, others);
 * assert.ok(cosine[0]! > cosine[1]!);
 * ```
 *
 * @module
 */
export {
  augmentedSbert,
  type AugmentedSbertInput,
  contrastiveTension,
  type ContrastiveTensionInput,
  encode,
  evaluate,
  finetune,
  type FinetuneOptions,
  predict,
  rank,
  type RankedDocument,
  simcse,
  type SimcseInput,
  type TextPairs,
  tsdae,
  type TsdaeInput,
  word2vec,
  type Word2vecInput,
} from "./lib/simple/mod.ts";
export {
  CacheError,
  CheckpointError,
  DatasetError,
  EngineError,
  type ErrorDetails,
  type ErrorTag,
  EvaluationError,
  explain,
  GeneratorError,
  HubError,
  KindredError,
  TokenizerError,
  TrainingError,
  UsageError,
} from "./lib/error.ts";
export {
  type CpuOptions,
  createCpuEngine,
  type Engine,
  type EngineChoice,
  type EngineName,
  type SelectedEngine,
  selectEngine,
} from "./lib/engine/mod.ts";
export { loadTokenizer, tokenize, tokenizeBare, type TokenizedTexts, type Tokenizer } from "./lib/text/mod.ts";
export { fetchSnapshot, type Snapshot, type SnapshotOptions } from "./lib/hub/mod.ts";
export {
  type BiEncoder,
  type CrossEncoder,
  freeBiEncoder,
  freeCrossEncoder,
  loadBiEncoder,
  type LoadBiEncoderOptions,
  loadCrossEncoder,
  type LoadCrossEncoderOptions,
  loadDenoisingDecoder,
  loadMaskedLm,
  saveBiEncoder,
  saveCrossEncoder,
  saveMaskedLm,
} from "./lib/model/mod.ts";
export {
  closestPairs,
  type Embeddings,
  type EncodeOptions,
  encodeTexts,
  type Found,
  type Hit,
  nearest,
  type PairScorer,
  pairwiseSimilarities,
  roleEncoder,
  searchCorpus,
  type SearchOptions,
  type Similarity,
  similarPairs,
} from "./lib/embed/mod.ts";
export {
  crossEncoder,
  type CrossEncoderLoss,
  type Loss,
  losses,
  type LossIdentity,
  lossOf,
  type LossSpec,
  nameLoss,
  tryLoss,
} from "./lib/loss/mod.ts";
export {
  asLabelledPairs,
  asLabelledTexts,
  asPairsOrTriplets,
  asScoredPairs,
  type Dataset,
  dedupe,
  distinctTexts,
  type LabelledPairs,
  type LabelledTexts,
  type Pairs,
  readTable,
  resolveSource,
  type ScoredPairs,
  selectRows,
  type Source,
  type Table,
  type Triplets,
  writeParquet,
} from "./lib/data/mod.ts";
export {
  type Candidates,
  easyNegatives,
  findCandidates,
  judgedNegatives,
  languageModelJudge,
  selectNegatives,
  type SelectOptions,
  semiHardNegatives,
  toLabelledPairs,
  toTriplets,
  toTuples,
  tripletsFromNli,
  withNegatives,
  writtenNegatives,
} from "./lib/negatives/mod.ts";
export {
  bm25Pairs,
  buildBm25,
  mergeGoldSilver,
  recombinePairs,
  sampleByClass,
  sampleByDensity,
  semanticPairs,
  silverPairs,
} from "./lib/augment/mod.ts";
export {
  biEncoderObjective,
  contrastiveTensionObjective,
  crossEncoderObjective,
  denoisingObjective,
  maskedLmObjective,
  type Objective,
  resolveSettings,
  train,
  type TrainHooks,
  type TrainSettings,
} from "./lib/train/mod.ts";
export {
  type BinaryMetrics,
  binaryMetrics,
  crossEncoderClassification,
  crossEncoderCorrelation,
  crossEncoderReranking,
  evaluateLabels,
  pairScorer,
  retrievalMetrics,
  type SimilarityMetrics,
  similarityMetrics,
  type TripletMetrics,
  tripletMetrics,
} from "./lib/evaluate/mod.ts";
export { layerOpenAi, openAiGenerator, type OpenAiOptions, TextGenerator } from "./lib/generate/mod.ts";
export { type Artifact, defineStage, type RunOptions, runStages, type Stage, valueOf } from "./lib/stage/mod.ts";
