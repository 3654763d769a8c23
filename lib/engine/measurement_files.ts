/**
 * Measurements in files of the user's cache folder, whichever cache a run keeps its results in. Apart from what measures,
 * for a page has no files.
 *
 * @module
 */
import { join } from "node:path";
import { defaultCacheFolder, isGranted } from "../environment.ts";
import type { MeasurementStore } from "./measurements.ts";

/**
 * A store of files, one for each key. Without permission, or where a file cannot be written, it keeps nothing and says
 * nothing.
 *
 * @param folder Where they are. Default: `measurements` in Kindred's own cache.
 * @returns The store.
 */
export function measurementFiles(folder: string = join(defaultCacheFolder(), "measurements")): MeasurementStore {
  const fileOf = async (key: string) => {
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key))).toHex();
    return join(folder, `${hash.slice(0, 32)}.json`);
  };
  return {
    read: async (key) =>
      isGranted("read", folder) ? await Deno.readTextFile(await fileOf(key)).catch(() => undefined) : undefined,
    async write(key, text) {
      if (!isGranted("write", folder)) return;
      const file = await fileOf(key);
      const part = `${file}.${crypto.randomUUID()}`;
      try {
        await Deno.mkdir(folder, { recursive: true });
        await Deno.writeTextFile(part, text);
        await Deno.rename(part, file);
      } catch {
        await Deno.remove(part).catch(() => {});
      }
    },
  };
}
