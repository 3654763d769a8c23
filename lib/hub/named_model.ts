/**
 * Models by name.
 *
 * @module
 */
import { UsageError } from "../error.ts";
import type { HubEnvironment } from "./environment.ts";
import { fetchSnapshot, modelFiles } from "./snapshot.ts";

/** A model on this machine. */
export interface LocatedModel {
  /** Its folder. */
  readonly folder: string;
  /** The commit that it is from, if it came from the hub. */
  readonly commit?: string;
}

const isFolder = (path: string) => Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false);

/** The two parts of `owner/name#adapter` or `FOLDER#adapter`; a folder that is called so is a model. */
export async function splitModelName(source: string): Promise<{ readonly model: string; readonly adapter?: string }> {
  const [, model, adapter] = /^(.+)#(\w[\w.-]*)$/.exec(source) ?? [];
  if (model === undefined || adapter === undefined || await isFolder(source)) return { model: source };
  return { model, adapter };
}

/** Options of {@linkcode locateModel}. */
export interface LocateOptions {
  /** Files that are wanted beside those of every model. Default: none. */
  readonly more?: (path: string) => boolean;
  /** Default: from the process's environment. */
  readonly environment?: HubEnvironment | undefined;
}

/** The folder of a model on this machine, and the commit if it came from the hub, from where it is downloaded. */
export async function locateModel(
  source: string,
  { more = () => false, environment }: LocateOptions = {},
): Promise<LocatedModel> {
  if (await isFolder(source)) return { folder: source };
  if (!/^(hub:)?\w[\w.-]*\/\w[\w.-]*(@[\w./-]+)?$/.test(source)) {
    // One that may not be read looks as if it were not there.
    await Deno.stat(source).catch((error) => {
      if (error instanceof Deno.errors.NotCapable) throw error;
    });
    throw new UsageError("there is no such model", {
      found: source,
      hint: "name a folder, a file of word vectors (.txt, .vec), or a model of the hub as owner/name",
    });
  }
  const [id, revision = "main"] = source.replace(/^hub:/, "").split("@");
  const wanted = (path: string) => modelFiles(path) || more(path);
  const { folder, commit } = await fetchSnapshot({ kind: "model", id: id!, revision }, { wanted, environment });
  return { folder, commit };
}
