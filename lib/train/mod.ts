/**
 * Training: schedules, batches, AdamW, the loop.
 *
 * @module
 */
export * from "./adamw.ts";
export * from "./batches.ts";
export * from "./bi_encoder_objective.ts";
export * from "./cross_encoder_objective.ts";
export { emptyTextWarnings } from "./empty_texts.ts";
export * from "./grouped_batches.ts";
export * from "./denoising_objective.ts";
export * from "./masked_lm_objective.ts";
export * from "./model_card.ts";
export { hasNegative } from "./negatives.ts";
export * from "./objective.ts";
export * from "./plan.ts";
export * from "./record.ts";
export * from "./schedule.ts";
export * from "./settings.ts";
export * from "./state.ts";
export * from "./trainer.ts";
