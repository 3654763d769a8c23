/**
 * Sets of queries, documents and judgements from folders: BEIR's layout (corpus, queries, qrels), that of NanoBEIR (the
 * same, with a split for each set), and tasks that name their files.
 *
 * @module
 */
import { counted } from "../counted.ts";
import type { RetrievalSet } from "../data/retrieval_sets.ts";
import { readTable } from "../data/table.ts";
import type { Table } from "../data/table_builder.ts";
import { DatasetError, UsageError } from "../error.ts";
import { isObject } from "../expect.ts";
import { type DatasetFolder, openDatasetFolder, splitFiles } from "./mteb/files.ts";
import { dirname, join } from "node:path";
import { parseTaskFile } from "./mteb/task.ts";
import { didYouMean, nearestName } from "../text/edits.ts";

/** The sets of NanoBEIR by sentence-transformers' names, in its order. */
export const NANO_BEIR: Readonly<Record<string, string>> = {
  climatefever: "NanoClimateFEVER",
  dbpedia: "NanoDBPedia",
  fever: "NanoFEVER",
  fiqa2018: "NanoFiQA2018",
  hotpotqa: "NanoHotpotQA",
  msmarco: "NanoMSMARCO",
  nfcorpus: "NanoNFCorpus",
  nq: "NanoNQ",
  quoraretrieval: "NanoQuoraRetrieval",
  scidocs: "NanoSCIDOCS",
  arguana: "NanoArguAna",
  scifact: "NanoSciFact",
  touche2020: "NanoTouche2020",
};

/** What a folder holds. */
export type RetrievalLayout = "beir" | "nanobeir";

/** The folder's layout; undefined if it has no corpus, queries and judgements. */
export function retrievalLayout(folder: DatasetFolder): RetrievalLayout | undefined {
  const has = (part: string) => folder.configs.has(part) || folder.files.some((file) => partPattern(part).test(file));
  if (!has("corpus") || !has("queries") || !(has("qrels") || has("default"))) return undefined;
  // A split of each set: by the card, or by the names of files.
  const isNano = (name: string) =>
    folder.configs.get("corpus")?.has(name) ||
    folder.files.some((file) => new RegExp(`^(?:data/)?corpus[/_-]${name}\\b`).test(file));
  return Object.values(NANO_BEIR).some(isNano) ? "nanobeir" : "beir";
}

const partPattern = (part: string) => new RegExp(`^(?:data/)?${part}(?:[/._-]|$)`);

/** The layout of the folder of this name; undefined where it is no folder, or has another one. */
export async function layoutOf(path: string): Promise<RetrievalLayout | undefined> {
  if (!await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false)) return undefined;
  return retrievalLayout(await openDatasetFolder(path));
}

/** Options of {@linkcode readRetrievalSets}. */
export interface RetrievalFolderOptions {
  /** Of NanoBEIR: which sets, by their short or full names. Default: all 13. Of BEIR: the split, default test. */
  readonly sets?: readonly string[] | undefined;
}

/**
 * Reads the sets of a folder.
 *
 * BEIR: `corpus.jsonl` and `queries.jsonl` with `_id`, `text` and, of documents, `title`, which goes before the text;
 * `qrels/test.tsv` with `query-id`, `corpus-id` and `score`, above 0 for what is relevant; Parquet, CSV and folders of
 * these names as well. NanoBEIR: parts corpus, queries and qrels, with a split for each of its 13 sets. Queries that
 * nothing is relevant to are left out, as sentence-transformers does; documents stand in the order of their ids.
 *
 * @param path The folder.
 * @param options Which sets.
 * @returns One set of BEIR, or those of NanoBEIR.
 * @throws {DatasetError} A part, a column or a document is missing, or an id occurs twice.
 * @throws {UsageError} NanoBEIR has no set of this name.
 *
 * @example
 * ```ts
 * import { readRetrievalSets } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const folder = await Deno.makeTempDir();
 * await Deno.mkdir(`${folder}/qrels`);
 * await Deno.writeTextFile(`${folder}/corpus.jsonl`, '{"_id":"b","title":"Cats","text":"purr"}\n{"_id":"a","text":"dogs bark"}\n');
 * await Deno.writeTextFile(`${folder}/queries.jsonl`, '{"_id":"1","text":"who barks?"}\n');
 * await Deno.writeTextFile(`${folder}/qrels/test.tsv`, "query-id\tcorpus-id\tscore\n1\ta\t1\n1\tb\t0\n");
 * const [set] = await readRetrievalSets(folder);
 * assert.deepEqual(set!.documents, ["dogs bark", "Cats purr"]);
 * assert.deepEqual([...set!.relevant[0]!], [0]);
 * await Deno.remove(folder, { recursive: true });
 * ```
 */
export async function readRetrievalSets(
  path: string,
  options: RetrievalFolderOptions = {},
): Promise<readonly RetrievalSet[]> {
  const folder = await openDatasetFolder(path);
  const layout = retrievalLayout(folder);
  if (layout === undefined) {
    throw new DatasetError("the folder has no corpus, queries and judgements", {
      where: path,
      expected: "corpus.jsonl, queries.jsonl and qrels/test.tsv",
      found: folder.files.slice(0, 12).join(", ") || "no data",
    });
  }
  if (layout === "nanobeir") return await nanoSets(folder, options.sets);
  const [split = "test", ...more] = options.sets ?? [];
  if (more.length > 0) {
    throw new UsageError("a folder of BEIR's layout is read one split at a time", {
      expected: "one split",
      found: options.sets!.join(", "),
    });
  }
  const part = async (...names: readonly string[]) => await tablesOf(folder, names, split);
  return [setOf("", await part("corpus"), await part("queries"), await part("qrels", "default"), { titles: true })];
}

/** The sets of NanoBEIR in a folder: texts without their titles, and none that are empty, as in sentence-transformers. */
async function nanoSets(
  folder: DatasetFolder,
  wanted: readonly string[] | undefined,
): Promise<readonly RetrievalSet[]> {
  const names = wanted === undefined ? Object.values(NANO_BEIR) : wanted.map(nanoName);
  const sets: RetrievalSet[] = [];
  for (const name of new Set(names)) {
    const part = async (part: string) => await tablesOf(folder, [part], name);
    sets.push(setOf(name, await part("corpus"), await part("queries"), await part("qrels"), { titles: false }));
  }
  return sets;
}

function nanoName(wanted: string): string {
  const full = NANO_BEIR[wanted.toLowerCase()] ?? Object.values(NANO_BEIR).find((name) => name === wanted);
  if (full !== undefined) return full;
  throw new UsageError("NanoBEIR has no set of this name", {
    expected: Object.keys(NANO_BEIR).join(", "),
    found: wanted,
    ...didYouMean(nearestName(wanted.toLowerCase(), Object.keys(NANO_BEIR))),
  });
}

/** The tables of the first of these parts that has files for a split. */
async function tablesOf(folder: DatasetFolder, parts: readonly string[], split: string): Promise<readonly Table[]> {
  for (const part of parts) {
    const paths = splitFiles(folder, part, split) ??
      (part === "default" ? splitFiles(folder, "default", split) : undefined);
    if (paths !== undefined) return await Promise.all(paths.map((path) => readTable(path, { header: true })));
  }
  throw new DatasetError(`the ${parts[0]} of ${split} are not there`, {
    where: folder.path,
    expected: `${parts[0]}/${split}.parquet, .csv, .tsv or .jsonl`,
    found: folder.files.slice(0, 12).join(", ") || "no data",
    hint: "name another split, or sets, behind the folder: FOLDER#dev",
  });
}

/**
 * Reads a task of one's own whose type is Retrieval: JSON or YAML that names files of corpus, queries and qrels, beside it.
 *
 * @param path The task's file.
 * @returns Its set.
 * @throws {UsageError} The task is of another type, or names other files.
 */
export async function readRetrievalTask(path: string): Promise<readonly RetrievalSet[]> {
  const task = parseTaskFile(await Deno.readTextFile(path), path);
  const { corpus, queries } = task.files ?? {};
  const qrels = task.files?.["qrels"] ?? task.files?.[task.eval_splits[0]!];
  if (task.type !== "Retrieval" || corpus === undefined || queries === undefined || qrels === undefined) {
    throw new UsageError("an evaluation by a task wants one of retrieval, with files", {
      where: path,
      expected: 'type Retrieval, and files {"corpus": …, "queries": …, "qrels": …}',
      found: `type ${task.type}, files ${Object.keys(task.files ?? {}).join(", ") || "none"}`,
      hint: "pipelines/mteb.ts takes tasks of every type",
    });
  }
  const read = async (file: string) => [await readTable(join(dirname(path), file), { header: true })];
  return [setOf("", await read(corpus), await read(queries), await read(qrels), { titles: true })];
}

/** The files that a task's file names, and itself. */
export async function filesOfTask(path: string): Promise<readonly string[]> {
  const { files = {} } = parseTaskFile(await Deno.readTextFile(path), path);
  return [path, ...Object.values(files).map((file) => join(dirname(path), file))];
}

/** Whether a file is a task, by its name and how it begins. */
export async function isTaskFile(path: string): Promise<boolean> {
  if (/\.ya?ml$/.test(path)) return true;
  if (!path.endsWith(".json")) return false;
  const { size } = await Deno.stat(path).catch(() => ({ size: 0 }));
  if (size === 0 || size > 1 << 20) return false;
  try {
    const value: unknown = JSON.parse(await Deno.readTextFile(path));
    return isObject(value) && "type" in value && "name" in value;
  } catch {
    return false;
  }
}

/** Values of a column through all tables. */
function column(tables: readonly Table[], name: string): readonly unknown[] | undefined {
  const parts = tables.map((table) => table.columns.get(name) as readonly unknown[] | undefined);
  return parts.some((part) => part === undefined) ? undefined : (parts as (readonly unknown[])[]).flat();
}

/** The same, but it must be there. */
function needed(tables: readonly Table[], ...names: readonly string[]): readonly unknown[] {
  const found = names.map((name) => column(tables, name)).find((values) => values !== undefined);
  if (found !== undefined) return found;
  throw new DatasetError(`there is no column ${names[0]}`, {
    where: tables[0]!.where(0).replace(/:\d+$/, ""),
    expected: names.join(" or "),
    found: tables[0]!.names.join(", "),
  });
}

/** Where a row of several tables stands. */
function place(tables: readonly Table[], row: number): string {
  for (const table of tables) {
    if (row < table.rows) return table.where(row);
    row -= table.rows;
  }
  return "";
}

/** Ids and texts; of texts, none is empty. */
function textsById(tables: readonly Table[], titles: boolean): ReadonlyMap<string, string> {
  const ids = needed(tables, "_id", "id");
  const texts = needed(tables, "text");
  const title = titles ? column(tables, "title") : undefined;
  const found = new Map<string, string>();
  ids.forEach((id, row) => {
    const text = `${title?.[row] ?? ""} ${texts[row] ?? ""}`.trim();
    if (!titles && !texts[row]) return;
    const key = `${id}`;
    if (found.has(key)) {
      throw new DatasetError("an id occurs twice", { where: place(tables, row), found: key });
    }
    found.set(key, titles ? text : `${texts[row]}`);
  });
  return found;
}

function setOf(
  name: string,
  corpus: readonly Table[],
  queries: readonly Table[],
  qrels: readonly Table[],
  { titles }: { readonly titles: boolean },
): RetrievalSet {
  const documents = [...textsById(corpus, titles)].sort(([a], [b]) => a < b ? -1 : 1);
  const rowOf = new Map(documents.map(([id], row) => [id, row]));
  const asked = textsById(queries, false);
  const relevant = new Map<string, Set<number>>();
  const [judged, right] = [needed(qrels, "query-id"), needed(qrels, "corpus-id")];
  const score = column(qrels, "score");
  const missing = new Map<string, number>();
  judged.forEach((query, row) => {
    if (score !== undefined && !(Number(score[row]) > 0)) return;
    for (const id of Array.isArray(right[row]) ? right[row] as readonly unknown[] : [right[row]]) {
      const document = rowOf.get(`${id}`);
      if (document === undefined && !missing.has(`${id}`)) missing.set(`${id}`, -1 - missing.size);
      const own = relevant.get(`${query}`) ?? new Set<number>();
      // Not in the corpus, it can never be found; it counts among the relevant all the same.
      own.add(document ?? missing.get(`${id}`)!);
      relevant.set(`${query}`, own);
    }
  });
  const kept = [...asked].filter(([id]) => relevant.has(id));
  if (kept.length === 0) {
    throw new DatasetError("no query has a relevant document", {
      where: place(qrels, 0),
      expected: `ids of queries, such as ${[...asked.keys()].slice(0, 3).join(", ")}`,
      found: `${counted(relevant.size, "query")} with something relevant: ${
        [...relevant.keys()].slice(0, 3).join(", ")
      }`,
    });
  }
  return {
    name,
    queries: kept.map(([, text]) => text),
    documents: documents.map(([, text]) => text),
    relevant: kept.map(([id]) => Int32Array.from(relevant.get(id)!)),
  };
}
