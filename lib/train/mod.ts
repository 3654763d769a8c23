/**
 * Training: schedules, batches, AdamW, the loop.
 *
 * @module
 */
export type { AdamWSettings } from "./adamw.ts";
export { biEncoderObjective, type BiEncoderTask } from "./bi_encoder_objective.ts";
export {
  contrastiveTensionObjective,
  type ContrastiveTensionTask,
  type Tension,
  textsOfPairs,
} from "./contrastive_tension_objective.ts";
export { crossEncoderObjective, type CrossEncoderTask } from "./cross_encoder_objective.ts";
export { denoisingObjective, type DenoisingTask } from "./denoising_objective.ts";
export { listObjective, type ListTask } from "./list_objective.ts";
export type { LossScale } from "./loss_scale.ts";
export { maskedLmObjective, type MaskedLmTask } from "./masked_lm_objective.ts";
export { type Facts, type ModelCard, modelCard, type ModelKind } from "./model_card.ts";
export { type Mixing, MIXINGS, type MixingSettings } from "./mixed_batches.ts";
export { mixedObjective, type MixedRows, type MixedSet } from "./mixed_objective.ts";
export type { Batch } from "./batches.ts";
export type { Objective, ObjectiveBatch, ObjectiveSet } from "./objective.ts";
export type { PlanSettings } from "./plan.ts";
export { emptyTextWarnings } from "./empty_texts.ts";
export type { NumberKind } from "./fields.ts";
export type { LoggedStep, Metrics, PendingSteps, SetCounts, TrainingRecord } from "./record.ts";
export { recipeOf, type RecipeRows } from "./recipe.ts";
export { rateAt, type Schedule, type ScheduleKind, warmupOf } from "./schedule.ts";
export {
  CROSS_ENCODER_DEFAULTS,
  DENOISING_DEFAULTS,
  type ResolvedTrainSettings,
  resolveSettings,
  SIMCSE_DEFAULTS,
  STATIC_RATES,
  TENSION_DEFAULTS,
  TRAIN_DEFAULTS,
  type TrainSettings,
} from "./settings.ts";
export { type StepProgress, train, type TrainHooks } from "./trainer.ts";
