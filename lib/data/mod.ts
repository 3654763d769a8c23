/**
 * Data: sources, tables, typed datasets, labels and triplets.
 *
 * @module
 */
export * from "./columns.ts";
export * from "./dataset.ts";
export * from "./source.ts";
export * from "./table.ts";
export * from "./triplets.ts";
