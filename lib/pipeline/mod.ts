/**
 * Pipelines: stages and their cache, commands, reports.
 *
 * @module
 */
export * from "./cache.ts";
export * from "./command.ts";
export * from "./flags.ts";
export * from "./progress.ts";
export * from "./report.ts";
export * from "./training.ts";
