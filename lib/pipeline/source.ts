/**
 * Models by name: a folder, or a model of the hub.
 *
 * @module
 */
import { UsageError } from "../error.ts";
import { fetchSnapshot, modelFiles } from "../hub/snapshot.ts";

/** The folder of a model on this machine. */
export async function modelFolder(source: string): Promise<string> {
  if (await Deno.stat(source).then(({ isDirectory }) => isDirectory, () => false)) return source;
  if (!/^(hub:)?[\w.-]+\/[\w.-]+(@[\w./-]+)?$/.test(source)) {
    throw new UsageError("there is no such model", {
      found: source,
      hint: "name a folder, or a model of the hub as owner/name",
    });
  }
  const [id, revision = "main"] = source.replace(/^hub:/, "").split("@");
  return (await fetchSnapshot({ kind: "model", id: id!, revision }, { wanted: modelFiles })).folder;
}
