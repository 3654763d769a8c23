/**
 * Repositories of the Hugging Face hub, in the cache that Python uses too.
 *
 * @module
 */
import { join } from "node:path";
import { HubError } from "../error.ts";
import {
  cachedCommit,
  isPresent,
  linkBlob,
  repoFolder,
  type RepoRef,
  snapshotFiles,
  snapshotPath,
  writeRef,
} from "./cache_folder.ts";
import { downloadBlob } from "./download.ts";
import { type HubEnvironment, hubEnvironment } from "./environment.ts";
import { type Listing, type ListingLimits, listRepo } from "./listing.ts";
import { Transient } from "./request.ts";

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
  /** First pause between attempts in milliseconds. Default 500. */
  readonly pauseMilliseconds?: number | undefined;
  /** A connection that brings less than 1 KiB a second for so many milliseconds is given up. Default 60,000. */
  readonly silenceMilliseconds?: number | undefined;
  /** What the hub's listing may take. */
  readonly limits?: ListingLimits | undefined;
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
 * Brings the wanted files of a repository into the cache and says where they are. What is there and whole is not fetched
 * again, and nothing is written then. With `HF_HUB_OFFLINE`, without a network, or where the hub is out of order, what is in
 * the cache is taken.
 *
 * @param ref The repository, and its branch, tag or commit.
 * @param options Which files, into which cache, and who is told of progress.
 * @returns The folder, the commit and the wanted files.
 * @throws {HubError} The hub refuses, sends what cannot be right, or is out of reach with nothing in the cache. No
 *   message holds the token.
 */
export async function fetchSnapshot(ref: RepoRef, options: SnapshotOptions = {}): Promise<Snapshot> {
  const { environment = hubEnvironment() } = options;
  try {
    return await fetchInto(repoFolder(environment.cache, ref), ref, environment, options);
  } catch (error) {
    throw error instanceof HubError ? withoutSecrets(error, environment.token) : error;
  }
}

async function fetchInto(
  folder: string,
  ref: RepoRef,
  environment: HubEnvironment,
  options: SnapshotOptions,
): Promise<Snapshot> {
  const { wanted = () => true, signal, pauseMilliseconds, silenceMilliseconds, limits } = options;
  const patience = { signal, pauseMilliseconds, silenceMilliseconds };
  const cached = async (why: string) =>
    await cachedSnapshot(folder, ref, wanted) ?? absent(folder, `${nameOf(ref)} is not in the cache, and ${why}`);
  if (environment.offline) return await cached("HF_HUB_OFFLINE is set");
  checkEndpoint(environment);
  let listing: Listing;
  try {
    listing = await listRepo(ref, environment, { ...patience, limits });
  } catch (error) {
    signal?.throwIfAborted();
    if (!(error instanceof Transient || error instanceof Deno.errors.NotCapable)) throw error;
    if (error instanceof Deno.errors.NotCapable) return await cached("--allow-net is missing");
    return await cached(`${environment.endpoint} ${error.isDrop ? "does not answer" : `answers ${error.message}`}`);
  }
  const { commit } = listing;
  const files = listing.files.filter(({ path }) => wanted(path));
  if (files.length === 0) throw new HubError("the repository has none of the wanted files", { where: nameOf(ref) });
  const total = files.reduce((sum, { size }) => sum + size, 0);
  let received = 0;
  for (const file of files) {
    const before = received;
    if (!await isPresent(folder, commit, file)) {
      const onBytes = (count: number) => {
        received += count;
        options.onProgress?.({ file: file.path, received, total });
      };
      const url = addressOf(ref, commit, file.path, environment);
      const isNew = await downloadBlob(url, folder, file, { ...patience, token: environment.token, onBytes });
      await linkBlob(folder, commit, file, isNew);
    }
    received = before + file.size;
  }
  await writeRef(folder, ref.revision, commit);
  return { folder: join(folder, "snapshots", commit), commit, files: files.map(({ path }) => path).sort() };
}

/**
 * What the loader of a model reads: everything but weights in other formats, pictures and the like.
 *
 * @param path Within the repository.
 * @returns True for what the loader of a model reads.
 */
export function modelFiles(path: string): boolean {
  return /(^|\/)((adapter_)?config.*|modules|tokenizer.*|special_tokens_map|added_tokens|vocab|sentence_.*|.*\.index)\.json$/
    .test(
      path,
    ) ||
    /(^|\/)(vocab|merges)\.txt$/.test(path) || /^(\d+_[^/]+\/)?(adapter_)?model(-\d+-of-\d+)?\.safetensors$/.test(path);
}

/** The wanted files as they are in the cache; undefined if there are none. */
async function cachedSnapshot(
  folder: string,
  ref: RepoRef,
  wanted: (path: string) => boolean,
): Promise<Snapshot | undefined> {
  const commit = await cachedCommit(folder, ref.revision);
  if (commit === undefined) return undefined;
  const snapshot = join(folder, "snapshots", commit);
  const files = (await snapshotFiles(snapshot))?.filter(wanted);
  if (files === undefined || files.length === 0) return undefined;
  for (const file of files) {
    const path = snapshotPath(folder, commit, file);
    if (await Deno.stat(path).then(({ isFile }) => isFile, () => false)) continue;
    return absent(path, `${file} of ${nameOf(ref)} is not in the cache: its link points nowhere`);
  }
  return { folder: snapshot, commit, files };
}

function absent(where: string, message: string): never {
  throw new HubError(message, { where, hint: "download it once with a network, or name a local folder" });
}

function nameOf({ kind, id, revision }: RepoRef): string {
  return `${kind} ${id}@${revision}`;
}

function addressOf({ kind, id }: RepoRef, commit: string, path: string, { endpoint }: HubEnvironment): string {
  const repo = kind === "dataset" ? `datasets/${id}` : id;
  return `${endpoint}/${repo}/resolve/${commit}/${path.split("/").map(encodeURIComponent).join("/")}`;
}

function checkEndpoint({ endpoint }: HubEnvironment): void {
  const url = URL.parse(endpoint);
  if (url !== null && /^https?:$/.test(url.protocol) && url.search === "" && url.hash === "") return;
  throw new HubError("the hub's address is none", {
    expected: "https://… or http://…",
    found: endpoint,
    hint: "check HF_ENDPOINT",
  });
}

/** The same error without the token, and without what addresses may hold besides: passwords and signatures. */
function withoutSecrets(error: HubError, token: string | undefined): HubError {
  const clean = (text: string) => {
    const bare = text
      .replaceAll(/(https?:\/\/)[^\s/@"']*@/g, "$1")
      .replaceAll(/(https?:\/\/[^\s?#"')]*)[?#][^\s"')]*/g, "$1");
    return token === undefined ? bare : bare.replaceAll(token, "…");
  };
  const { summary, expected, found, where, hint } = error;
  const details = Object.entries({ expected, found, where, hint }).filter(([, text]) => text !== undefined);
  return new HubError(clean(summary), Object.fromEntries(details.map(([name, text]) => [name, clean(text!)])));
}
