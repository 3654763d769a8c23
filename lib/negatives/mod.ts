/**
 * Negatives: texts that look like an answer and are none. Easy ones at random, semi-hard ones by nearness, hard ones
 * that were judged; and the exact nearest-neighbour search underneath.
 *
 * @module
 */
export * from "./easy.ts";
export * from "./nearest.ts";
export * from "./candidates.ts";
export * from "./formats.ts";
export * from "./semi_hard.ts";
export * from "./statistics.ts";
