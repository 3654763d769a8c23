/**
 * The engine on WebGPU.
 *
 * @module
 */
export { createWebgpuEngine, findAdapter, type WebgpuEngine, type WebgpuOptions } from "./engine.ts";
