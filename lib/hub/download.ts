/**
 * One file from the hub into the cache: resumed, retried, verified.
 *
 * @module
 */
import { createHash, type Hash } from "node:crypto";
import { join } from "node:path";
import { HubError } from "../error.ts";
import { lockBlob } from "./cache_folder.ts";
import { ask, delay, type Patience, patiently, Transient, watch } from "./request.ts";

/** What a file must be. */
export interface RemoteFile {
  /** Its path in the repository. */
  readonly path: string;
  /** Its size in bytes. */
  readonly size: number;
  /** Its name among the blobs: sha256 of a large file, git's sha1 of a small one. */
  readonly hash: string;
  /** Which of the two. */
  readonly algorithm: "sha256" | "git-sha1";
}

/** Options of {@linkcode downloadBlob}. */
export interface DownloadOptions extends Patience {
  /** Sent as a bearer token. */
  readonly token?: string | undefined;
  /** Called with the bytes that arrived since the last call. */
  readonly onBytes?: ((count: number) => void) | undefined;
  /** A connection that brings nothing for so long is given up. Default 60 000. */
  readonly silenceMilliseconds?: number | undefined;
}

/**
 * Fetches `url` to the blob of this hash in a repository's folder of the cache, unless it is there. One process at a time
 * does, Python's among them; what an earlier one left unfinished is taken over. Only a file of the right size and hash
 * gets its name.
 */
export async function downloadBlob(
  url: string,
  folder: string,
  file: RemoteFile,
  options: DownloadOptions = {},
): Promise<void> {
  const blobs = join(folder, "blobs");
  const target = join(blobs, file.hash);
  if (await sizeOf(target) === file.size) return;
  await Deno.mkdir(blobs, { recursive: true });
  using _lock = await lockBlob(folder, file.hash, (milliseconds) => delay(milliseconds, options.signal));
  if (await sizeOf(target) === file.size) return;
  const path = await unfinished(blobs, file.hash) ?? join(blobs, `${file.hash}.${crypto.randomUUID()}.incomplete`);
  using part = await Deno.open(path, { read: true, write: true, create: true });
  let before = 0;
  let validator: string | undefined;
  const remember = (found: string | undefined) => validator = found;
  const work = async () => {
    before = (await part.stat()).size;
    if (before < file.size || file.size === 0) await fetchRest(url, part, before, validator, remember, options);
    const found = await hashOf(part, file);
    if (found === file.hash) return;
    // Wrong bytes help nobody: start again from nothing, but not forever.
    await part.truncate(0);
    validator = undefined;
    throw new Transient(`${file.algorithm} is ${found} instead of ${file.hash}`);
  };
  try {
    await patiently(work, options, () => part.statSync().size > before);
  } catch (error) {
    options.signal?.throwIfAborted();
    if (error instanceof HubError) throw error;
    throw new HubError("the download failed again and again", {
      where: url,
      expected: `${file.size} bytes with ${file.algorithm} ${file.hash}`,
      found: (error as Error).message,
      hint: "what arrived is kept: run the command again to go on",
      cause: error,
    });
  }
  await part.sync();
  await Deno.rename(path, target);
}

/** Asks for the bytes from `have` on and appends them. `remember` is told what identifies this version of the file. */
async function fetchRest(
  url: string,
  part: Deno.FsFile,
  have: number,
  validator: string | undefined,
  remember: (validator: string | undefined) => void,
  { token, onBytes, signal, silenceMilliseconds = 60_000 }: DownloadOptions,
): Promise<void> {
  const headers = new Headers({ "accept-encoding": "identity" });
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  if (have > 0) {
    headers.set("range", `bytes=${have}-`);
    if (validator !== undefined) headers.set("if-range", validator);
  }
  using watched = watch(silenceMilliseconds, signal);
  try {
    const response = await ask(url, headers, watched.signal).catch(async (error) => {
      if (error instanceof Transient && error.message === "HTTP 416") await part.truncate(0);
      throw error;
    });
    const start = Number(/^bytes (\d+)-/.exec(response.headers.get("content-range") ?? "")?.[1] ?? have);
    // 200: the whole file, be it that ranges are not supported or that the file is another one now.
    const isRest = response.status === 206 && start === have;
    if (!isRest) await part.truncate(0);
    if (response.status === 206 && !isRest) {
      await response.body?.cancel();
      throw new Transient(`bytes from ${start} on instead of ${have}`);
    }
    const etag = response.headers.get("etag");
    remember(etag !== null && !etag.startsWith("W/") ? etag : undefined);
    await part.seek(isRest ? have : 0, Deno.SeekMode.Start);
    for await (const bytes of response.body ?? []) {
      watched.touch();
      for (let written = 0; written < bytes.length;) written += await part.write(bytes.subarray(written));
      onBytes?.(bytes.length);
    }
  } catch (error) {
    throw watched.explain(error);
  }
}

/** An unfinished file of this blob: whoever holds the lock may go on with it. */
async function unfinished(blobs: string, hash: string): Promise<string | undefined> {
  for await (const { name } of Deno.readDir(blobs)) {
    if (name.startsWith(`${hash}.`) && name.endsWith(".incomplete")) return join(blobs, name);
  }
  return undefined;
}

async function hashOf(file: Deno.FsFile, { algorithm }: RemoteFile): Promise<string> {
  const { size } = await file.stat();
  let hash: Hash;
  if (algorithm === "sha256") hash = createHash("sha256");
  else {
    hash = createHash("sha1");
    hash.update(`blob ${size}\0`); // how git names its blobs
  }
  await file.seek(0, Deno.SeekMode.Start);
  const buffer = new Uint8Array(1 << 18);
  for (let count = await file.read(buffer); count !== null; count = await file.read(buffer)) {
    hash.update(buffer.subarray(0, count));
  }
  return hash.digest("hex");
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await Deno.stat(path)).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
