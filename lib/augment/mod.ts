/**
 * Augmented SBERT: unlabelled pairs, silver labels, and their union with the gold pairs.
 *
 * @module
 */
export * from "./balance.ts";
export * from "./bm25.ts";
export * from "./density.ts";
export * from "./pair_sampling.ts";
export * from "./pairs.ts";
export * from "./silver.ts";
