/**
 * Rows of files (Parquet, CSV, TSV, JSON) as columns of plain values, all at once or in chunks.
 *
 * @module
 */
import { extname, join } from "node:path";
import { DatasetError } from "../error.ts";
import { columnText } from "./column_mapping.ts";
import { type ColumnMapping, headerOf, type NamedColumns } from "./column_names.ts";
import { jsonLines, type JsonRow, jsonRows } from "./json_rows.ts";
import { openParquet } from "./parquet_file.ts";
import { recordsOf } from "./separated.ts";
import { textOf } from "./text_file.ts";

/** A value of a cell. */
export type Cell = string | number | bigint | boolean | null | undefined;

/** Rows as they stand in the file. */
export interface Table extends NamedColumns {
  /** Values by column: undefined where a row has none. */
  readonly columns: {
    /** The values of a column, if there is one. */
    readonly get: (name: string) => readonly Cell[] | undefined;
    /** Whether there is one. */
    readonly has: (name: string) => boolean;
  };
  /** Where each row stands, for errors: `file:line`, or `file:row` where the file has no lines. */
  readonly where: (row: number) => string;
  /** Number of rows. */
  readonly rows: number;
  /** Rows that could not be read and were left out. */
  readonly dropped: number;
}

/** Options of {@linkcode readTable}. */
export interface TableOptions {
  /** Reads no more rows than this. */
  readonly limit?: number | undefined;
  /** Counts rows that cannot be read instead of failing. */
  readonly skipBadRows?: boolean | undefined;
  /** Whether CSV and TSV files begin with names; default: as the first row looks. */
  readonly header?: boolean | undefined;
  /** Which columns are meant: a first row that has one of these names is a header, however it looks. */
  readonly mapping?: ColumnMapping | undefined;
}

/** Options of {@linkcode readChunks}. */
export interface ChunkOptions extends TableOptions {
  /** Rows of a chunk; fewer where their texts are long (four million characters in all). Default 512. */
  readonly chunkRows?: number | undefined;
  /** Which columns of a Parquet file are read, if it has any of them. Default: all. */
  readonly columns?: ((columns: NamedColumns) => readonly (string | undefined)[]) | undefined;
}

/** Characters of texts that end a chunk: it holds so many and one row, however long its texts are. */
const CHUNK_CHARACTERS = 1 << 22;

/** Columns of all rows together: each is known to the end, and rows of JSON may have names that no other row has. */
const MOST_COLUMNS = 100_000;

/** How files are read, by extension; all but Parquet also packed, as `.csv.gz`. */
const READERS: Readonly<Record<string, (path: string, builder: TableBuilder) => AsyncGenerator<void>>> = {
  ".parquet": readParquet,
  ".csv": readSeparated,
  ".tsv": readSeparated,
  ".jsonl": (path, builder) => readJson(jsonLines(path), builder),
  ".ndjson": (path, builder) => readJson(jsonLines(path), builder),
  ".json": (path, builder) => readJson(jsonRows(path), builder),
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
 * @returns True for Parquet, CSV, TSV, JSON and JSON lines, packed or not.
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
  // Beside data, files of JSON describe them.
  const rows = names.filter((name) => formatOf(name) !== ".json");
  if (names.length === 0) {
    throw new DatasetError("the folder has no data", { where: path, expected: `files ${EXTENSIONS.join(", ")}` });
  }
  return (rows.length > 0 ? rows : names).map((name) => join(path, name));
}

/** A column while it is collected: rows that have no value take no room. */
interface Sparse {
  readonly values: Cell[];
  /** The rows of the values, where some before the last have none. */
  rows: number[] | undefined;
}

/** Collects rows in columns. */
class TableBuilder {
  readonly options: ChunkOptions;
  #columns = new Map<string, Sparse>();
  #starts: { file: string; row: number }[] = [];
  #lines: number[] = [];
  #before = 0; // rows that were taken
  #characters = 0; // of the texts
  #header = true;
  #dropped = 0;

  constructor(options: ChunkOptions) {
    this.options = options;
  }

  /** Rows collected. */
  get rows(): number {
    return this.#lines.length;
  }

  /** Rows that may still be added. */
  get room(): number {
    return (this.options.limit ?? Infinity) - this.#before - this.rows;
  }

  get full(): boolean {
    return this.room <= 0;
  }

  /** Rows of a chunk at most. */
  get chunkRows(): number {
    return this.options.chunkRows ?? 512;
  }

  /** Whether the rows make a chunk. Readers ask after every row. */
  get ready(): boolean {
    return this.rows >= this.chunkRows || (this.#characters >= CHUNK_CHARACTERS && this.chunkRows < Infinity);
  }

  /** The rows that follow stand in this file. */
  begin(file: string): void {
    this.#starts.push({ file, row: this.rows });
  }

  /** Names of the file's columns from its first row; if that is data already, they are numbered. */
  names(file: string, first: readonly string[]): { readonly names: readonly string[]; readonly header: boolean } {
    const names = headerOf(first, this.options.mapping, this.options.header);
    if (names === undefined) {
      this.#header = false;
      return { names: first.map((_, i) => `${i + 1}`), header: false };
    }
    const seen = new Set<string>();
    for (const name of names) {
      if (seen.has(name)) {
        throw new DatasetError("two columns have one name", {
          where: `${file}:1`,
          expected: "a name of its own for every column",
          found: listed(names),
          hint: `rename one of the columns ${name}`,
        });
      }
      seen.add(name);
    }
    return { names, header: true };
  }

  /** Adds a row. */
  add(line: number, cells: Iterable<readonly [name: string, value: Cell]>): void {
    if (this.full) return;
    for (const [name, value] of cells) this.#push(name, this.rows, value, line);
    this.#lines.push(line);
  }

  /** Adds rows by column, the first of which has this number in the file, and stands at this place of the column. */
  addColumns(
    first: number,
    rows: number,
    columns: Iterable<readonly [name: string, values: ArrayLike<unknown>, from: number]>,
  ): void {
    for (const [name, values, from] of columns) {
      for (let i = 0; i < rows; i++) this.#push(name, this.rows + i, values[from + i] as Cell, first + i);
    }
    for (let i = 0; i < rows; i++) this.#lines.push(first + i);
  }

  #push(name: string, row: number, value: Cell, line: number): void {
    let column = this.#columns.get(name);
    if (column === undefined && this.#columns.size === MOST_COLUMNS) {
      throw new DatasetError("the rows have too many columns", {
        where: `${this.#starts.at(-1)?.file}:${line}`,
        expected: `at most ${MOST_COLUMNS} names`,
        found: `one more: ${name.slice(0, 80)}`,
        hint: "perhaps keys of the rows are values: give them the same names in all rows",
      });
    }
    if (column === undefined) this.#columns.set(name, column = { values: [], rows: undefined });
    if (column.rows === undefined && column.values.length < row) column.rows = column.values.map((_, i) => i);
    column.values.push(value);
    column.rows?.push(row);
    if (typeof value === "string") this.#characters += value.length;
  }

  bad(error: DatasetError): void {
    if (!this.options.skipBadRows) throw error;
    this.#dropped++;
  }

  /** The rows so far, which are forgotten here. */
  take(): Table {
    const [starts, lines, columns] = [this.#starts, this.#lines, this.#columns];
    const rows = lines.length;
    this.#before += rows;
    this.#characters = 0;
    this.#columns = new Map(Array.from(columns.keys(), (name) => [name, { values: [], rows: undefined }]));
    this.#starts = starts.length === 0 ? [] : [{ file: starts.at(-1)!.file, row: 0 }];
    this.#lines = [];
    const whole = new Map<string, readonly Cell[]>();
    return {
      names: [...columns.keys()],
      header: this.#header,
      columns: {
        has: (name) => columns.has(name),
        get(name) {
          const column = columns.get(name);
          const known = whole.get(name) ?? (column && dense(column, rows));
          if (known !== undefined) whole.set(name, known);
          return known;
        },
      },
      rows,
      dropped: this.#dropped,
      where: (row) => `${starts.findLast((start) => start.row <= row)?.file}:${lines[row]}`,
    };
  }
}

function dense({ values, rows: places }: Sparse, rows: number): readonly Cell[] {
  if (places === undefined && values.length === rows) return values;
  const all = new Array<Cell>(rows).fill(undefined);
  values.forEach((value, i) => all[places?.[i] ?? i] = value);
  return all;
}

/** Names in an error, as `--columns` takes them: the first ones of many. */
export function listed(names: readonly string[]): string {
  const first = names.slice(0, 20).map(columnText).join(", ");
  return names.length <= 20 ? first : `${first} and ${names.length - 20} more`;
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
  if (/^\.(xlsx?|ods|numbers)$/.test(extension)) return { hint: "save the sheet as “CSV UTF-8”" };
  if (extension === ".txt") return { hint: 'a text on each line: make it .tsv, with a line "text" above them' };
  return undefined;
}
