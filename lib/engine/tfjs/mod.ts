/**
 * The Engine contract on TensorFlow.js.
 *
 * @module
 */
export { createTfjsEngine, type TfjsOptions } from "./engine.ts";
export type { TfjsBackend } from "./tensorflow.ts";
