/**
 * Queries and documents: models that tell them apart want another prompt before each.
 *
 * @module
 */
import type { Engine } from "../engine/engine.ts";
import type { BiEncoder } from "../model/bi_encoder.ts";
import { type PromptChoice, type Role, rolePrompts } from "../model/prompts.ts";
import { encodeTexts } from "./encode.ts";
import type { Embeddings } from "./pairwise.ts";

export { type Role, rolePrompts } from "../model/prompts.ts";

/** Embeds texts in a role; a {@linkcode roleEncoder}, or a function of your own. */
export type RoleEncoder = (texts: readonly string[], role: Role) => Promise<Embeddings>;

/** Options of {@linkcode roleEncoder}. */
export interface RoleEncoderOptions {
  /** What goes before queries. Default: the model's prompt `query`, if it has one. */
  readonly query?: PromptChoice | undefined;
  /** What goes before documents. Default: the model's prompt `document`, `passage` or `corpus`, if it has one. */
  readonly document?: PromptChoice | undefined;
  /** Tokens that go through the encoder at once. Default 4096. */
  readonly tokenBudget?: number | undefined;
}

/**
 * A bi-encoder that puts the right prompt before queries and documents, as sentence-transformers' `encode_query` and
 * `encode_document` do: a role for which the model has no prompt gets none, whatever the model's default is. That library
 * defines an empty prompt `document` for every model and so never comes to `passage` or `corpus`; here an empty one does not
 * stand in their way.
 *
 * @param engine Computes.
 * @param model From `loadBiEncoder`, on the same engine.
 * @param options Other prompts than the model's own.
 * @returns Embeds texts of either role, in their order: [texts, width].
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import { roleEncoder, searchCorpus } from "@kindred/kindred/embed";
 * import { loadBiEncoder } from "@kindred/kindred/model";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const encode = roleEncoder(engine, await loadBiEncoder(engine, await sampleBaseModel()), { query: { prefix: "find: " } });
 * const [query, texts] = [["the boy eats"], ["a castle on a hill", "the boy eats an apple"]];
 * const { found } = await searchCorpus(
 *   engine,
 *   { texts: query, embeddings: await encode(query, "query") },
 *   { texts, embeddings: await encode(texts, "document") },
 *   { k: 1 },
 * );
 * assert.equal(texts[found[0]![0]!.row], "the boy eats an apple");
 * engine.close();
 * ```
 */
export function roleEncoder(engine: Engine, model: BiEncoder, options: RoleEncoderOptions = {}): RoleEncoder {
  const { tokenBudget } = options;
  const own = rolePrompts(model);
  const prompts = { query: options.query ?? own.query, document: options.document ?? own.document };
  return (texts, role) => encodeTexts(engine, model, texts, { ...prompts[role], tokenBudget });
}
