/**
 * The Hugging Face hub: models and datasets in the cache folder that Python shares.
 *
 * @module
 */
export * from "./cache_folder.ts";
export * from "./download.ts";
export * from "./environment.ts";
export { type Patience } from "./request.ts";
export * from "./snapshot.ts";
