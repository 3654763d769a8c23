/**
 * Cross-encoders: pairs scored and documents ranked, awaited.
 *
 * @module
 */
import * as crossEncoders from "../evaluate/cross_encoder.ts";
import type { RankedDocument } from "../evaluate/cross_encoder.ts";
import { loadCrossEncoder } from "../model/cross_encoder.ts";
import { modelFolder } from "../stage/roots.ts";
import { withEngine } from "./encode.ts";

/**
 * What a cross-encoder says of pairs: one row for each, one column for each of its labels. `softmax` makes probabilities
 * of several labels.
 *
 * @example
 * ```ts
 * import { predict } from "@kindred/kindred/simple";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * // A base model gets a new head, which knows nothing yet.
 * const scores = await predict(sampleBaseModel(), [["the boy eats", "the child eats"]]);
 * assert.deepEqual([scores.length, scores[0]!.length], [1, 1]);
 * ```
 */
export async function predict(
  model: string,
  pairs: readonly (readonly [first: string, second: string])[],
  options: { readonly softmax?: boolean } = {},
): Promise<number[][]> {
  return await withEngine(async (engine) => {
    const crossEncoder = await loadCrossEncoder(engine, await modelFolder(model));
    const [first, second] = [pairs.map(([text]) => text), pairs.map(([, text]) => text)];
    const { data, width, rows } = await crossEncoders.predict(engine, crossEncoder, first, second, options);
    return Array.from({ length: rows }, (_, row) => [...data.subarray(row * width, (row + 1) * width)]);
  });
}

/** Documents by a cross-encoder's score with a query, highest first. The model has one label. */
export async function rank(
  model: string,
  query: string,
  documents: readonly string[],
  options: { readonly topK?: number } = {},
): Promise<RankedDocument[]> {
  return await withEngine(async (engine) =>
    await crossEncoders.rank(
      engine,
      await loadCrossEncoder(engine, await modelFolder(model)),
      query,
      documents,
      options,
    )
  );
}

export type { RankedDocument } from "../evaluate/cross_encoder.ts";
