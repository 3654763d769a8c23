/**
 * Models: encoders and what is built of them.
 *
 * @module
 */
export {
  type BiEncoder,
  freeBiEncoder,
  loadBiEncoder,
  type LoadBiEncoderOptions,
  saveBiEncoder,
} from "./bi_encoder.ts";
export type { EncoderConfig } from "./config.ts";
export type { ClassificationHead, HeadPooling } from "./families/family.ts";
export {
  type CrossEncoder,
  freeCrossEncoder,
  loadCrossEncoder,
  type LoadCrossEncoderOptions,
  saveCrossEncoder,
} from "./cross_encoder.ts";
export {
  type DenoisingDecoder,
  type DenoisingDecoderOptions,
  freeDenoisingDecoder,
  loadDenoisingDecoder,
  saveDenoisingDecoder,
} from "./denoising_decoder.ts";
export type { Encoder } from "./batch.ts";
export type { LoraAdapters, LoraPlace, LoraSettings, ResolvedLora } from "./lora.ts";
export { loadMaskedLm, type LoadMaskedLmOptions, type MaskedLm, saveMaskedLm } from "./masked_lm.ts";
export {
  columnPrompt,
  type ColumnPrompts,
  type PromptChoice,
  promptOf,
  type Prompts,
  trainedPrompts,
  trainingPrompt,
} from "./prompts.ts";
export { type PromptedSet, setPrompts } from "./set_prompts.ts";
