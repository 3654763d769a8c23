/**
 * Where the sample's base model is.
 *
 * @module
 */
import { fileURLToPath } from "node:url";

/** A path from a file URL. */
export const fromFileUrl: (url: URL) => string = fileURLToPath;

/** Folder of the tiny BERT that the sample starts from. */
export function sampleBaseModel(): string {
  return fromFileUrl(new URL("./base_model", import.meta.url));
}
