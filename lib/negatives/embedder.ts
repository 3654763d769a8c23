/**
 * A bi-encoder as what candidates are found with.
 *
 * @module
 */
import type { Engine } from "../engine/engine.ts";
import { embedTexts } from "../embed/encode.ts";
import type { BiEncoder } from "../model/bi_encoder.ts";
import type { EmbedTexts } from "./candidates.ts";

/** Options of {@linkcode embedBy}. */
export interface EmbedByOptions {
  /** Name of one of the model's prompts, or a text, for anchors. Default: its prompt `query`, if it has one. */
  readonly queryPrompt?: string | undefined;
  /** The same for documents. Default: its prompt `document`, `passage` or `corpus`. */
  readonly documentPrompt?: string | undefined;
  /** Tokens that go through the encoder at once. Default 4096. */
  readonly tokenBudget?: number | undefined;
}

/** Embeds by a bi-encoder, with the prompts that sentence-transformers' `encode_query` and `encode_document` take. */
export function embedBy(engine: Engine, model: BiEncoder, options: EmbedByOptions = {}): EmbedTexts {
  const { tokenBudget } = options;
  const named = (...names: readonly string[]) => names.find((name) => (model.prompts[name] ?? "") !== "");
  const prompts = {
    query: options.queryPrompt ?? named("query"),
    document: options.documentPrompt ?? named("document", "passage", "corpus"),
  };
  return (texts, role) => embedTexts(engine, model, texts, { prompt: prompts[role], tokenBudget });
}
