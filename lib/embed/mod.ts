/**
 * Texts to embeddings, and what is nearest among them.
 *
 * @module
 */
export * from "./encode.ts";
export * from "./nearest.ts";
export * from "./pairwise.ts";
export * from "./search.ts";
