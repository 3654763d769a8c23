/**
 * Where the sample's models are.
 *
 * @module
 */
import { fileURLToPath } from "node:url";

/**
 * Folder of the tiny BERT that the sample starts from, pretrained on the sample's own texts:
 * `deno run -A pipelines/masked_language_model.ts` makes such a one, as `kindred/masked_language_model/model`.
 */
export function sampleBaseModel(): string {
  return fileURLToPath(new URL("./base_model", import.meta.url));
}

/**
 * Folder of the tiny BERT that the sample's cross-encoders start from. It has read two sentences at once, as BERT had: it was
 * pretrained on stories that are told twice, by masked tokens first, by next-sentence prediction then. It has never seen an
 * NLI label. `deno task make:pair-model` makes it.
 */
export function samplePairModel(): string {
  return fileURLToPath(new URL("./pair_model", import.meta.url));
}
