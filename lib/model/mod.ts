/**
 * Models: encoders and what is built of them.
 *
 * @module
 */
export * from "./bi_encoder.ts";
export * from "./classification_head.ts";
export * from "./config.ts";
export * from "./cross_encoder.ts";
export * from "./denoising_decoder.ts";
export * from "./encoder.ts";
export * from "./families.ts";
export * from "./freeze.ts";
export * from "./masked_lm.ts";
export * from "./parameters.ts";
export * from "./prompts.ts";
