/**
 * The engine on WebGPU.
 *
 * @module
 */
export { createWebgpuEngine, findAdapter, type WebgpuEngine, type WebgpuOptions } from "./engine.ts";
export type { Tile } from "./tiles.ts";
export type { TileStore } from "./tuning.ts";
