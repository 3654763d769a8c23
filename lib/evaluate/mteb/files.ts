/**
 * Which files of a dataset's folder hold a split: what the card says, or what the names say.
 *
 * @module
 */
import * as Yaml from "effect/encoding/Yaml";
import { join, relative } from "node:path";
import { DatasetError } from "../../error.ts";

/** Files of data. */
const DATA = /\.(?:parquet|(?:csv|tsv|jsonl)(?:\.gz)?)$/;

/**
 * Whether a file of a dataset's repository may be wanted for an evaluation: data and the card.
 *
 * @param path Within the repository.
 * @returns True for Parquet, CSV, TSV, JSON and JSON lines, packed or not, and for the card.
 */
export function isDatasetFile(path: string): boolean {
  return path === "README.md" || DATA.test(path);
}

/** A dataset in a folder. */
export interface DatasetFolder {
  /** The folder. */
  readonly path: string;
  /** Its data files, relative, sorted. */
  readonly files: readonly string[];
  /** Patterns of files by configuration and split, where the card tells them. */
  readonly configs: ReadonlyMap<string, ReadonlyMap<string, readonly string[]>>;
}

/**
 * Looks into a folder of data: the files, and what the card says of them.
 *
 * @param path The folder.
 * @returns Its files, for {@linkcode evaluateTask}.
 * @throws {DatasetError} There is no such folder.
 */
export async function openDatasetFolder(path: string): Promise<DatasetFolder> {
  const files: string[] = [];
  const walk = async (folder: string, depth: number): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const inner = join(folder, name);
      // The hub's cache links to its files: what is no folder is one.
      if (isDirectory && depth < 4 && !name.startsWith(".")) await walk(inner, depth + 1);
      else if (DATA.test(name)) files.push(relative(path, inner).replaceAll("\\", "/"));
    }
  };
  try {
    await walk(path, 0);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) throw error;
    throw new DatasetError("there is no such folder of data", { where: path });
  }
  const card = await Deno.readTextFile(join(path, "README.md")).catch(() => "");
  return { path, files: files.sort(), configs: configsOf(card) };
}

/** The `configs:` of a dataset card's header. */
export function configsOf(card: string): ReadonlyMap<string, ReadonlyMap<string, readonly string[]>> {
  const configs = new Map<string, Map<string, string[]>>();
  const header = /^---\r?\n([^]*?)\r?\n---/.exec(card)?.[1];
  if (header === undefined) return configs;
  let parsed: unknown;
  try {
    parsed = Yaml.parse(header);
  } catch {
    return configs; // then the names of files tell
  }
  const list = <A>(value: A | readonly A[] | undefined): readonly A[] =>
    value === undefined ? [] : Array.isArray(value) ? value : [value as A];
  type Part = { split?: string; path?: string | string[] } | string;
  type Config = { config_name?: string; data_files?: Part | Part[] };
  for (const { config_name: name = "default", data_files } of list((parsed as { configs?: Config[] })?.configs)) {
    const splits = new Map<string, string[]>();
    for (const part of list(data_files)) {
      const { split = "train", path } = typeof part === "string" ? { path: part } : part;
      splits.set(String(split), [...splits.get(String(split)) ?? [], ...list(path)]);
    }
    configs.set(String(name), splits);
  }
  return configs;
}

/** Files of a split of a configuration (`default`: that without a name); undefined if there are none. */
export function splitFiles(folder: DatasetFolder, config: string, split: string): readonly string[] | undefined {
  const told = folder.configs.get(config);
  if (told !== undefined) {
    // As mteb: a part (corpus, queries) with one split has it under whatever name.
    const patterns = told.get(split) ?? (told.size === 1 && config !== "default" ? [...told.values()][0]! : []);
    const found = folder.files.filter((file) => patterns.some((pattern) => globPattern(pattern).test(file)));
    if (found.length > 0) return found.map((file) => join(folder.path, file));
  }
  const [c, s] = [quote(config), quote(split)];
  const end = "(?:-\\d[^/]*)?\\.(?:parquet|(?:csv|tsv|jsonl)(?:\\.gz)?)$"; // test.csv, test-00000-of-00002.parquet
  const patterns = config === "default" ? [`(?:data/)?${s}${end}`, `(?:data/)?default/${s}${end}`, `${s}/[^/]+$`] : [
    `(?:data/)?${c}/${s}${end}`,
    `(?:data/)?${s}/${c}${end}`,
    `(?:data/)?${c}[-_]${s}${end}`,
    `(?:data/)?${c}${end}`,
    `(?:data/)?${c}/${c}${end}`,
  ];
  for (const pattern of patterns) {
    const found = folder.files.filter((file) => new RegExp(`^${pattern}`).test(file));
    // The same rows may lie there in several formats.
    const format = FORMATS.find((extension) => found.some((file) => file.endsWith(extension)));
    const files = found.filter((file) => file.endsWith(format!));
    if (files.length > 0) return files.map((file) => join(folder.path, file));
  }
  return undefined;
}

/** Which format is read where there are several. */
const FORMATS = [".parquet", ".jsonl", ".csv", ".tsv", ".gz"];

function quote(text: string): string {
  return text.replaceAll(/[^\w]/g, "\\$&");
}

/** `data/test-*` as a regular expression: `*` within a folder, `**` across. */
function globPattern(glob: string): RegExp {
  const parts = glob.replace(/^\.\//, "").split(/(\*\*\/?|\*|\?)/);
  const body = parts.map((part) =>
    part.startsWith("**") ? ".*" : part === "*" ? "[^/]*" : part === "?" ? "[^/]" : quote(part)
  );
  return new RegExp(`^${body.join("")}$`);
}
