/**
 * Which tensors are left as they are.
 *
 * @module
 */
import { UsageError } from "../error.ts";
import type { EncoderConfig } from "./config.ts";

/**
 * Reads a freezing specification, comma-separated: `embeddings`, `layers:-n` (all but the last n layers, and the
 * embeddings below them), or patterns of tensor names with `*`. Returns whether a tensor is trained.
 */
export function trainedBy(spec: string | undefined, config: EncoderConfig): (name: string) => boolean {
  const frozen = (spec ?? "").split(",").map((part) => part.trim()).filter((part) => part !== "").map((part) => {
    if (part === "embeddings") return (name: string) => name.startsWith("embeddings.");
    const last = /^layers:-(\d+)$/.exec(part)?.[1];
    if (last !== undefined) {
      const first = config.layers - Number(last);
      return (name: string) => {
        const index = /(?:^|\.)layer\.(\d+)\./.exec(name)?.[1];
        return name.startsWith("embeddings.") || (index !== undefined && Number(index) < first);
      };
    }
    if (!/^[\w.*\/-]+$/.test(part)) {
      throw new UsageError("--freeze does not understand this", {
        expected: "embeddings, layers:-n, or names of tensors with *",
        found: part,
      });
    }
    const pattern = new RegExp(`^${part.replaceAll(".", "\\.").replaceAll("*", ".*")}$`);
    return (name: string) => pattern.test(name);
  });
  return (name) => !frozen.some((matches) => matches(name));
}
