/**
 * Models by name, and adapters within them: `owner/name#adapter`, `FOLDER#adapter`. The folder of such an adapter is a model.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { UsageError } from "../error.ts";
import { exists } from "../exists.ts";
import type { HubEnvironment } from "../hub/environment.ts";
import { type LocatedModel, locateModel, splitModelName } from "../hub/named_model.ts";
import { ownFiles, readJson, replaceFolder } from "./folder.ts";
import { isOriginalJinaV3, taskAdapter, tasksOf } from "./jina_v3.ts";
import { readModuleList } from "./modules.ts";
import { openTensors } from "./safetensors.ts";
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS, writeAdapter } from "./write_adapter.ts";

/** A model by its name. */
export interface NamedModel extends LocatedModel {
  /** If an adapter was named: the model that it is within. */
  readonly within?: LocatedModel & { readonly adapter: string };
}

/**
 * The folder of a model, or of an adapter within one.
 *
 * @param source A folder, or a model of the hub, from where it is downloaded; and behind a `#` the name of an adapter: that of
 *   its folder, or a task of jina-embeddings-v3.
 * @param cacheFolder Where the adapter of such a task is kept.
 * @param environment The hub's. Default: from the process's environment.
 * @returns The folder.
 * @throws {UsageError} There is no such model, or no such adapter in it.
 */
export async function locateNamed(
  source: string,
  cacheFolder: string,
  environment?: HubEnvironment,
): Promise<NamedModel> {
  const { model, adapter } = await splitModelName(source);
  if (adapter === undefined) return await locateModel(model, { environment });
  const within = await locateModel(model, { more: (path) => path === `${adapter}/${ADAPTER_WEIGHTS}`, environment });
  const { transformerPath } = await readModuleList(within.folder);
  const weights = join(within.folder, transformerPath);
  const config = await readJson<Readonly<Record<string, unknown>>>(join(weights, "config.json"), true) ?? {};
  const tasks = isOriginalJinaV3(config) ? tasksOf(config) : [];
  const folders = await adapterFolders(within.folder);
  if (folders.includes(adapter)) return { folder: join(within.folder, adapter), within: { ...within, adapter } };
  if (!tasks.includes(adapter)) {
    throw new UsageError("the model has no adapter of this name", {
      where: model,
      expected: [...folders, ...tasks].join(", ") || "the model's name alone: it has no adapters",
      found: adapter,
    });
  }
  const folder = join(cacheFolder, "adapters", await keyOf(weights), adapter);
  if (await ownFiles(folder) === undefined) {
    const reader = await openTensors(weights);
    try {
      const found = await taskAdapter(reader, config, adapter, weights);
      await replaceFolder(folder, (to) => writeAdapter(to, { ...found, base: resolve(within.folder), dropout: 0 }));
    } finally {
      reader.close();
    }
  }
  return { folder, within: { ...within, adapter } };
}

/** Names of the folders with adapters that are within a model's. */
async function adapterFolders(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    if (await exists(join(folder, name, ADAPTER_CONFIG))) names.push(name);
  }
  return names.sort();
}

/** What tells these weights in this place from others, and from what they were before. */
async function keyOf(weights: string): Promise<string> {
  const files: unknown[] = [];
  for await (const { name } of Deno.readDir(weights)) {
    if (!/\.safetensors$|^config\.json$/.test(name)) continue;
    const { size, mtime } = await Deno.stat(join(weights, name));
    files.push([name, size, mtime?.getTime()].join());
  }
  return createHash("sha256").update([resolve(weights), ...files.sort()].join("\0")).digest("hex").slice(0, 32);
}
