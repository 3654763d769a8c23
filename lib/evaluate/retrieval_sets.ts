/**
 * Retrieval of whole texts: sets of queries and documents are embedded and measured, NanoBEIR's together.
 *
 * @module
 */
import type { RetrievalSet } from "../data/retrieval_sets.ts";
import type { RoleEncoder } from "../embed/roles.ts";
import type { Engine } from "../engine/engine.ts";
import { EvaluationError } from "../error.ts";
import { evaluateRetrieval, type EvaluateRetrievalOptions } from "./information_retrieval.ts";

/** Options of {@linkcode evaluateRetrievalSets}. */
export interface RetrievalSetsOptions extends EvaluateRetrievalOptions {
  /** Documents that are embedded at once; no other embeddings of the corpus are kept. Default 8192. */
  readonly blockRows?: number | undefined;
  /** What the keys of means over sets begin with. Default NanoBEIR_mean, as in sentence-transformers. */
  readonly mean?: string | undefined;
}

/** What retrieval in sets gave. */
export interface RetrievalSetsResult {
  /** Of one set without a name: `cosine_ndcg@10` and so on. Otherwise `NanoNQ_cosine_ndcg@10` …, `NanoBEIR_mean_…`. */
  readonly metrics: Record<string, number>;
  /** [queries] of each set, by the names that one set has. */
  readonly values: readonly Readonly<Record<string, Float64Array>>[];
  /** Where the first relevant document of each query stands, from 1, set by set; 0 if it was not found. */
  readonly ranks: Int32Array;
}

/**
 * sentence-transformers' InformationRetrievalEvaluator on a set, or its NanoBEIREvaluator on several: the same keys, and
 * the means over sets.
 *
 * @param engine Computes.
 * @param encode Embeds queries and documents: a `roleEncoder`, which puts the model's prompts before them; the set's name
 *   comes with them, for prompts of a set's own.
 * @param sets From {@linkcode readRetrievalSets}, or of your own.
 * @param options By which similarities, how deep, in blocks of which size.
 * @returns Metrics, their values by query, and ranks.
 * @throws {EvaluationError} There is no set, or two have one name.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import { roleEncoder } from "@kindred/kindred/embed";
 * import { evaluateRetrievalSets } from "@kindred/kindred/evaluate";
 * import { loadBiEncoder } from "@kindred/kindred/model";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const encode = roleEncoder(engine, await loadBiEncoder(engine, await sampleBaseModel()));
 * const set = {
 *   name: "",
 *   queries: ["the boy eats"],
 *   documents: ["a castle on a hill", "the boy eats an apple"],
 *   relevant: [Int32Array.of(1)],
 * };
 * const { metrics } = await evaluateRetrievalSets(engine, encode, [set]);
 * assert.equal(metrics["cosine_accuracy@1"], 1);
 * engine.close();
 * ```
 */
export async function evaluateRetrievalSets(
  engine: Engine,
  encode: (...given: [...Parameters<RoleEncoder>, set: string]) => ReturnType<RoleEncoder>,
  sets: readonly RetrievalSet[],
  options: RetrievalSetsOptions = {},
): Promise<RetrievalSetsResult> {
  const { blockRows = 8192, mean = "NanoBEIR_mean", ...measured } = options;
  if (sets.length === 0 || new Set(sets.map(({ name }) => name)).size < sets.length) {
    throw new EvaluationError("retrieval needs sets of different names", {
      expected: "at least one",
      found: sets.map(({ name }) => name || "one without a name").join(", ") || "none",
    });
  }
  const values: Record<string, Float64Array>[] = [];
  const ranks: number[] = [];
  const metrics: Record<string, number> = {};
  const sums: Record<string, number> = {};
  for (const { name, queries, documents, relevant } of sets) {
    const asked = await encode(queries, "query", name);
    const blocks = async function* () {
      for (let start = 0; start < documents.length; start += blockRows) {
        yield await encode(documents.slice(start, start + blockRows), "document", name);
      }
    };
    const result = await evaluateRetrieval(engine, asked, blocks(), relevant, measured);
    values.push(result.values);
    for (const rank of result.ranks) ranks.push(rank);
    for (const [key, value] of Object.entries(result.metrics)) {
      metrics[name === "" ? key : `${name}_${key}`] = value;
      sums[key] = (sums[key] ?? 0) + value;
    }
  }
  if (sets.some(({ name }) => name !== "")) {
    for (const [key, sum] of Object.entries(sums)) metrics[`${mean}_${key}`] = sum / sets.length;
  }
  return { metrics, values, ranks: Int32Array.from(ranks) };
}
