/**
 * What stands behind `--train` and `--eval`: a file, a folder, or a dataset of the hub.
 *
 * @module
 */
import { join } from "node:path";
import { DatasetError } from "../error.ts";
import { exists } from "../exists.ts";
import { fetchSnapshot, type SnapshotOptions } from "../hub/snapshot.ts";

/** A source, taken apart. */
export type Source =
  | { readonly kind: "path"; readonly path: string }
  | {
    readonly kind: "hub";
    readonly id: string;
    readonly config: string | undefined;
    readonly revision: string;
    readonly split: string | undefined;
  };

/** An existing path, else `owner/name[/config][@revision][#split]`; `./` forces the one, `hub:` the other. */
export async function parseSource(text: string): Promise<Source> {
  const forced = text.startsWith("hub:");
  const path = { kind: "path", path: text } as const;
  if (!forced && (/^(\.{0,2}[/\\]|[A-Za-z]:)/.test(text) || await exists(text))) return path;
  const match = /^(?:hub:)?([\w.-]+\/[\w.-]+)(?:\/([\w.-]+))?(?:@([\w./-]+))?(?:#([\w.-]+))?$/.exec(text);
  if (match === null || (!forced && /\.(parquet|(csv|tsv|jsonl)(\.gz)?)$/.test(text))) return path;
  return { kind: "hub", id: match[1]!, config: match[2], revision: match[3] ?? "main", split: match[4] };
}

/**
 * Brings a source to this machine: the path of its file or folder, and what identifies its contents.
 *
 * @param text A path, or a dataset of the hub: `hf:owner/name`.
 * @param options How the hub is asked.
 * @returns The paths of its files, and the commit where it has one.
 * @throws {DatasetError} There is no such file.
 * @throws {HubError} The hub refuses, or is out of reach with nothing in the cache.
 */
export async function resolveSource(
  text: string,
  options: SnapshotOptions = {},
): Promise<{ readonly paths: readonly string[]; readonly version: string | undefined }> {
  const source = await parseSource(text);
  if (source.kind === "path") return { paths: [source.path], version: undefined };
  const { id, config, revision, split } = source;
  const pattern = new RegExp(
    `^(?:data/)?${config === undefined ? "(?:[\\w.-]+/)?" : `${config}/`}${
      split ?? "[\\w.-]+?"
    }(?:-.*)?\\.(parquet|(csv|tsv|jsonl)(\\.gz)?)$`,
  );
  const wanted = (file: string) => pattern.test(file);
  const snapshot = await fetchSnapshot({ kind: "dataset", id, revision }, { ...options, wanted });
  const folders = new Set(snapshot.files.map((file) => file.split("/").slice(0, -1).join("/")));
  if (folders.size !== 1) {
    throw new DatasetError("the dataset has several configurations", {
      where: text,
      expected: `one of ${[...folders].join(", ")}`,
      hint: `write ${id}/CONFIG#SPLIT`,
    });
  }
  return { paths: snapshot.files.map((file) => join(snapshot.folder, file)), version: snapshot.commit };
}
