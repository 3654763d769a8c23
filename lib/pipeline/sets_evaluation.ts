/**
 * A model's retrieval in corpora with queries and judgements: BEIR's layout, NanoBEIR, tasks of one's own.
 *
 * @module
 */
import { type RetrievalRows, retrievalSets } from "../data/retrieval_sets.ts";
import type { Engine } from "../engine/engine.ts";
import { resampledMeans } from "../evaluate/bootstrap.ts";
import { evaluateRetrievalSets } from "../evaluate/retrieval_sets.ts";
import type { BiEncoder } from "../model/bi_encoder.ts";
import type { Dataset } from "../data/dataset.ts";
import { blockEncoder, similaritiesOf } from "./stages/evaluate.ts";
import type { TextEvaluation } from "./text_evaluation.ts";

/** Measures a bi-encoder on sets; its table says where each query's first relevant document stands. */
export async function evaluateSets(
  engine: Engine,
  model: BiEncoder,
  rows: Dataset<RetrievalRows>,
): Promise<TextEvaluation> {
  const sets = retrievalSets(rows);
  const isNamed = sets.some(({ name }) => name !== "");
  const { metrics, ranks, values } = await evaluateRetrievalSets(engine, blockEncoder(engine, model), sets, {
    similarities: similaritiesOf(model),
  });
  const set = sets.flatMap(({ name, queries }) => queries.map(() => name));
  const query = sets.flatMap(({ queries }) => queries);
  return {
    metrics,
    rows: ranks.length,
    columns: { ...(isNamed && { set }), query, rank: ranks },
    resampled: resampledMeans(values, {
      unit: "query",
      ...(isNamed && { names: sets.map(({ name }) => name), mean: "NanoBEIR_mean" }),
    }),
  };
}
