/**
 * Where the hub is, who we are there, and where its cache lies: the variables of Python's huggingface_hub.
 *
 * @module
 */
import { join } from "node:path";

/** The hub as one process sees it. Names that Python has given up are still read, after their successors. */
export interface HubEnvironment {
  /** Base address. `HF_ENDPOINT`. */
  readonly endpoint: string;
  /** Access token. `HF_TOKEN`, else the file `HF_TOKEN_PATH`, else `HF_HOME/token`. */
  readonly token: string | undefined;
  /** Folder of the cache. `HF_HUB_CACHE`, else `HF_HOME/hub`, else `~/.cache/huggingface/hub`. */
  readonly cache: string;
  /** Whether only the cache may be used. `HF_HUB_OFFLINE`. */
  readonly offline: boolean;
}

/** Reads the environment. Variables that may not be read count as absent. */
export function hubEnvironment(get: (name: string) => string | undefined = readVariable): HubEnvironment {
  const home = get("HF_HOME") ??
    join(get("XDG_CACHE_HOME") ?? join(get("HOME") ?? get("USERPROFILE") ?? ".", ".cache"), "huggingface");
  return {
    endpoint: (get("HF_ENDPOINT") ?? "https://huggingface.co").replace(/\/+$/, ""),
    token: get("HF_TOKEN") ?? get("HUGGING_FACE_HUB_TOKEN") ?? readToken(get("HF_TOKEN_PATH") ?? join(home, "token")),
    cache: get("HF_HUB_CACHE") ?? get("HUGGINGFACE_HUB_CACHE") ?? join(home, "hub"),
    offline: ["1", "true", "yes", "on"].includes(
      (get("HF_HUB_OFFLINE") ?? get("TRANSFORMERS_OFFLINE") ?? "").toLowerCase(),
    ),
  };
}

function readVariable(name: string): string | undefined {
  if (Deno.permissions.querySync({ name: "env", variable: name }).state !== "granted") return undefined;
  return Deno.env.get(name) || undefined;
}

function readToken(path: string): string | undefined {
  if (Deno.permissions.querySync({ name: "read", path }).state !== "granted") return undefined;
  try {
    return Deno.readTextFileSync(path).trim() || undefined;
  } catch {
    return undefined; // no token file: anonymous
  }
}
