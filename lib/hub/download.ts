/**
 * One file from the hub into the cache: resumed, retried, verified.
 *
 * @module
 */
import { createHash, type Hash } from "node:crypto";
import { join } from "node:path";
import { HubError } from "../error.ts";

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
export interface DownloadOptions {
  /** Sent as a bearer token. */
  readonly token?: string | undefined;
  /** Called with the bytes that arrived since the last call. */
  readonly onBytes?: ((count: number) => void) | undefined;
  /** Attempts in a row without a new byte before giving up. Default 6. */
  readonly attempts?: number | undefined;
  /** First pause between attempts; doubles each time. Default 500. */
  readonly pauseMilliseconds?: number | undefined;
  /** Stops the download; what arrived stays for the next one. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Fetches `url` to `blobs/<hash>`, unless it is there. Bytes go to a file of our own name first; one that an earlier
 * process left behind is taken over. Only a file of the right size and hash gets its name.
 */
export async function downloadBlob(
  url: string,
  blobs: string,
  file: RemoteFile,
  options: DownloadOptions = {},
): Promise<void> {
  const target = join(blobs, file.hash);
  if (await sizeOf(target) === file.size) return;
  await Deno.mkdir(blobs, { recursive: true });
  using part = await claimPart(blobs, file.hash);
  const { attempts = 6, pauseMilliseconds = 500, signal } = options;
  let failures = 0;
  let validator: string | undefined;
  while (true) {
    signal?.throwIfAborted();
    const have = (await part.file.stat()).size;
    try {
      if (have < file.size || file.size === 0) validator = await fetchRest(url, part.file, have, validator, options);
      const found = await part.hash(file);
      if (found === file.hash) break;
      // Wrong bytes help nobody: start again from nothing, but not forever.
      await part.file.truncate(0);
      validator = undefined;
      throw new Transient(`${file.algorithm} is ${found} instead of ${file.hash}`);
    } catch (error) {
      if (signal?.aborted || !(error instanceof Transient || error instanceof TypeError || isReset(error))) throw error;
      const progressed = (await part.file.stat()).size > have;
      failures = progressed ? 1 : failures + 1;
      if (failures >= attempts) {
        throw new HubError("the download failed again and again", {
          where: url,
          expected: `${file.size} bytes with ${file.algorithm} ${file.hash}`,
          found: (error as Error).message,
          hint: "what arrived is kept: run the command again to go on",
          cause: error,
        });
      }
      const pause = error instanceof Transient && error.retryAfter !== undefined
        ? error.retryAfter * 1000
        : pauseMilliseconds * 2 ** (failures - 1) * (0.5 + Math.random() / 2);
      await delay(Math.min(pause, 60_000), signal);
    }
  }
  await part.file.sync();
  await Deno.rename(part.path, target);
}

/** A failure that another attempt may cure. */
class Transient extends Error {
  constructor(message: string, readonly retryAfter?: number) {
    super(message);
  }
}

/** Asks for the bytes from `have` on and appends them. Returns what identifies this version of the file. */
async function fetchRest(
  url: string,
  part: Deno.FsFile,
  have: number,
  validator: string | undefined,
  { token, onBytes, signal }: DownloadOptions,
): Promise<string | undefined> {
  const headers = new Headers({ "accept-encoding": "identity" });
  if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
  if (have > 0) {
    headers.set("range", `bytes=${have}-`);
    if (validator !== undefined) headers.set("if-range", validator);
  }
  const response = await fetch(url, { headers, signal: signal ?? null });
  if (!response.ok && response.status !== 416) {
    await response.body?.cancel();
    const retryAfter = Number(response.headers.get("retry-after") ?? NaN);
    if (response.status === 408 || response.status === 429 || response.status >= 500) {
      throw new Transient(`HTTP ${response.status}`, Number.isFinite(retryAfter) ? retryAfter : undefined);
    }
    throw refused(url, response.status);
  }
  // 200: the whole file, be it that ranges are not supported or that the file is another one now.
  if (response.status !== 206) await part.truncate(0);
  if (response.status === 416) {
    await response.body?.cancel();
    throw new Transient("HTTP 416");
  }
  await part.seek(response.status === 206 ? have : 0, Deno.SeekMode.Start);
  for await (const bytes of response.body ?? []) {
    for (let written = 0; written < bytes.length;) written += await part.write(bytes.subarray(written));
    onBytes?.(bytes.length);
  }
  const etag = response.headers.get("etag");
  return etag !== null && !etag.startsWith("W/") ? etag : undefined;
}

/** An answer that no repetition will change. */
export function refused(url: string, status: number): HubError {
  const hints: Record<number, string> = {
    401: "set HF_TOKEN to a token that may read this repository",
    403: "accept the repository's terms on its page, and set HF_TOKEN",
    404: "check the name and the revision",
  };
  const hint = hints[status];
  return new HubError("the hub refused", { where: url, found: `HTTP ${status}`, ...(hint !== undefined && { hint }) });
}

/** An exclusively locked file for the bytes that have arrived. */
interface Part extends Disposable {
  readonly path: string;
  readonly file: Deno.FsFile;
  readonly hash: (file: RemoteFile) => Promise<string>;
}

/** Takes over an unfinished file that no living process holds, else begins one under a name of its own. */
async function claimPart(blobs: string, hash: string): Promise<Part> {
  for await (const { name } of Deno.readDir(blobs)) {
    if (!name.startsWith(`${hash}.`) || !name.endsWith(".incomplete")) continue;
    const path = join(blobs, name);
    const file = await Deno.open(path, { read: true, write: true }).catch(() => undefined);
    if (file === undefined) continue;
    if (await file.tryLock(true) && await sizeOf(path) !== undefined) return partOf(path, file);
    file.close();
  }
  const path = join(blobs, `${hash}.${crypto.randomUUID()}.incomplete`);
  const file = await Deno.open(path, { read: true, write: true, createNew: true });
  await file.lock(true);
  return partOf(path, file);
}

function partOf(path: string, file: Deno.FsFile): Part {
  return {
    path,
    file,
    hash: (remote) => hashOf(file, remote),
    [Symbol.dispose]: () => file.close(), // and with it the lock
  };
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

function isReset(error: unknown): boolean {
  return error instanceof Deno.errors.Http || error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.ConnectionRefused || error instanceof Deno.errors.UnexpectedEof ||
    error instanceof Deno.errors.BrokenPipe;
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await Deno.stat(path)).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function delay(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
  });
}
