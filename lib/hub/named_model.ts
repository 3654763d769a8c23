/**
 * Models by name.
 *
 * @module
 */
import { UsageError } from "../error.ts";
import { fetchSnapshot, modelFiles } from "./snapshot.ts";

/** The folder of a model on this machine, and the commit if it came from the hub, from where it is downloaded. */
export async function locateModel(source: string): Promise<{ readonly folder: string; readonly commit?: string }> {
  if (await Deno.stat(source).then(({ isDirectory }) => isDirectory, () => false)) return { folder: source };
  if (!/^(hub:)?\w[\w.-]*\/\w[\w.-]*(@[\w./-]+)?$/.test(source)) {
    throw new UsageError("there is no such model", {
      found: source,
      hint: "name a folder, a file of word vectors (.txt, .vec), or a model of the hub as owner/name",
    });
  }
  const [id, revision = "main"] = source.replace(/^hub:/, "").split("@");
  return await fetchSnapshot({ kind: "model", id: id!, revision }, { wanted: modelFiles });
}
