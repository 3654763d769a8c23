/**
 * Stages: pure functions from artifacts to an artifact, done once for each key; their cache, runner and engine.
 *
 * @module
 */
export * from "./artifact.ts";
export * from "./cache.ts";
export * from "./cache_care.ts";
export { filesOf, keyOfFiles } from "./digest.ts";
export * from "./engine.ts";
export * from "./key.ts";
export type { Manifest } from "./manifest.ts";
export * from "./progress.ts";
export * from "./progress_view.ts";
export * from "./roots.ts";
export * from "./run.ts";
export * from "./stage.ts";
export { defaultCacheFolder } from "../environment.ts";
