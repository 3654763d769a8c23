/**
 * What an artifact says of itself, and whether that is true.
 *
 * @module
 */
import { isAbsolute, join, relative } from "node:path";
import { digest, digestToDisk, filesOf, fingerprint } from "./digest.ts";
import { type Json, type Task, taskOf } from "./key.ts";

/** What `manifest.json` holds. */
export interface Manifest {
  /** The key. */
  readonly key: string;
  /** `name@version` */
  readonly stage: string;
  /** The task's settings. */
  readonly parameters: Json;
  /** How it was done; another way would have given the same. */
  readonly how?: Json;
  /** The task's inputs. */
  readonly inputs: Readonly<Record<string, string>>;
  /** What computed it. */
  readonly computes?: Json | undefined;
  /** Every file, its size and sha256. */
  readonly files: readonly { readonly path: string; readonly size: number; readonly sha256: string }[];
  /** When it was made. */
  readonly created: string;
  /** How long that took. */
  readonly seconds: number;
}

/** The manifest of a folder, written last: a folder with one is whole. */
export async function writeManifest(folder: string, task: Task, seconds: number): Promise<void> {
  const files: { path: string; size: number; sha256: string }[] = [];
  for (const path of await filesOf(folder)) {
    files.push({ path: relative(folder, path).replaceAll("\\", "/"), ...await digestToDisk(path) });
  }
  const manifest: Manifest = { ...task, files, created: new Date().toISOString(), seconds };
  using file = await Deno.create(join(folder, "manifest.json"));
  const bytes = new TextEncoder().encode(JSON.stringify(manifest, null, 2) + "\n");
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
  await file.sync();
}

/** Folders that were read whole by this process, and what their files looked like then. */
const verified = new Map<string, string>();

/**
 * The manifest of an artifact, or what is wrong with the artifact. Every byte is read when the process first uses it, and
 * again when a file looks otherwise than it did then.
 *
 * @param folder The artifact.
 * @param key Its key.
 * @param again Reads every byte again.
 * @returns The manifest, or the fault in words.
 */
export async function readManifest(
  folder: string,
  key: string,
  again = false,
): Promise<{ readonly manifest: Manifest } | { readonly fault: string }> {
  let text: string;
  try {
    text = await Deno.readTextFile(join(folder, "manifest.json"));
  } catch (error) {
    return { fault: error instanceof Deno.errors.NotFound ? "it has no manifest" : (error as Error).message };
  }
  const manifest = parseManifest(text);
  if (manifest === undefined) return { fault: "its manifest is damaged" };
  if (manifest.key !== key) return { fault: `its manifest is that of ${manifest.key}` };
  if (taskOf(manifest).key !== key) return { fault: "its manifest does not give its key" };
  if (manifest.files.length === 0) return { fault: "its manifest lists no files" };
  const looks: string[] = [];
  try {
    for (const { path } of manifest.files) looks.push((await fingerprint(join(folder, path))).text);
    if (!again && verified.get(folder) === looks.join("|")) return { manifest };
    verified.delete(folder);
    for (const { path, size, sha256 } of manifest.files) {
      const found = await digest(join(folder, path));
      if (found.size !== size) return { fault: `${path} has another size` };
      if (found.sha256 !== sha256) return { fault: `${path} has another checksum` };
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return { fault: (error as Error).message };
  }
  verified.set(folder, looks.join("|"));
  return { manifest };
}

/** A manifest that has all it should have; undefined if the text is none. */
export function parseManifest(text: string): Manifest | undefined {
  let value: Partial<Record<keyof Manifest, unknown>> | null;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (value === null || typeof value !== "object") return undefined;
  const { key, stage, inputs, files, created, seconds } = value;
  const texts = [key, stage, created].every((field) => typeof field === "string");
  const whole = texts && typeof seconds === "number" && Number.isFinite(Date.parse(created as string)) &&
    typeof inputs === "object" && inputs !== null && value.parameters !== undefined &&
    Array.isArray(files) && files.every(isFile);
  return whole ? value as Manifest : undefined;
}

/** A file within the folder, with its size and sha256. */
function isFile(file: unknown): boolean {
  if (file === null || typeof file !== "object") return false;
  const { path, size, sha256 } = file as Record<string, unknown>;
  return typeof path === "string" && path !== "" && !isAbsolute(path) && !path.split(/[\\/]/).includes("..") &&
    Number.isSafeInteger(size) && typeof sha256 === "string" && /^[0-9a-f]{64}$/.test(sha256);
}
