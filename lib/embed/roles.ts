/**
 * Queries and documents: models that tell them apart want another prompt before each.
 *
 * @module
 */
import type { Engine } from "../engine/engine.ts";
import type { BiEncoder } from "../model/bi_encoder.ts";
import { encodeTexts } from "./encode.ts";
import type { Embeddings } from "./pairwise.ts";

/** What a text is in a search: what looks for something, or what is found. */
export type Role = "query" | "document";

/** Embeds texts in a role; a {@linkcode roleEncoder}, or a function of your own. */
export type RoleEncoder = (texts: readonly string[], role: Role) => Promise<Embeddings>;

/** Options of {@linkcode roleEncoder}. */
export interface RoleEncoderOptions {
  /** Name of one of the model's prompts, or a text, for queries. Default: its prompt `query`, if it has one. */
  readonly queryPrompt?: string | undefined;
  /** The same for documents. Default: its prompt `document`, `passage` or `corpus`, if it has one. */
  readonly documentPrompt?: string | undefined;
  /** Tokens that go through the encoder at once. Default 4096. */
  readonly tokenBudget?: number | undefined;
}

/**
 * A bi-encoder that puts the right prompt before queries and documents, as sentence-transformers' `encode_query` and
 * `encode_document` do. A role for which the model has no prompt, or an empty one, gets the model's default.
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
 * const encode = roleEncoder(engine, await loadBiEncoder(engine, await sampleBaseModel()), { queryPrompt: "find: " });
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
  const named = (...names: readonly string[]) => names.find((name) => (model.prompts[name] ?? "") !== "");
  const prompts = {
    query: options.queryPrompt ?? named("query"),
    document: options.documentPrompt ?? named("document", "passage", "corpus"),
  };
  return (texts, role) => encodeTexts(engine, model, texts, { prompt: prompts[role], tokenBudget });
}
