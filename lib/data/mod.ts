/**
 * Data: sources, tables, typed datasets, labels and triplets.
 *
 * @module
 */
export * from "./column_names.ts";
export * from "./columns.ts";
export * from "./dataset.ts";
export * from "./label_rows.ts";
export * from "./json5.ts";
export * from "./labels.ts";
export * from "./noise.ts";
export * from "./parquet.ts";
export * from "./parquet_file.ts";
export * from "./rows.ts";
export * from "./source.ts";
export * from "./table.ts";
export * from "./texts.ts";
