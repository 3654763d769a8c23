/**
 * Where the hub is, who we are there, and where its cache lies: the variables of Python's huggingface_hub.
 *
 * @module
 */
import { join } from "node:path";
import { isGranted, permittedVariable } from "../environment.ts";

/** The hub as one process sees it. Names that Python has given up are still read, after their successors. */
export interface HubEnvironment {
  /** Base address. `HF_ENDPOINT`. */
  readonly endpoint: string;
  /** Access token, of any form. `HF_TOKEN`, else the file `HF_TOKEN_PATH`, else `HF_HOME/token`. */
  readonly token: string | undefined;
  /** Folder of the cache. `HF_HUB_CACHE`, else `HF_HOME/hub`, else `~/.cache/huggingface/hub`. */
  readonly cache: string;
  /** Whether only the cache may be used. `HF_HUB_OFFLINE`. */
  readonly offline: boolean;
}

/** Reads a variable; undefined if it is not set. */
export type ReadVariable = (name: string) => string | undefined;

/**
 * Reads the environment. Variables that may not be read count as absent, and so do empty ones. In folders `~`, `$NAME` and
 * `${NAME}` mean what they mean to Python.
 *
 * @param read How a variable is read. Default: from the process, where that is permitted.
 * @returns Where the hub is, and who we are there.
 */
export function hubEnvironment(read: ReadVariable = permittedVariable): HubEnvironment {
  const get = (name: string) => read(name) || undefined;
  const folder = (name: string, otherwise: string) => expandPath(get(name) ?? otherwise, read);
  const caches = get("XDG_CACHE_HOME") ?? join(expandPath("~", read), ".cache");
  const home = folder("HF_HOME", join(caches, "huggingface"));
  const token = cleanToken(get("HF_TOKEN") ?? get("HUGGING_FACE_HUB_TOKEN"));
  return {
    endpoint: (get("HF_ENDPOINT") ?? "https://huggingface.co").trim().replace(/\/+$/, ""),
    token: token ?? readToken(folder("HF_TOKEN_PATH", join(home, "token"))),
    cache: folder("HF_HUB_CACHE", get("HUGGINGFACE_HUB_CACHE") ?? join(home, "hub")),
    offline: ["1", "true", "yes", "on"].includes(
      (get("HF_HUB_OFFLINE") ?? get("TRANSFORMERS_OFFLINE") ?? "").toLowerCase(),
    ),
  };
}

/**
 * A path as `os.path.expandvars(os.path.expanduser(path))` gives it: `~` in front is the user's folder, `$NAME` and
 * `${NAME}` (on Windows `%NAME%`, too) are variables; what is not set stays as it is, and a value is not expanded again.
 * `~other` stays: other users' folders are not asked for.
 */
export function expandPath(path: string, read: ReadVariable): string {
  const home = read("HOME") || read("USERPROFILE") || ".";
  const isOurs = path === "~" || /^~[/\\]/.test(path);
  const rooted = isOurs ? home.replace(/[/\\]+$/, "") + path.slice(1) || "/" : path;
  const named = Deno.build.os === "windows" ? /\$(?:(\w+)|\{([^}]*)\})|%([^%]+)%/g : /\$(?:(\w+)|\{([^}]*)\})/g;
  return rooted.replace(named, (whole, ...[bare, braced, percent]) => read(bare ?? braced ?? percent ?? "") ?? whole);
}

/** A token without the line ends and blanks that files and secrets bring along; undefined if nothing is left. */
function cleanToken(token: string | undefined): string | undefined {
  return token?.replaceAll(/[\r\n]/g, "").trim() || undefined;
}

function readToken(path: string): string | undefined {
  if (!isGranted("read", path)) return undefined;
  try {
    return cleanToken(Deno.readTextFileSync(path));
  } catch {
    return undefined; // no token file: anonymous
  }
}
