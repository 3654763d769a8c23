/**
 * The common jobs as functions that can be awaited, with no Effect type in sight.
 *
 * @module
 */
export type { RankedDocument } from "../evaluate/cross_encoder.ts";
export { encode, evaluate } from "./encode.ts";
export { finetune, type FinetuneOptions } from "./finetune.ts";
export { predict, rank } from "./pairs.ts";
export { augmentedSbert, type AugmentedSbertInput, type TextPairs, tsdae, type TsdaeInput } from "./scenarios.ts";
