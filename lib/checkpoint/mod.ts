/**
 * Checkpoints: safetensors and sentence-transformers folders.
 *
 * @module
 */
export * from "./cross_encoder.ts";
export * from "./folder.ts";
export * from "./safetensors.ts";
export * from "./sentence_transformers.ts";
