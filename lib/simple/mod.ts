/**
 * The common jobs as functions that can be awaited, with no Effect type in sight.
 *
 * @module
 */
export { encode, evaluate } from "./encode.ts";
export * from "./finetune.ts";
export * from "./pairs.ts";
export * from "./scenarios.ts";
