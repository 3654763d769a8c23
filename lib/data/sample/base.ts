/**
 * Where the sample's base model is.
 *
 * @module
 */
import { fileURLToPath } from "node:url";

/** Folder of the tiny BERT that the sample starts from. */
export function sampleBaseModel(): string {
  return fileURLToPath(new URL("./base_model", import.meta.url));
}
