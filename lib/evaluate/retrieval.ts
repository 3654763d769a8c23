/**
 * Scores of retrieval over queries, as mteb reports them: trec_eval's measures, MRR, and the gain by abstention.
 *
 * @module
 */
import { EvaluationError } from "../error.ts";
import { abstentionGain, confidences } from "./abstention.ts";
import { averagePrecisionAt, hitAt, ndcgAt, precisionAt, recallAt, reciprocalRankAt } from "./ranking.ts";
import { roundTo } from "../numeric/rounding.ts";
import { turnTaker } from "../numeric/turn.ts";

/** Documents found for a query, in any order, with their scores. */
export interface FoundDocuments {
  /** Ids. */
  readonly documents: readonly string[];
  /** Scores, by document. */
  readonly scores: Float32Array;
}

/** Graded relevance: query → document → grade; above 0 is relevant. */
export type Relevance = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** Options of {@linkcode retrievalMetrics}. */
export interface RetrievalOptions {
  /** Cuts. Default 1, 3, 5, 10, 20, 100, 1000. */
  readonly cuts?: readonly number[];
  /** A document with the id of the query does not count. Default false. */
  readonly ignoreIdenticalIds?: boolean;
}

/** The cuts of mteb. */
export const RETRIEVAL_CUTS: readonly number[] = [1, 3, 5, 10, 20, 100, 1000];

/** The grades of what was found, best first; of equal scores the greater id first, as trec_eval has it. */
function gainsOf({ documents, scores }: FoundDocuments, relevant: ReadonlyMap<string, number>): Float64Array {
  const order = documents.map((_, i) => i).sort((a, b) =>
    scores[b]! - scores[a]! || (documents[a]! < documents[b]! ? 1 : -1)
  );
  return Float64Array.from(order, (place) => Math.max(0, relevant.get(documents[place]!) ?? 0));
}

/**
 * `ndcg_at_k`, `map_at_k`, `recall_at_k`, `precision_at_k`, `mrr_at_k`, `hit_rate_at_k`, `accuracy` (recall at 1) and
 * `nauc_…`: means over all queries of `found`, those of trec_eval rounded to five places as in mteb. MAP and recall are
 * over all relevant documents, found or not.
 *
 * @param found By query, the documents that a search found, in any order.
 * @param relevance By query, the grades of its relevant documents.
 * @param options How deep to look, and what does not count.
 * @returns Scores by key.
 * @throws {EvaluationError} There are no queries, or one has no relevant documents.
 *
 * @example
 * ```ts
 * import { retrievalMetrics } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const found = new Map([["q", { documents: ["a", "b"], scores: Float32Array.of(.1, .9) }]]);
 * const metrics = await retrievalMetrics(found, new Map([["q", new Map([["a", 1]])]]));
 * assert.equal(metrics["mrr_at_10"], .5);
 * assert.equal(metrics["ndcg_at_10"], .63093);
 * ```
 */
export async function retrievalMetrics(
  found: ReadonlyMap<string, FoundDocuments>,
  relevance: Relevance,
  options: RetrievalOptions = {},
): Promise<Record<string, number>> {
  const { cuts = RETRIEVAL_CUTS, ignoreIdenticalIds = false } = options;
  if (found.size === 0) throw new EvaluationError("there is no query to score", { expected: "at least one query" });
  const turn = turnTaker();
  const values = new Map<string, number[]>();
  const add = (name: string, value: number) => {
    const list = values.get(name);
    if (list === undefined) values.set(name, [value]);
    else list.push(value);
  };
  const confident: Record<string, number[]> = { max: [], std: [], diff1: [] };
  for (const [query, all] of found) {
    await turn();
    const relevant = relevance.get(query);
    if (relevant === undefined) {
      throw new EvaluationError("a query has no relevant documents", {
        where: `query ${query}`,
        hint: "leave such queries out: nothing can be right for them",
      });
    }
    const kept = ignoreIdenticalIds ? without(all, query) : all;
    const gains = gainsOf(kept, relevant);
    const ideal = [...relevant.values()].filter((grade) => grade > 0);
    for (const k of cuts) {
      add(`ndcg_at_${k}`, ndcgAt(gains, k, { ideal }));
      add(`map_at_${k}`, averagePrecisionAt(gains, k, { relevant: ideal.length, divisor: "relevant" }));
      add(`recall_at_${k}`, recallAt(gains, k, { relevant: ideal.length }));
      add(`precision_at_${k}`, precisionAt(gains, k));
      add(`mrr_at_${k}`, reciprocalRankAt(gains, k));
      add(`hit_rate_at_${k}`, hitAt(gains, k));
    }
    for (const [name, value] of Object.entries(confidences(kept.scores))) confident[name]!.push(value);
  }

  const metrics: Record<string, number> = {};
  const of = (measure: string, k: number) => [`${measure}_at_${k}`, values.get(`${measure}_at_${k}`)!] as const;
  const mean = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / list.length;
  const rounded = (measure: string) => {
    for (const [name, list] of cuts.map((k) => of(measure, k))) metrics[name] = roundTo(mean(list), 5);
  };
  ["ndcg", "map", "recall"].forEach(rounded);
  if (metrics["recall_at_1"] !== undefined) metrics["accuracy"] = metrics["recall_at_1"];
  rounded("precision");
  for (const [name, list] of cuts.map((k) => of("mrr", k))) metrics[name] = mean(list);
  for (const measure of ["ndcg", "map", "recall", "precision", "mrr"]) {
    for (const [name, list] of cuts.map((k) => of(measure, k))) {
      await turn();
      for (const [kind, confidence] of Object.entries(confident)) {
        metrics[`nauc_${name}_${kind}`] = abstentionGain(confidence, list);
      }
    }
  }
  rounded("hit_rate");
  return metrics;
}

function without({ documents, scores }: FoundDocuments, id: string): FoundDocuments {
  const kept = documents.flatMap((document, i) => document === id ? [] : [i]);
  if (kept.length === documents.length) return { documents, scores };
  return { documents: kept.map((i) => documents[i]!), scores: Float32Array.from(kept, (i) => scores[i]!) };
}
