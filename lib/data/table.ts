/**
 * Reading files (Parquet, CSV, TSV, JSON, plain text) as columns of plain values, all at once or in chunks.
 *
 * @module
 */
import { extname, join } from "node:path";
import { DatasetError } from "../error.ts";
import { listed } from "./column_mapping.ts";
import { jsonLines, type JsonRow, jsonRows } from "./json_rows.ts";
import { openParquet } from "./parquet_file.ts";
import { recordsOf } from "./separated.ts";
import { type Cell, type ChunkOptions, type Table, TableBuilder, type TableOptions } from "./table_builder.ts";
import { linesOf, textOf } from "./text_file.ts";

/** How files are read, by extension; all but Parquet also packed, as `.csv.gz`. */
const READERS: Readonly<Record<string, (path: string, builder: TableBuilder) => AsyncGenerator<void>>> = {
  ".parquet": readParquet,
  ".csv": readSeparated,
  ".tsv": readSeparated,
  ".jsonl": (path, builder) => readJson(jsonLines(path), builder),
  ".ndjson": (path, builder) => readJson(jsonLines(path), builder),
  ".json": (path, builder) => readJson(jsonRows(path), builder),
  ".txt": readLines,
};
const EXTENSIONS = Object.keys(READERS).flatMap((name) => name === ".parquet" ? [name] : [name, `${name}.gz`]);

/** The extension by which a file is read: `.jsonl` of `test.jsonl` and of `test.jsonl.gz`. */
function formatOf(path: string): string {
  const packed = extname(path.replace(/\.gz$/, ""));
  return packed === ".parquet" ? extname(path) : packed;
}

/**
 * Whether a file of this name is read.
 *
 * @param name Of a file.
 * @returns True for Parquet, CSV, TSV, JSON, JSON lines and plain text, packed or not.
 */
export function isDataFile(name: string): boolean {
  return Object.hasOwn(READERS, formatOf(name));
}

/**
 * Reads a file by its extension, or every such file of a folder in order of names. Several paths, the parts of a dataset,
 * are read as one table.
 *
 * @param path A file, a folder, or several parts of a dataset.
 * @param options How many rows, and what becomes of rows that cannot be read.
 * @returns Columns by name, for {@linkcode asPairsOrTriplets} and its like.
 * @throws {DatasetError} There is no file, no row, or something that cannot be read: it names file and line.
 */
export async function readTable(path: string | readonly string[], options: TableOptions = {}): Promise<Table> {
  for await (const table of readChunks(path, { ...options, chunkRows: Infinity })) return table;
  throw new DatasetError("the dataset is empty", {
    where: typeof path === "string" ? path : path.join(", "),
    expected: "at least one row",
  });
}

/**
 * The same in chunks, so that memory holds some rows at a time: tables one behind the other, none without rows. `dropped`
 * counts the rows that were left out before and in the chunk. A column that stood in an earlier chunk stands in every later
 * one, empty where its rows have none.
 *
 * @param path A file, a folder, or several parts of a dataset.
 * @param options How many rows a chunk has, and how files are read.
 * @returns The chunks, one after the other.
 * @throws {DatasetError} There is no file, no row, or something that cannot be read: it names file and line.
 *
 * @example
 * ```ts
 * import { readChunks } from "@kindred/kindred/data";
 * import assert from "node:assert/strict";
 * const path = await Deno.makeTempFile({ suffix: ".csv" });
 * await Deno.writeTextFile(path, "text,score\na,1\nb,2\n");
 * for await (const table of readChunks(path)) assert.deepEqual(table.columns.get("text"), ["a", "b"]);
 * await Deno.remove(path);
 * ```
 */
export async function* readChunks(
  path: string | readonly string[],
  options: ChunkOptions = {},
): AsyncGenerator<Table> {
  const paths = typeof path === "string" ? [path] : path;
  const builder = new TableBuilder(options);
  for (const file of (await Promise.all(paths.map(filesAt))).flat()) {
    if (builder.full) break;
    if ((await Deno.stat(file)).size === 0) continue;
    const read = READERS[formatOf(file)];
    if (read === undefined || !isDataFile(file)) {
      throw new DatasetError("files of this type are not read", {
        where: file,
        expected: EXTENSIONS.join(", "),
        found: extname(file) || "no extension",
        ...hintFor(extname(file)),
      });
    }
    builder.begin(file);
    for await (const _ of read(file, builder)) {
      if (builder.ready) yield builder.take();
      if (builder.full) break;
    }
  }
  if (builder.rows > 0) yield builder.take();
}

/** A file itself, or those of a folder. */
async function filesAt(path: string): Promise<readonly string[]> {
  const info = await Deno.stat(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new DatasetError("there is no such file", {
      where: path,
      hint: "name a file, a folder or a dataset of the hub",
    });
  });
  if (!info.isDirectory) return [path];
  const names = (await Array.fromAsync(Deno.readDir(path), ({ name }) => name)).filter(isDataFile).sort();
  // Beside data, files of JSON describe them, and files of text both.
  const rows = [[".json", ".txt"], [".txt"], []]
    .map((describing) => names.filter((name) => !describing.includes(formatOf(name))))
    .find((files) => files.length > 0);
  if (rows === undefined) {
    throw new DatasetError("the folder has no data", { where: path, expected: `files ${EXTENSIONS.join(", ")}` });
  }
  return rows.map((name) => join(path, name));
}

/** Rows that are decoded at a time at most; where rows can be had alone, no more of them than a chunk takes. */
const WINDOW = 10_000;

async function* readParquet(path: string, builder: TableBuilder): AsyncGenerator<void> {
  const file = await openParquet(path);
  const wanted = builder.options.columns?.({ names: file.names, header: true }).filter((name) => name !== undefined);
  const names = wanted?.length ? wanted : file.names;
  try {
    const isFlat = names.every(file.isFlat);
    for (let start = 0; start < file.rows && !builder.full;) {
      const window = isFlat ? Math.min(WINDOW, builder.chunkRows - builder.rows) : WINDOW;
      const end = Math.min(start + Math.min(window, builder.room), file.groupEnds.find((end) => end > start)!);
      const columns: [string, ArrayLike<unknown>][] = [];
      for (const name of names) columns.push([name, await file.cells(name, start, end)]);
      while (start < end) {
        const rows = Math.min(end - start, builder.chunkRows - builder.rows);
        builder.addColumns(
          start + 1,
          rows,
          columns.map(([name, cells]) => [name, cells, cells.length - (end - start)]),
        );
        start += rows;
        yield;
      }
    }
  } finally {
    file.close();
  }
}

async function* readSeparated(path: string, builder: TableBuilder): AsyncGenerator<void> {
  let names: readonly string[] | undefined;
  for await (const records of recordsOf(path, textOf(path), formatOf(path))) {
    for (const { line, cells } of records) {
      if (names === undefined) {
        const found = builder.names(path, cells);
        names = found.names;
        if (found.header) continue;
      }
      if (cells.length === names.length) {
        builder.add(line, names.map((name, i) => [name, cells[i]]));
        if (builder.ready) yield;
      } else {
        builder.bad(
          new DatasetError("a row has the wrong number of fields", {
            where: `${path}:${line}`,
            expected: `${names.length} (${listed(names)})`,
            found: `${cells.length}`,
            hint: "mend the row, or leave such rows out with --skip-bad-rows",
          }),
        );
      }
    }
    yield;
  }
}

/** A text on each line; blank lines are left out. */
async function* readLines(path: string, builder: TableBuilder): AsyncGenerator<void> {
  for await (const lines of linesOf(path)) {
    for (const [line, text] of lines) {
      if (text.trim() === "") continue;
      builder.add(line, [["text", text]]);
      if (builder.ready) yield;
    }
    yield;
  }
}

async function* readJson(pieces: AsyncIterable<Iterable<JsonRow>>, builder: TableBuilder): AsyncGenerator<void> {
  for await (const rows of pieces) {
    for (const [place, row] of rows) {
      if (row instanceof DatasetError) builder.bad(row);
      else builder.add(place, Object.entries(row) as [string, Cell][]);
      if (builder.ready) yield;
    }
    yield;
  }
}

/** What to do with a file of another program. */
function hintFor(extension: string): { readonly hint: string } | undefined {
  return /^\.(xlsx?|ods|numbers)$/.test(extension) ? { hint: "save the sheet as “CSV UTF-8”" } : undefined;
}
