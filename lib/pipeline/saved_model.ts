/**
 * What a training saves as its model: the whole of it, or the adapters that it trained alone.
 *
 * @module
 */
import { join, resolve } from "node:path";
import { readJson } from "../checkpoint/folder.ts";
import { jsonText } from "../checkpoint/json.ts";
import { UsageError } from "../error.ts";
import { splitModelName } from "../hub/named_model.ts";
import type { TrainedModel } from "../stage/artifact.ts";

/** How adapters are saved. */
export type LoraSave = "merged" | "adapter";

/** What is to be copied, and files in it that are written anew. */
export interface SavedModel {
  /** The folder to copy. */
  readonly folder: string;
  /** Contents by name. */
  readonly texts: Readonly<Record<string, string>>;
}

/**
 * The folder of a trained model as it is wanted. An adapter names the model that it belongs to as the user did, where it would
 * name a folder of the cache.
 *
 * @param model What was trained.
 * @param save Whole, with its adapters merged into it, or the adapters alone. Default: merged.
 * @param source The model that the training started from; undefined: the sample's.
 * @returns What is to be copied.
 * @throws {UsageError} There are no adapters.
 */
export async function savedModel(
  model: Pick<TrainedModel, "folder" | "adapter">,
  save: LoraSave | undefined,
  source: string | undefined,
): Promise<SavedModel> {
  if (save !== "adapter") return { folder: model.folder, texts: {} };
  if (model.adapter === undefined) {
    throw new UsageError("there are no adapters to save", { hint: "--lora-rank 16 (lora: { rank: 16 }) trains some" });
  }
  const name = "adapter_config.json";
  const config = await readJson<Record<string, unknown>>(join(model.adapter, name));
  const texts: SavedModel["texts"] = source === undefined
    ? {}
    : { [name]: jsonText({ ...config, ...await baseOf(source) }) };
  return { folder: model.adapter, texts };
}

/** The same contents by their paths in a folder of results. */
export const inModel = (texts: SavedModel["texts"]): SavedModel["texts"] =>
  Object.fromEntries(Object.entries(texts).map(([name, content]) => [`model/${name}`, content]));

/**
 * A folder by its whole path, a model of the hub by its name, as PEFT's files have them; with the adapter that was merged
 * into it, which PEFT does not know.
 */
async function baseOf(source: string): Promise<Readonly<Record<string, string>>> {
  const { model, adapter } = await splitModelName(source);
  const named = (name: string) => ({ base_model_name_or_path: adapter === undefined ? name : `${name}#${adapter}` });
  if (await Deno.stat(model).then(({ isDirectory }) => isDirectory, () => false)) return named(resolve(model));
  const [id, revision] = model.replace(/^hub:/, "").split("@");
  return { ...named(id!), ...(revision !== undefined && { revision }) };
}
