/**
 * Cross-encoders: pairs scored and documents ranked, awaited.
 *
 * @module
 */
import type { Engine } from "../engine/engine.ts";
import * as crossEncoders from "../evaluate/cross_encoder.ts";
import type { RankedDocument } from "../evaluate/cross_encoder.ts";
import { type CrossEncoder, loadCrossEncoder } from "../model/cross_encoder.ts";
import { counted } from "../counted.ts";
import { UsageError } from "../error.ts";
import { modelFolder } from "../stage/roots.ts";
import { NUMBERS, YES_OR_NO } from "../train/fields.ts";
import { type JobOptions, withEngine } from "./encode.ts";
import { checkJob, checkTexts } from "./fields.ts";

/**
 * What a cross-encoder says of pairs.
 *
 * @param model A folder, or a model of the hub.
 * @param pairs The pairs, each of two texts.
 * @param options `softmax` makes probabilities of several labels. Default false. `engine` and `signal`.
 * @returns One row for each pair, with one column for each of the model's labels.
 * @throws CheckpointError if the model has no trained head: a new one would know nothing.
 *
 * @example
 * ```ts ignore
 * import { predict } from "@kindred/kindred/simple";
 * const [[related], [unrelated]] = await predict("cross-encoder/ms-marco-MiniLM-L6-v2", [
 *   ["how do bees make honey", "Bees turn nectar into honey by drying it."],
 *   ["how do bees make honey", "The bridge was built in 1932."],
 * ]);
 * ```
 */
export async function predict(
  model: string,
  pairs: readonly (readonly [first: string, second: string])[],
  options: JobOptions & { readonly softmax?: boolean } = {},
): Promise<number[][]> {
  checkJob(options, { softmax: YES_OR_NO });
  checkPairs(pairs);
  const { softmax = false, ...job } = options;
  return await withCrossEncoder(model, job, (engine, loaded) => predictRows(engine, loaded, pairs, softmax));
}

/** One row for each pair, with one column for each label. */
export async function predictRows(
  engine: Engine,
  model: CrossEncoder,
  pairs: readonly (readonly [first: string, second: string])[],
  softmax = false,
): Promise<number[][]> {
  const [first, second] = [pairs.map(([text]) => text), pairs.map(([, text]) => text)];
  const { data, width, rows } = await crossEncoders.predict(engine, model, first, second, { softmax });
  return Array.from({ length: rows }, (_, row) => [...data.subarray(row * width, (row + 1) * width)]);
}

/**
 * Documents by a cross-encoder's score with a query, highest first.
 *
 * @param model A folder, or a model of the hub, with one label.
 * @param query What is asked for.
 * @param documents What may answer it.
 * @param options `topK`: how many documents are given back. Default: all. `engine` and `signal`.
 * @returns Indices into `documents` with their scores.
 * @throws CheckpointError if the model has no trained head: a new one would know nothing.
 *
 * @example
 * ```ts ignore
 * import { rank } from "@kindred/kindred/simple";
 * const documents = ["The bridge was built in 1932.", "Bees turn nectar into honey by drying it."];
 * const [best] = await rank("cross-encoder/ms-marco-MiniLM-L6-v2", "how do bees make honey", documents, { topK: 1 });
 * ```
 */
export async function rank(
  model: string,
  query: string,
  documents: readonly string[],
  options: JobOptions & { readonly topK?: number } = {},
): Promise<RankedDocument[]> {
  checkJob(options, { topK: NUMBERS["positive"] });
  checkTexts([query], "query");
  checkTexts(documents, "documents");
  const { topK, ...job } = options;
  const chosen = topK === undefined ? {} : { topK };
  return await withCrossEncoder(
    model,
    job,
    (engine, crossEncoder) => crossEncoders.rank(engine, crossEncoder, query, documents, chosen),
  );
}

/** Pairs of two texts each. */
export function checkPairs(pairs: unknown): void {
  if (!Array.isArray(pairs)) throw new UsageError("pairs must be a list of pairs", { expected: '[["one", "two"], …]' });
  const wrong = pairs.findIndex((pair) => !Array.isArray(pair) || pair.length !== 2);
  if (wrong >= 0) {
    throw new UsageError("pairs must be a list of pairs", {
      where: `pairs[${wrong}]`,
      expected: "a list of two texts",
      found: Array.isArray(pairs[wrong]) ? counted(pairs[wrong].length, "entry") : typeof pairs[wrong],
    });
  }
  checkTexts(pairs.map(([first]) => first), "first texts of pairs");
  checkTexts(pairs.map(([, second]) => second), "second texts of pairs");
}

async function withCrossEncoder<A>(
  model: string,
  job: JobOptions,
  use: (engine: Engine, crossEncoder: CrossEncoder) => Promise<A>,
): Promise<A> {
  return await withEngine(job, async (engine) => {
    const crossEncoder = await loadCrossEncoder(engine, await modelFolder(model), { requireHead: true });
    job.signal?.throwIfAborted();
    return await use(engine, crossEncoder);
  });
}

export type { RankedDocument } from "../evaluate/cross_encoder.ts";
