/**
 * Repositories of the Hugging Face hub, in the cache that Python uses too.
 *
 * @module
 */
import { listFiles } from "@huggingface/hub";
import { join } from "node:path";
import { HubError } from "../error.ts";
import { cachedCommit, linkBlob, repoFolder, type RepoRef, snapshotFiles, writeRef } from "./cache_folder.ts";
import { downloadBlob, type RemoteFile } from "./download.ts";
import { type HubEnvironment, hubEnvironment } from "./environment.ts";
import { ask, isDropped, patiently, Transient, watch } from "./request.ts";

/** Options of {@linkcode fetchSnapshot}. */
export interface SnapshotOptions {
  /** Which files are wanted; default all. */
  readonly wanted?: ((path: string) => boolean) | undefined;
  /** Called as bytes arrive. */
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Stops the download; the next one goes on from there. */
  readonly signal?: AbortSignal | undefined;
  /** Default: from the process's environment. */
  readonly environment?: HubEnvironment | undefined;
  /** First pause between attempts. Default 500. */
  readonly pauseMilliseconds?: number | undefined;
  /** A connection that brings nothing for so long is given up. Default 60 000. */
  readonly silenceMilliseconds?: number | undefined;
}

/** How far a download is. */
export interface DownloadProgress {
  /** The file that arrives now. */
  readonly file: string;
  /** Bytes of all wanted files that are there. */
  readonly received: number;
  /** Bytes of all wanted files. */
  readonly total: number;
}

/** A repository on disk. */
export interface Snapshot {
  /** Folder with the files. */
  readonly folder: string;
  /** The commit they are from. */
  readonly commit: string;
  /** The wanted files, sorted. */
  readonly files: readonly string[];
}

/**
 * Brings the wanted files of a repository into the cache and says where they are. With `HF_HUB_OFFLINE`, without a
 * network, or where the hub is out of order, what is in the cache is taken.
 */
export async function fetchSnapshot(ref: RepoRef, options: SnapshotOptions = {}): Promise<Snapshot> {
  const { wanted = () => true, environment = hubEnvironment() } = options;
  const folder = repoFolder(environment.cache, ref);
  if (environment.offline) {
    return await cachedSnapshot(folder, ref, wanted) ?? absent(ref, folder, "HF_HUB_OFFLINE is set");
  }
  let commit: string;
  let files: readonly RemoteFile[];
  try {
    commit = await currentCommit(ref, environment, options);
    files = (await remoteFiles(ref, commit, environment, options)).filter(({ path }) => wanted(path));
  } catch (error) {
    options.signal?.throwIfAborted();
    if (!isOutage(error)) throw error;
    const why = error instanceof Transient ? `answers ${error.message}` : "does not answer";
    return await cachedSnapshot(folder, ref, wanted) ?? absent(ref, folder, `${environment.endpoint} ${why}`);
  }
  if (files.length === 0) throw new HubError("the repository has none of the wanted files", { where: nameOf(ref) });
  const total = files.reduce((sum, { size }) => sum + size, 0);
  let received = 0;
  for (const file of files) {
    const url = `${address(ref, environment)}/resolve/${commit}/${
      file.path.split("/").map(encodeURIComponent).join("/")
    }`;
    const before = received;
    await downloadBlob(url, folder, file, {
      token: environment.token,
      signal: options.signal,
      pauseMilliseconds: options.pauseMilliseconds,
      silenceMilliseconds: options.silenceMilliseconds,
      onBytes: (count) => {
        received += count;
        options.onProgress?.({ file: file.path, received, total });
      },
    });
    received = before + file.size;
    await linkBlob(folder, commit, file.path, file.hash);
  }
  await writeRef(folder, ref.revision, commit);
  return { folder: join(folder, "snapshots", commit), commit, files: files.map(({ path }) => path).sort() };
}

/** What the loader of a model reads: everything but weights in other formats, pictures and the like. */
export function modelFiles(path: string): boolean {
  return /(^|\/)(config.*|modules|tokenizer.*|special_tokens_map|added_tokens|vocab|sentence_.*|.*\.index)\.json$/.test(
    path,
  ) ||
    /(^|\/)(vocab|merges)\.txt$/.test(path) || /^(\d+_[^/]+\/)?model(-\d+-of-\d+)?\.safetensors$/.test(path);
}

async function cachedSnapshot(folder: string, ref: RepoRef, wanted: (path: string) => boolean) {
  const commit = await cachedCommit(folder, ref.revision);
  if (commit === undefined) return undefined;
  const snapshot = join(folder, "snapshots", commit);
  const files = (await snapshotFiles(snapshot))?.filter(wanted);
  return files === undefined || files.length === 0 ? undefined : { folder: snapshot, commit, files };
}

function absent(ref: RepoRef, folder: string, why: string): never {
  throw new HubError(`${nameOf(ref)} is not in the cache, and ${why}`, {
    where: folder,
    hint: "download it once with a network, or name a local folder",
  });
}

function nameOf({ kind, id, revision }: RepoRef): string {
  return `${kind} ${id}@${revision}`;
}

function address({ kind, id }: RepoRef, { endpoint }: HubEnvironment): string {
  return kind === "dataset" ? `${endpoint}/datasets/${id}` : `${endpoint}/${id}`;
}

async function currentCommit(ref: RepoRef, environment: HubEnvironment, options: SnapshotOptions): Promise<string> {
  const url = `${environment.endpoint}/api/${ref.kind}s/${ref.id}/revision/${encodeURIComponent(ref.revision)}`;
  const { sha }: { sha?: unknown } = JSON.parse((await getText(url, environment, options)).text);
  if (typeof sha === "string" && /^[0-9a-f]{40}$/.test(sha)) return sha;
  throw new HubError("the hub names no commit", { where: url, expected: "40 hexadecimal digits", found: String(sha) });
}

async function remoteFiles(
  ref: RepoRef,
  commit: string,
  environment: HubEnvironment,
  options: SnapshotOptions,
): Promise<RemoteFile[]> {
  const { endpoint, token } = environment;
  const where = `${address(ref, environment)}/tree/${commit}`;
  const files: RemoteFile[] = [];
  const listing = listFiles({
    repo: { type: ref.kind, name: ref.id },
    revision: commit,
    recursive: true,
    hubUrl: endpoint,
    fetch: patientFetch(environment, options),
    ...(token !== undefined && { accessToken: token }),
  });
  for await (const { type, path, size, oid, lfs } of listing) {
    if (type !== "file") continue;
    if (/^[/\\]|^[A-Za-z]:/.test(path) || path.split(/[/\\]/).includes("..")) {
      throw new HubError("a file name leaves the repository", { where, found: path });
    }
    const file: RemoteFile = lfs === undefined
      ? { path, size, hash: oid ?? "", algorithm: "git-sha1" }
      : { path, size: lfs.size, hash: lfs.oid, algorithm: "sha256" };
    if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(file.hash)) {
      throw new HubError("a file has no checksum", { where, found: JSON.stringify({ path, hash: file.hash }) });
    }
    files.push(file);
  }
  return files;
}

/** What the listing asks with: patiently, page by page, each read whole. The token goes to the endpoint alone. */
function patientFetch(
  environment: HubEnvironment,
  options: SnapshotOptions,
): typeof fetch {
  return async (input) => {
    const url = input instanceof Request ? input.url : String(input);
    const { text, link } = await getText(url, environment, options);
    const headers = { "content-type": "application/json", ...(link !== null && { link }) };
    return new Response(text, { headers });
  };
}

/** One page of the interface: JSON as text, and its `link` header. */
async function getText(
  url: string,
  { endpoint, token }: HubEnvironment,
  { signal, pauseMilliseconds, silenceMilliseconds = 60_000 }: SnapshotOptions,
): Promise<{ text: string; link: string | null }> {
  const headers = new Headers({ accept: "application/json" });
  if (token !== undefined && url.startsWith(`${endpoint}/`)) headers.set("authorization", `Bearer ${token}`);
  // A network that is not there shows at once: the cache must not wait for it.
  return await patiently(async () => {
    using watched = watch(silenceMilliseconds, signal);
    try {
      const response = await ask(url, headers, watched.signal);
      const text = await response.text();
      if (!isJson(text)) throw new Transient(`no JSON but ${JSON.stringify(text.slice(0, 60))}`);
      return { text, link: response.headers.get("link") };
    } catch (error) {
      throw watched.explain(error);
    }
  }, { drops: 3, pauseMilliseconds, signal });
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isOutage(error: unknown): boolean {
  return error instanceof Transient || isDropped(error) || error instanceof Deno.errors.NotCapable;
}
