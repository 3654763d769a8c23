// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * Fetches a repository of the hub, or finds it in the cache, and prints the folder: what tests/golden/hub_cache.py
 * compares.
 *
 *     deno run -A tools/fetch_snapshot.ts model|dataset OWNER/NAME[@REVISION]
 *
 * @module
 */
import { fetchSnapshot } from "../lib/hub/mod.ts";

const [kind, name] = Deno.args as ["model" | "dataset", string];
const [id, revision = "main"] = name.split("@") as [string, string?];
console.log((await fetchSnapshot({ kind, id, revision })).folder);
