/**
 * What the protocols need of a model: embeddings of texts in a role, and its own similarity.
 *
 * @module
 */
import type { Engine } from "../../engine/engine.ts";
import type { BiEncoder } from "../../model/bi_encoder.ts";
import { encodeTexts } from "../../embed/encode.ts";
import { type Embeddings, pairwiseSimilarities, rowsOf, SIMILARITIES, type Similarity } from "../../embed/pairwise.ts";
import { type Role, ROLE_NAMES } from "../../model/prompts.ts";
import type { MtebTask } from "./task.ts";

/** A model under evaluation. */
export interface Embedder {
  /** Where products over a corpus are computed. */
  readonly engine: Engine;
  /** The similarity that the model was made for. */
  readonly similarity: Similarity;
  /** Embeddings, in the order of the texts. Retrieval asks queries about documents, everything else knows no roles. */
  readonly embed: (texts: readonly string[], role?: Role) => Promise<Embeddings>;
}

/**
 * A bi-encoder on a task, with the prompt that it has for the task: the first of `task-role`, `task`, `type-role`,
 * `type`, `role` among its prompts, else its default.
 *
 * @param engine Computes.
 * @param model From `loadBiEncoder`, on the same engine.
 * @param task Its name and type choose the prompt.
 * @returns What {@linkcode evaluateTask} asks for embeddings.
 */
export function embedderOf(engine: Engine, model: BiEncoder, task: Pick<MtebTask, "name" | "type">): Embedder {
  const similarity = SIMILARITIES.find((kind) => kind === model.similarity) ?? "cosine";
  return {
    engine,
    similarity,
    embed: (texts, role) => encodeTexts(engine, model, texts, { promptName: promptName(model.prompts, task, role) }),
  };
}

/**
 * The name of the prompt that a model has for a task and role.
 *
 * @param prompts Texts by name.
 * @param task Its name and type.
 * @param role Query or document, where the task knows such.
 * @returns The name, or undefined where the model's default is to be used.
 *
 * @example
 * ```ts
 * import { promptName } from "@kindred/kindred/mteb-protocol";
 * import assert from "node:assert/strict";
 * const prompts = { "query": "query: ", "SciFact-query": "claim: " };
 * assert.equal(promptName(prompts, { name: "SciFact", type: "Retrieval" }, "query"), "SciFact-query");
 * assert.equal(promptName(prompts, { name: "NFCorpus", type: "Retrieval" }, "query"), "query");
 * ```
 */
export function promptName(
  prompts: Readonly<Record<string, string>>,
  task: Pick<MtebTask, "name" | "type">,
  role: Role | undefined,
): string | undefined {
  const { name, type } = task;
  const names = role === undefined
    ? [name, type]
    : [`${name}-${role}`, name, `${type}-${role}`, type, ...ROLE_NAMES[role]];
  return names.find((each) => prompts[each] !== undefined && prompts[each] !== "");
}

/** All similarities of every row of `a` with every row of `b`: [a · b], on the host. */
export function similarityTable(a: Embeddings, b: Embeddings, kind: Similarity): Float64Array {
  const table = new Float64Array(a.rows * b.rows);
  const everyRow = Int32Array.from({ length: b.rows }, (_, row) => row);
  for (let row = 0; row < a.rows; row++) {
    const repeated = rowsOf(a, everyRow.map(() => row));
    table.set(pairwiseSimilarities(repeated, b)[kind], row * b.rows);
  }
  return table;
}
