/**
 * Where TensorFlow.js with a native addon may lie, beside Deno's own cache of packages: a folder that
 * `tools/build_tfjs.ts` made.
 *
 * @module
 */
import { join } from "node:path";
import { isGranted, userCacheFolder, variable } from "../../environment.ts";

/** Backends that are a native addon. */
export type NativeBackend = "node" | "gpu";

/** The variable that names the folder of a backend: `KINDRED_TFJS_NODE` or `KINDRED_TFJS_GPU`. */
export function addonVariable(backend: NativeBackend): string {
  return `KINDRED_TFJS_${backend.toUpperCase()}`;
}

/** Where the addon is built unless it is said otherwise: `kindred-tfjs/<backend>` in the user's cache folder. */
export function defaultAddonFolder(backend: NativeBackend): string {
  return join(userCacheFolder(), "kindred-tfjs", backend);
}

/**
 * The folder with the addon: the one that the variable names, whether it is there or not, else the default one if an
 * addon was built there, else undefined: the package of Deno's cache has to have one.
 */
export function findAddon(backend: NativeBackend): string | undefined {
  const named = variable(addonVariable(backend));
  if (named !== undefined) return named;
  const folder = defaultAddonFolder(backend);
  try {
    if (isGranted("read", folder) && Deno.statSync(join(folder, COMPLETE)).isFile) return folder;
  } catch {
    // not built
  }
  return undefined;
}

/** The file that is written last: it names the version of TensorFlow's library. */
export const COMPLETE = "tensorflow.version";
