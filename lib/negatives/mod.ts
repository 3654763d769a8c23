/**
 * Negatives: texts that look like an answer and are not one. Easy ones at random; semi-hard ones by nearness; hard ones that
 * a cross-encoder scored, that a language model or a person judged, or that a language model wrote; and what they become
 * for a loss.
 *
 * The way of most of them: {@linkcode findCandidates}, then {@linkcode selectNegatives} or {@linkcode judgedNegatives},
 * then {@linkcode toTriplets} or {@linkcode withNegatives}.
 *
 * @module
 */
export { type CandidateOptions, type Candidates, findCandidates, type PairIndex, scoreAgain } from "./candidates.ts";
export { easyNegatives, type EasyOptions } from "./easy.ts";
export {
  type FormatOptions,
  type LabelledDocuments,
  type LabelledList,
  type ScoredDocuments,
  type ScoredTriplets,
  type ScoredTuples,
  toLabelledLists,
  toLabelledPairs,
  toTriplets,
  toTuples,
  type Tuples,
  type WrittenOut,
} from "./formats.ts";
export { judgedNegatives, type JudgedOptions, type JudgedResult } from "./hard.ts";
export {
  type Generate,
  type Judge,
  type Judgement,
  type JudgeQuestion,
  languageModelJudge,
  type LanguageModelJudgeOptions,
  type Relation,
  type Verdict,
} from "./judge.ts";
export { type MarginResult, toMargins } from "./margins.ts";
export { mergeCandidates } from "./merge.ts";
export { type NegativeKind, scoresFromNli, type TripletResult, tripletsFromNli } from "./nli.ts";
export { exportReview, importReview, type ReviewResult } from "./review.ts";
export { type Selection, selectNegatives, type SelectOptions, type Skipped } from "./select.ts";
export { semiHardNegatives, type SemiHardOptions, type SemiHardResult } from "./semi_hard.ts";
export type { NegativeStatistics, ScoreSummary } from "./statistics.ts";
export { type WithNegatives, withNegatives, type WithNegativesOptions } from "./triplets.ts";
export { type Rejection, writtenNegatives, type WrittenOptions, type WrittenResult } from "./written.ts";
