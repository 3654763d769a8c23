/**
 * Where the sample's base model is.
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
