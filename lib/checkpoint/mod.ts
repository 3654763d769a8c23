/**
 * Checkpoints: safetensors and sentence-transformers folders.
 *
 * @module
 */
export * from "./folder.ts";
export * from "./safetensors.ts";
export * from "./sentence_transformers.ts";
