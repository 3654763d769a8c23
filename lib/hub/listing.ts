/**
 * What a repository of the hub holds at a commit, page by page, and never more than a listing may be.
 *
 * @module
 */
import { HubError } from "../error.ts";
import { isObject } from "../expect.ts";
import type { RepoRef } from "./cache_folder.ts";
import type { HubEnvironment } from "./environment.ts";
import type { RemoteFile } from "./remote_file.ts";
import { ask, patiently, type RequestPatience, Transient } from "./request.ts";

/** What the hub's answers may take. */
export interface ListingLimits {
  /** Bytes of all answers together. Default 256 MiB: about a million files. */
  readonly bytes?: number | undefined;
  /** Pages. Default 2000, of usually a thousand files each. */
  readonly pages?: number | undefined;
  /** Time, waiting and repeating included, in milliseconds. Default ten minutes. */
  readonly milliseconds?: number | undefined;
}

/** Options of {@linkcode listRepo}. */
export interface ListingOptions extends RequestPatience {
  /** What the hub's answers may take. */
  readonly limits?: ListingLimits | undefined;
}

/** A repository as the hub has it now. */
export interface Listing {
  /** The commit that the revision stands at. */
  readonly commit: string;
  /** All files of it. */
  readonly files: readonly RemoteFile[];
}

/**
 * Asks the hub for the commit of a revision and the files of it.
 *
 * @param ref The repository, and its branch, tag or commit.
 * @param environment Where the hub is, and who asks: {@linkcode hubEnvironment}.
 * @param options How much is believed, and how patient to be.
 * @returns The commit, and the files with their sizes and checksums.
 * @throws {HubError} The hub refuses, is out of reach, or sends what cannot be right.
 */
export async function listRepo(
  ref: RepoRef,
  environment: HubEnvironment,
  options: ListingOptions = {},
): Promise<Listing> {
  const { limits = {}, ...patience } = options;
  const { bytes = 256 << 20, pages = 2000, milliseconds = 600_000 } = limits;
  using deadline = deadlineOf(milliseconds, patience.signal);
  const left = { bytes };
  const get = (url: string) => getJson(url, environment, left, { ...patience, signal: deadline.signal });
  const repo = `${environment.endpoint}/api/${ref.kind}s/${ref.id}`;
  try {
    const commit = commitOf(await get(`${repo}/revision/${encodeURIComponent(ref.revision)}`));
    const files: RemoteFile[] = [];
    const asked = new Set<string>();
    for (let url: string | undefined = `${repo}/tree/${commit}?recursive=true`; url !== undefined;) {
      if (asked.has(url)) throw new HubError("the listing goes in a circle", { where: url });
      if (asked.size === pages) throw endless(url, `${pages} pages`);
      asked.add(url);
      const page = await get(url);
      files.push(...filesOf(page));
      url = page.next;
    }
    checkPaths(files, `${repo}/tree/${commit}`);
    return { commit, files };
  } catch (error) {
    throw deadline.isOver() ? endless(repo, `${milliseconds / 1000} s`) : error;
  }
}

function endless(where: string, expected: string): HubError {
  return new HubError("the hub's listing does not come to an end", { where, expected: `at most ${expected}` });
}

/** A signal that comes after a while, or with `signal`. */
function deadlineOf(milliseconds: number, signal: AbortSignal | undefined) {
  const clock = new AbortController();
  const timer = setTimeout(() => clock.abort(), milliseconds);
  return {
    signal: signal === undefined ? clock.signal : AbortSignal.any([signal, clock.signal]),
    isOver: () => clock.signal.aborted && !signal?.aborted,
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}

/** One answer: JSON, and the address of the next page. */
interface Page {
  readonly url: string;
  readonly json: unknown;
  readonly next: string | undefined;
}

/** Asks for JSON. The token goes to the endpoint alone, wherever a page says that the next one is. */
async function getJson(
  url: string,
  { endpoint, token }: HubEnvironment,
  left: { bytes: number },
  patience: RequestPatience,
): Promise<Page> {
  const own = url.startsWith(`${endpoint}/`) ? token : undefined;
  // A network that is not there shows at once: the cache must not wait for it.
  return await patiently(async () => {
    using answer = await ask(url, new Headers({ accept: "application/json" }), own, patience);
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of answer.chunks()) {
      left.bytes -= chunk.length;
      if (left.bytes < 0) throw endless(url, "so many bytes as a listing may have");
      text += decoder.decode(chunk, { stream: true });
    }
    text += decoder.decode();
    try {
      return { url, json: JSON.parse(text), next: nextPage(answer.response.headers.get("link"), url) };
    } catch {
      throw new Transient(`no JSON but ${JSON.stringify(text.slice(0, 60))}`);
    }
  }, { drops: 3, ...patience });
}

/** The address behind `rel="next"` of a `link` header. */
function nextPage(link: string | null, url: string): string | undefined {
  for (const [, target, parameters] of (link ?? "").matchAll(/<([^>]*)>([^<]*)/g)) {
    if (/;\s*rel\s*=\s*"?next"?\s*(;|,|$)/i.test(parameters!)) return URL.parse(target!, url)?.href;
  }
  return undefined;
}

function commitOf({ json, url }: Page): string {
  const sha = isObject(json) ? json.sha : undefined;
  if (typeof sha === "string" && /^[0-9a-f]{40}$/.test(sha)) return sha;
  throw new HubError("the hub names no commit", { where: url, expected: "40 hexadecimal digits", found: shown(sha) });
}

function filesOf({ json, url }: Page): RemoteFile[] {
  if (!Array.isArray(json)) throw malformed(url, "a list of files and folders", json);
  return json.flatMap((entry: unknown) => {
    if (!isObject(entry) || typeof entry.type !== "string") throw malformed(url, "a file or a folder", entry);
    return entry.type === "file" ? [fileOf(entry, url)] : [];
  });
}

function fileOf({ path, size, oid, lfs }: Record<string, unknown>, where: string): RemoteFile {
  if (typeof path !== "string") throw malformed(where, "a path", path);
  const large = isObject(lfs);
  const bytes = large ? lfs.size : size;
  const hash = large ? lfs.oid : oid;
  if (!Number.isSafeInteger(bytes) || bytes as number < 0) throw malformed(`${where}: ${path}`, "a size", bytes);
  if (typeof hash !== "string" || !(large ? /^[0-9a-f]{64}$/ : /^[0-9a-f]{40}$/).test(hash)) {
    throw malformed(`${where}: ${path}`, large ? "a sha256" : "git's sha1", hash);
  }
  return { path, size: bytes as number, hash, algorithm: large ? "sha256" : "git-sha1" };
}

function malformed(where: string, expected: string, found: unknown): HubError {
  return new HubError("the hub's listing is not one", { where, expected, found: shown(found) });
}

/** Refuses names that would leave the snapshot's folder, that a disk may not hold, or that stand in each other's way. */
function checkPaths(files: readonly RemoteFile[], where: string): void {
  const wrong = (path: string, expected: string) =>
    new HubError("a file name leaves the repository, or cannot be one", { where, expected, found: shown(path) });
  const names = new Set<string>();
  for (const { path } of files) {
    const parts = path.split("/");
    // deno-lint-ignore no-control-regex -- those are what is looked for
    if (/^[A-Za-z]:|[\\\x00-\x1f]/.test(path) || parts.some((part) => part === "" || part === "." || part === "..")) {
      throw wrong(path, "names with slashes between, and neither . nor .. nor backslash among them");
    }
    if (path.length > 1024 || parts.some((part) => new TextEncoder().encode(part).length > 255)) {
      throw wrong(path, "at most 255 bytes a name, and 1024 letters in all");
    }
    if (names.has(path)) throw wrong(path, "each name once");
    names.add(path);
  }
  for (const { path } of files) {
    for (let end = path.indexOf("/"); end > 0; end = path.indexOf("/", end + 1)) {
      if (names.has(path.slice(0, end))) throw wrong(path, `${path.slice(0, end)} to be a file or a folder, not both`);
    }
  }
}

/** What was found, cut to what a person reads. */
function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
