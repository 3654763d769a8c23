/**
 * Which tensors are left as they are.
 *
 * @module
 */
import { counted } from "../counted.ts";
import { UsageError } from "../error.ts";
import type { EncoderConfig } from "./config.ts";

/**
 * Reads a freezing specification, comma-separated: `embeddings`, `layers:-n` (all but the last n layers, and the
 * embeddings below them), or patterns of tensor names with `*`.
 *
 * @param spec The specification; undefined freezes nothing.
 * @param config The encoder's shape.
 * @param names Names of all tensors that could be trained. Where they are given, each part must name at least one of them,
 * and one must be left to train.
 * @returns Whether a tensor of this name is trained.
 * @throws UsageError for a part that cannot be read or names nothing, and if nothing would be trained.
 */
export function trainedBy(
  spec: string | undefined,
  config: EncoderConfig,
  names?: Iterable<string>,
): (name: string) => boolean {
  const parts = (spec ?? "").split(",").map((part) => part.trim()).filter((part) => part !== "");
  const frozen = parts.map((part) => matcherOf(part, config));
  const isTrained = (name: string) => !frozen.some((matches) => matches(name));
  if (parts.length === 0 || names === undefined) return isTrained;
  const all = [...names];
  const idle = parts.filter((_, i) => !all.some(frozen[i]!));
  if (idle.length > 0) {
    throw new UsageError("--freeze names no tensor of the model", {
      expected: `embeddings, layers:-n with n from 1 to ${config.layers}, or names such as ${examples(all)}`,
      found: idle.join(", "),
      hint: "a star stands for any characters: encoder.layer.0.*",
    });
  }
  if (!all.some(isTrained)) {
    throw new UsageError("--freeze leaves nothing to train", {
      expected: `a part of the model, such as ${examples(all)}`,
      found: spec!,
      hint: `layers:-1 trains the last of ${counted(config.layers, "layer")}`,
    });
  }
  return isTrained;
}

/** Whether a name is meant by one part of a specification. */
function matcherOf(part: string, config: EncoderConfig): (name: string) => boolean {
  if (part === "embeddings") return isEmbedding;
  const last = /^layers:-(\d+)$/.exec(part)?.[1];
  if (last !== undefined) {
    const first = config.layers - Number(last);
    if (first < 0) return () => false; // more layers than there are
    return (name) => {
      const index = /(?:^|\.)layers?\.(\d+)\./.exec(name)?.[1];
      return isEmbedding(name) || (index !== undefined && Number(index) < first);
    };
  }
  if (!/^[\w.*\/-]+$/.test(part)) {
    throw new UsageError("--freeze does not understand this", {
      expected: "embeddings, layers:-n, or names of tensors with *",
      found: part,
    });
  }
  const pattern = new RegExp(`^${part.replaceAll(".", "\\.").replaceAll("*", ".*")}$`);
  return (name) => pattern.test(name);
}

/** Tables and what is done to their rows before the first layer: `emb_ln` normalises those of Nomic and of Jina. */
const isEmbedding = (name: string) => /^(embeddings|embed_tokens|emb_ln)\./.test(name);

/** Some names, one of each kind: layers without their own names. */
function examples(names: readonly string[]): string {
  const kinds = new Set(names.map((name) => name.replace(/^(.*?layers?\.\d+\.).*$/, "$1*")));
  return [...kinds].slice(0, 8).join(", ") + (kinds.size > 8 ? ", …" : "");
}
