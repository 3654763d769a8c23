/**
 * Kindred: training, evaluating and shipping text-embedding models from Deno.
 *
 * @example
 * ```ts
 * import { encode } from "@kindred/kindred/simple";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const { rows, width } = await encode(await sampleBaseModel(), ["the boy opens the door", "the lad unlocks the gate"]);
 * assert.deepEqual([rows, width], [2, 128]);
 * ```
 *
 * @module
 */
export * from "./lib/augment/mod.ts";
export * from "./lib/checkpoint/mod.ts";
export * from "./lib/data/mod.ts";
export * from "./lib/embed/mod.ts";
export * from "./lib/engine/mod.ts";
export * from "./lib/error.ts";
export * from "./lib/evaluate/mod.ts";
export * from "./lib/generate/mod.ts";
export * from "./lib/hub/mod.ts";
export * from "./lib/loss/mod.ts";
export * from "./lib/model/mod.ts";
export * from "./lib/negatives/mod.ts";
export * from "./lib/numeric/mod.ts";
export * from "./lib/tensor/mod.ts";
export * from "./lib/text/mod.ts";
export * from "./lib/train/mod.ts";
