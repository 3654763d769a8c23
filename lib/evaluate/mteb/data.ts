/**
 * The data of a task: from its files to what a protocol works on, checked.
 *
 * @module
 */
import { join } from "node:path";
import { nameFor } from "../../data/column_names.ts";
import { listed } from "../../data/column_mapping.ts";
import { readTable } from "../../data/table.ts";
import { DatasetError } from "../../error.ts";
import { nearestName } from "../../text/edits.ts";
import type { Relevance } from "../retrieval.ts";
import { type DatasetFolder, splitFiles } from "./files.ts";
import { type MtebTask, ranksCorpus } from "./task.ts";

/** Where a task's data are. */
export interface TaskFiles {
  /** A folder as the hub has it; undefined where the task names its files. */
  readonly folder?: DatasetFolder | undefined;
  /** Base of the files that the task names. */
  readonly base?: string | undefined;
  /** Commit of the data, where they are known to be the hub's. Default `local`. */
  readonly revision?: string | undefined;
  /** Names of columns, by the protocol's: over those of the task. */
  readonly columns?: Readonly<Record<string, string>> | undefined;
}

/** A corpus, queries, and what is relevant. */
export interface RetrievalData {
  /** Ids and texts of documents. */
  readonly corpus: { readonly ids: readonly string[]; readonly texts: readonly string[] };
  /** Ids and texts of queries that something is judged for. */
  readonly queries: { readonly ids: readonly string[]; readonly texts: readonly string[] };
  /** Grades. */
  readonly relevance: Relevance;
  /** The documents that are ranked for each query; undefined: all. */
  readonly topRanked?: ReadonlyMap<string, readonly string[]> | undefined;
}

/** Columns of one split, read by the protocol's names. */
export interface Columns {
  /** Number of rows. */
  readonly rows: number;
  /** Where a row stands. */
  readonly where: (row: number) => string;
  /** The names that there are. */
  readonly names: readonly string[];
  /** The values of a column; undefined if there is none. */
  readonly find: (name: string) => readonly unknown[] | undefined;
  /** The same, but it must be there. */
  readonly get: (name: string) => readonly unknown[];
}

/** Reads a split of a subset. */
export async function readSplit(task: MtebTask, files: TaskFiles, subset: string, split: string): Promise<Columns> {
  const own = task.files?.[subset === "default" ? split : `${subset}-${split}`] ?? task.files?.[split];
  if (own !== undefined) return await readColumns(join(files.base ?? ".", own), task, files);
  const { folder } = files;
  if (folder === undefined) {
    throw new DatasetError(`the task ${task.name} has no file for the split ${split}`, {
      expected: `"${split}" among its files`,
      found: Object.keys(task.files ?? {}).join(", ") || "no files",
    });
  }
  const paths = splitFiles(folder, subset, split);
  if (paths !== undefined) return await readAll(paths, task, files);
  // Some datasets hold all subsets in one file, with a column for the language.
  const together = subset === "default" ? undefined : splitFiles(folder, "default", split);
  if (together !== undefined) {
    const all = await readAll(together, task, files);
    const kept = all.find("lang")?.flatMap((lang, row) => lang === subset ? [row] : []) ?? [];
    if (kept.length > 0) {
      return {
        ...all,
        rows: kept.length,
        where: (row) => all.where(kept[row]!),
        find: (name) => all.find(name) && kept.map((row) => all.find(name)![row]),
        get: (name) => kept.map((row) => all.get(name)[row]),
      };
    }
  }
  throw missingSplit(task, folder, subset, split);
}

function missingSplit(task: MtebTask, folder: DatasetFolder, subset: string, split: string): DatasetError {
  return new DatasetError(`the split ${split} of ${task.name} is not there`, {
    where: folder.path,
    expected: `${subset === "default" ? "" : `${subset}/`}${split}.parquet, .csv, .tsv or .jsonl`,
    found: folder.files.slice(0, 12).join(", ") || "no data",
    hint: "name the folder of the task's data with --data",
  });
}

async function readAll(paths: readonly string[], task: MtebTask, files: TaskFiles): Promise<Columns> {
  const parts: Columns[] = [];
  for (const path of paths) parts.push(await readColumns(path, task, files));
  const [first] = parts;
  if (parts.length === 1) return first!;
  const starts: number[] = [];
  let rows = 0;
  for (const part of parts) {
    starts.push(rows);
    rows += part.rows;
  }
  const partOf = (row: number) => starts.findLastIndex((start) => start <= row);
  return {
    rows,
    names: first!.names,
    where: (row) => parts[partOf(row)]!.where(row - starts[partOf(row)]!),
    find: (name) =>
      parts.some((part) => part.find(name) === undefined) ? undefined : parts.flatMap((p) => p.find(name)!),
    get: (name) => parts.flatMap((part) => part.get(name)),
  };
}

async function readColumns(path: string, task: MtebTask, files: TaskFiles): Promise<Columns> {
  const table = await readTable(path, { mapping: { ...task.columns, ...files.columns } });
  const place = table.where(0).replace(/:\d+$/, "");
  // Files of a corpus may be mapped each in part, and data of the benchmark be named as the protocol has it already.
  const mayLack = ranksCorpus(task);
  const isMeant = (name: string) => !mayLack && name in { ...files.columns, ...task.files && task.columns };
  const find = (name: string) => {
    const mapped = files.columns?.[name] ?? task.columns?.[name] ?? name;
    const own = nameFor(table, name, { [name]: mapped })!;
    if (table.columns.has(own)) return table.columns.get(own) as readonly unknown[];
    if (isMeant(name)) throw noColumn(name, mapped, place, table.names);
    return table.columns.get(name) as readonly unknown[] | undefined;
  };
  // mteb's first datasets of pairs are one row of lists.
  const first = table.columns.get(table.names[0]!)?.[0] as unknown;
  const isPacked = table.rows === 1 && task.type === "PairClassification" && Array.isArray(first);
  const unpacked = (values: readonly unknown[] | undefined) => isPacked ? values?.[0] as readonly unknown[] : values;
  return {
    rows: isPacked ? (first as readonly unknown[]).length : table.rows,
    names: table.names,
    where: isPacked ? () => table.where(0) : table.where,
    find: (name) => unpacked(find(name)),
    get(name) {
      const values = unpacked(find(name));
      if (values !== undefined) return values;
      throw noColumn(name, files.columns?.[name] ?? task.columns?.[name] ?? name, place, table.names);
    },
  };
}

function noColumn(name: string, wanted: string, where: string, names: readonly string[]): DatasetError {
  const meant = nearestName(wanted, names);
  return new DatasetError(`there is no column ${name}`, {
    where,
    expected: wanted,
    found: listed(names),
    hint: `map one with --columns ${name}=NAME${meant === undefined ? "" : `; did you mean ${meant}?`}`,
  });
}

/** A value in an error: cut. */
function shown(value: unknown): string {
  const text = typeof value === "bigint" ? `${value}` : JSON.stringify(value) ?? "nothing";
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function wrong(name: string, columns: Columns, row: number, expected: string, value: unknown): DatasetError {
  return new DatasetError(`${name} is not ${expected}`, { where: columns.where(row), expected, found: shown(value) });
}

/** Texts of a column. */
export function textsOf(columns: Columns, name: string): readonly string[] {
  return columns.get(name).map((value, row) => {
    if (typeof value === "string") return value;
    throw wrong(name, columns, row, "a text", value);
  });
}

/** Lists of texts of a column. */
export function textListsOf(columns: Columns, name: string): readonly (readonly string[])[] {
  return columns.get(name).map((value, row) => {
    if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
    throw wrong(name, columns, row, "a list of texts", value);
  });
}

function numberOf(value: unknown): number | undefined {
  if (typeof value === "bigint") return Number(value);
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

/** Numbers of a column, read from text where the file has text. */
export function numbersOf(columns: Columns, name: string): Float64Array {
  return Float64Array.from(columns.get(name), (value, row) => {
    const number = numberOf(value);
    if (number === undefined) throw wrong(name, columns, row, "a number", value);
    return number;
  });
}

/** Lists of numbers of a column. */
export function numberListsOf(columns: Columns, name: string): readonly (readonly number[])[] {
  return columns.get(name).map((value, row) => {
    const numbers = Array.isArray(value) ? value.map(numberOf) : [undefined];
    if (numbers.every((number) => number !== undefined)) return numbers;
    throw wrong(name, columns, row, "a list of numbers", value);
  });
}

/** A class: a whole number or a name. */
export type Label = string | number;

/** A class label, whole numbers written as text included. */
export function labelOf(value: unknown): Label | undefined {
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "boolean") return Number(value);
  if (typeof value === "number") return Number.isInteger(value) ? value : undefined;
  if (typeof value !== "string" || value === "") return undefined;
  if (/^-?\d+$/.test(value)) return Number(value);
  return /^-?\d*\.\d+(e[+-]?\d+)?$/i.test(value) ? undefined : value;
}

/** Classes of a column. */
export function labelsOf(columns: Columns, name: string): readonly Label[] {
  return columns.get(name).map((value, row) => {
    const label = labelOf(value);
    if (label === undefined) throw wrong(name, columns, row, "a class: a whole number or a name", value);
    return label;
  });
}

/** Classes by number, in ascending order of their values (names behind numbers). */
export function numberClasses(labels: readonly Label[]): ReadonlyMap<Label, number> {
  const values = [...new Set(labels)].sort((a, b) =>
    typeof a === "number" && typeof b === "number"
      ? a - b
      : typeof a !== typeof b
      ? (typeof a === "number" ? -1 : 1)
      : a < b
      ? -1
      : 1
  );
  return new Map(values.map((value, i) => [value, i]));
}
