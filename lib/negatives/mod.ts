/**
 * Negatives: texts that look like an answer and are none. Easy ones at random; semi-hard ones by nearness; hard ones
 * that a cross-encoder, a language model or a person judged, or that a language model wrote; and the exact
 * nearest-neighbour search underneath.
 *
 * @module
 */
export { type CandidateOptions, type Candidates, findCandidates, type PairIndex, scoreAgain } from "./candidates.ts";
export * from "./easy.ts";
export * from "./formats.ts";
export * from "./hard.ts";
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
export * from "./nli.ts";
export * from "./review.ts";
export { type Selection, selectNegatives, type SelectOptions, type Skipped } from "./select.ts";
export * from "./semi_hard.ts";
export { type NegativeStatistics, type ScoreSummary } from "./statistics.ts";
export * from "./triplets.ts";
export { type Rejection, writtenNegatives, type WrittenOptions, type WrittenResult } from "./written.ts";
