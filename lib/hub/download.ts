/**
 * One file from the hub into the cache: resumed, retried, verified.
 *
 * @module
 */
import { join } from "node:path";
import { HubError } from "../error.ts";
import { lockBlob, writing } from "./cache_folder.ts";
import { hashOf, isWhole, openOwn, type RemoteFile } from "./remote_file.ts";
import { ask, delay, patiently, type RequestPatience, Transient } from "./request.ts";

/** Options of {@linkcode downloadBlob}. */
export interface DownloadOptions extends RequestPatience {
  /** Sent as a bearer token. */
  readonly token?: string | undefined;
  /** Called with the bytes that arrived since the last call. */
  readonly onBytes?: ((count: number) => void) | undefined;
}

/** An attempt that brought less has not progressed: a connection that breaks after every byte is given up. */
const PROGRESS_BYTES = 64 << 10;

/**
 * Fetches `url` to the blob of this hash in a repository's folder of the cache, unless it is there. One process at a time
 * does, Python's among them; what an earlier one left unfinished is taken over. Only a file of the right size and hash
 * gets its name.
 *
 * @returns Whether it was fetched.
 */
export async function downloadBlob(
  url: string,
  folder: string,
  file: RemoteFile,
  options: DownloadOptions = {},
): Promise<boolean> {
  const blobs = join(folder, "blobs");
  const target = join(blobs, file.hash);
  if (await isWhole(target, file)) return false;
  await writing(folder, () => Deno.mkdir(blobs, { recursive: true }));
  using _lock = await lockBlob(folder, file.hash, (milliseconds) => delay(milliseconds, options.signal));
  if (await isWhole(target, file)) return false;
  const { path, part: opened } = await writing(folder, () => openPart(blobs, file.hash));
  using part = opened;
  let before = 0;
  let validator: string | undefined;
  const remember = (found: string | undefined) => validator = found;
  const work = async () => {
    before = (await part.stat()).size;
    if (before < file.size || file.size === 0) await fetchRest(url, part, file, before, validator, remember, options);
    const found = await hashOf(part, file.algorithm);
    if (found === file.hash) return;
    // Wrong bytes help nobody: start again from nothing, but not forever.
    await part.truncate(0);
    validator = undefined;
    throw new Transient(`${file.algorithm} is ${found} instead of ${file.hash}`);
  };
  try {
    await writing(folder, () => patiently(work, options, () => part.statSync().size - before >= PROGRESS_BYTES));
  } catch (error) {
    options.signal?.throwIfAborted();
    if (!(error instanceof Transient)) throw error;
    throw new HubError("the download failed again and again", {
      where: url,
      expected: `${file.size} bytes with ${file.algorithm} ${file.hash}`,
      found: error.message,
      hint: "what arrived is kept: run the command again to go on",
      cause: error,
    });
  }
  await part.sync();
  await Deno.rename(path, target);
  return true;
}

/** Asks for the bytes from `have` on and appends them. `remember` is told what identifies this version of the file. */
async function fetchRest(
  url: string,
  part: Deno.FsFile,
  { size }: RemoteFile,
  have: number,
  validator: string | undefined,
  remember: (validator: string | undefined) => void,
  options: DownloadOptions,
): Promise<void> {
  const headers = new Headers({ "accept-encoding": "identity" });
  if (have > 0) {
    headers.set("range", `bytes=${have}-`);
    if (validator !== undefined) headers.set("if-range", validator);
  }
  using answer = await ask(url, headers, options.token, options).catch(async (error) => {
    if (error instanceof Transient && error.message === "HTTP 416") await part.truncate(0);
    throw error;
  });
  const { response } = answer;
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
  let written = isRest ? have : 0;
  await part.seek(written, Deno.SeekMode.Start);
  for await (const bytes of answer.chunks()) {
    if (written + bytes.length > size) {
      await part.truncate(0);
      throw new Transient(`more than the ${size} bytes of the listing`);
    }
    for (let from = 0; from < bytes.length;) from += await part.write(bytes.subarray(from));
    written += bytes.length;
    options.onBytes?.(bytes.length);
  }
}

/** A file to write to: an unfinished one of this blob, since whoever holds the lock may go on with it, else a new one. */
async function openPart(blobs: string, hash: string): Promise<{ path: string; part: Deno.FsFile }> {
  for await (const { name } of Deno.readDir(blobs)) {
    if (!name.startsWith(`${hash}.`) || !name.endsWith(".incomplete")) continue;
    const path = join(blobs, name);
    const part = await openOwn(path);
    if (part !== undefined) return { path, part };
  }
  const path = join(blobs, `${hash}.${crypto.randomUUID()}.incomplete`);
  return { path, part: await Deno.open(path, { read: true, write: true, createNew: true }) };
}
