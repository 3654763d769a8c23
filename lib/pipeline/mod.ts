/**
 * Pipelines: stages and their cache, commands, reports.
 *
 * @module
 */
export * from "./arguments.ts";
export * from "./augmented_sbert.ts";
export * from "./charts.ts";
export * from "./command.ts";
export * from "./domain_adaptation.ts";
export * from "./finish.ts";
export * from "./flags.ts";
export * from "./held_out.ts";
export * from "./output.ts";
export * from "./page.ts";
export * from "./report.ts";
export * from "./settings.ts";
export * from "./stages/cross_encoder.ts";
export * from "./stages/denoise.ts";
export * from "./stages/evaluate.ts";
export * from "./stages/labels.ts";
export * from "./stages/load.ts";
export * from "./stages/masked_lm.ts";
export * from "./stages/mteb.ts";
export * from "./stages/negatives.ts";
export * from "./stages/rows.ts";
export * from "./stages/silver.ts";
export * from "./stages/train.ts";
export * from "./training.ts";
