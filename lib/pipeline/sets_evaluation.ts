/**
 * A model's retrieval in corpora with queries and judgements: BEIR's layout, NanoBEIR, tasks of one's own.
 *
 * @module
 */
import { type RetrievalRows, retrievalSets } from "../data/retrieval_sets.ts";
import type { Role } from "../embed/roles.ts";
import { UsageError } from "../error.ts";
import { NANO_BEIR } from "../evaluate/retrieval_folder.ts";
import type { Engine } from "../engine/engine.ts";
import { resampledMeans } from "../evaluate/bootstrap.ts";
import { evaluateRetrievalSets } from "../evaluate/retrieval_sets.ts";
import type { BiEncoder } from "../model/bi_encoder.ts";
import type { Dataset } from "../data/dataset.ts";
import { blockEncoder, similaritiesOf } from "./stages/evaluate_rows.ts";
import type { TextEvaluation } from "./text_evaluation.ts";

/**
 * Texts before queries and documents, instead of the model's prompts: by role, or by set and role, such as `query`,
 * `nq-query`, `NanoNQ-document`.
 */
export type SetPrompts = Readonly<Record<string, string>>;

/** The text before a role's texts of a set, where one is said; the set's own goes before that of all. */
function prefixesOf(prompts: SetPrompts, sets: readonly string[]): (role: Role, set: string) => string | undefined {
  const names = (role: Role, set: string) => {
    const short = Object.entries(NANO_BEIR).find(([, name]) => name === set)?.[0];
    return [...(set === "" ? [] : [`${set}-${role}`]), ...(short === undefined ? [] : [`${short}-${role}`]), role];
  };
  const roles = ["query", "document"] as const;
  const known = new Set(sets.flatMap((set) => roles.flatMap((role) => names(role, set))));
  const unknown = Object.keys(prompts).find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw new UsageError("--prompts names no role of these sets", {
      expected: [...known].slice(0, 8).join(", "),
      found: unknown,
    });
  }
  return (role, set) => names(role, set).map((name) => prompts[name]).find((prompt) => prompt !== undefined);
}

/** Measures a bi-encoder on sets; its table says where each query's first relevant document stands. */
export async function evaluateSets(
  engine: Engine,
  model: BiEncoder,
  rows: Dataset<RetrievalRows>,
  prompts: SetPrompts = {},
): Promise<TextEvaluation> {
  const sets = retrievalSets(rows);
  const prefixOf = prefixesOf(prompts, sets.map(({ name }) => name));
  const isNamed = sets.some(({ name }) => name !== "");
  const { metrics, ranks, values } = await evaluateRetrievalSets(engine, blockEncoder(engine, model, prefixOf), sets, {
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
