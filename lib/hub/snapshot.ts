/**
 * Repositories of the Hugging Face hub, in the cache that Python uses too.
 *
 * @module
 */
import { listFiles } from "@huggingface/hub";
import { join } from "node:path";
import { HubError } from "../error.ts";
import { cachedCommit, linkBlob, repoFolder, type RepoRef, snapshotFiles, writeRef } from "./cache_folder.ts";
import { downloadBlob, refused, type RemoteFile } from "./download.ts";
import { type HubEnvironment, hubEnvironment } from "./environment.ts";

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
 * Brings the wanted files of a repository into the cache and says where they are. Without a network, or with
 * `HF_HUB_OFFLINE`, what is in the cache is taken.
 */
export async function fetchSnapshot(ref: RepoRef, options: SnapshotOptions = {}): Promise<Snapshot> {
  const { wanted = () => true, environment = hubEnvironment() } = options;
  const folder = repoFolder(environment.cache, ref);
  if (environment.offline) {
    return await cachedSnapshot(folder, ref, wanted) ?? absent(ref, folder, "HF_HUB_OFFLINE is set");
  }
  let commit: string;
  try {
    commit = await currentCommit(ref, environment, options);
  } catch (error) {
    const cached = isUnreachable(error) ? await cachedSnapshot(folder, ref, wanted) : undefined;
    if (cached !== undefined) return cached;
    if (isUnreachable(error)) return absent(ref, folder, `${environment.endpoint} does not answer`);
    throw error;
  }

  const files = (await remoteFiles(ref, commit, environment)).filter(({ path }) => wanted(path));
  if (files.length === 0) throw new HubError("the repository has none of the wanted files", { where: nameOf(ref) });
  const total = files.reduce((sum, { size }) => sum + size, 0);
  let received = 0;
  for (const file of files) {
    const url = `${address(ref, environment)}/resolve/${commit}/${
      file.path.split("/").map(encodeURIComponent).join("/")
    }`;
    const before = received;
    await downloadBlob(url, join(folder, "blobs"), file, {
      token: environment.token,
      signal: options.signal,
      pauseMilliseconds: options.pauseMilliseconds,
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
  const { endpoint, token } = environment;
  const url = `${endpoint}/api/${ref.kind}s/${ref.id}/revision/${encodeURIComponent(ref.revision)}`;
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  for (let attempt = 1;; attempt++) {
    const response = await fetch(url, { headers, signal: options.signal ?? null });
    if (response.ok) return (await response.json()).sha;
    await response.body?.cancel();
    if (attempt >= 6 || !(response.status === 429 || response.status >= 500)) throw refused(url, response.status);
    await new Promise((resolve) => setTimeout(resolve, (options.pauseMilliseconds ?? 500) * 2 ** (attempt - 1)));
  }
}

async function remoteFiles(ref: RepoRef, commit: string, environment: HubEnvironment): Promise<RemoteFile[]> {
  const files: RemoteFile[] = [];
  const listing = listFiles({
    repo: { type: ref.kind, name: ref.id },
    revision: commit,
    recursive: true,
    hubUrl: environment.endpoint,
    ...(environment.token !== undefined && { accessToken: environment.token }),
  });
  for await (const { type, path, size, oid, lfs } of listing) {
    if (type !== "file") continue;
    if (path.split("/").includes("..")) throw new HubError("a file name leaves the repository", { found: path });
    files.push(
      lfs === undefined
        ? { path, size, hash: oid ?? "", algorithm: "git-sha1" }
        : { path, size: lfs.size, hash: lfs.oid, algorithm: "sha256" },
    );
  }
  return files;
}

function isUnreachable(error: unknown): boolean {
  return error instanceof TypeError || error instanceof Deno.errors.NotCapable;
}
