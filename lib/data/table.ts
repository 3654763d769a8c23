/**
 * Rows of files: Parquet, CSV, TSV and JSON lines, as columns of plain values.
 *
 * @module
 */
import { Effect, Stream } from "effect";
import { Csv } from "effect/encoding";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { extname, join } from "node:path";
import { DatasetError } from "../error.ts";
import { linesOf, textOf } from "./text_file.ts";

/** A value of a cell. */
export type Cell = string | number | bigint | boolean | null | undefined;

/** Rows as they stand in the file. */
export interface Table {
  /** Column names, in file order. */
  readonly names: readonly string[];
  /** Values by column. */
  readonly columns: ReadonlyMap<string, readonly Cell[]>;
  /** Where each row stands, for errors: `file:line`. */
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
}

const EXTENSIONS = [".parquet", ".csv", ".tsv", ".jsonl", ".csv.gz", ".tsv.gz", ".jsonl.gz"];

/** The extension by which a file is read: `.jsonl` of `test.jsonl` and of `test.jsonl.gz`. */
function formatOf(path: string): string {
  return extname(path.replace(/\.gz$/, ""));
}

function isRead(name: string): boolean {
  return EXTENSIONS.some((extension) => name.endsWith(extension));
}

/**
 * Reads a file by its extension, or every such file of a folder in order of names. Several paths, the parts of a dataset,
 * are read as one table.
 */
export async function readTable(path: string | readonly string[], options: TableOptions = {}): Promise<Table> {
  const paths = typeof path === "string" ? [path] : path;
  const files = (await Promise.all(paths.map(filesAt))).flat();
  const builder = new TableBuilder(options);
  for (const file of files) {
    if (builder.full) break;
    if (await isEmptyFile(file)) continue;
    switch (isRead(file) ? formatOf(file) : extname(file)) {
      case ".parquet":
        await readParquet(file, builder);
        break;
      case ".csv":
        await readCsv(file, builder);
        break;
      case ".tsv":
        await readTsv(file, builder);
        break;
      case ".jsonl":
        await readJsonLines(file, builder);
        break;
      default:
        throw new DatasetError("files of this type are not read", {
          where: file,
          expected: EXTENSIONS.join(", "),
          found: extname(file),
        });
    }
  }
  const table = builder.table();
  if (table.rows === 0) {
    throw new DatasetError("the dataset is empty", { where: paths.join(", "), expected: "at least one row" });
  }
  return table;
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
  return info.isDirectory ? await filesOf(path) : [path];
}

async function isEmptyFile(path: string): Promise<boolean> {
  return (await Deno.stat(path)).size === 0;
}

async function filesOf(folder: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  const files = names.filter(isRead).sort();
  if (files.length === 0) {
    throw new DatasetError("the folder has no data", { where: folder, expected: `files ${EXTENSIONS.join(", ")}` });
  }
  return files.map((name) => join(folder, name));
}

/** Collects rows in columns. */
class TableBuilder {
  readonly #options: TableOptions;
  readonly #columns = new Map<string, Cell[]>();
  readonly #starts: { file: string; row: number; first: number }[] = [];
  readonly #lines: number[] = [];
  #dropped = 0;

  constructor(options: TableOptions) {
    this.#options = options;
  }

  /** Rows that may still be added. */
  get room(): number {
    return (this.#options.limit ?? Infinity) - this.#lines.length;
  }

  get full(): boolean {
    return this.room <= 0;
  }

  /** Names of the columns from the first row, or undefined if that is data already. */
  header(first: readonly string[]): readonly string[] | undefined {
    if (!(this.#options.header ?? looksLikeHeader(first))) return undefined;
    const names = first.map((name, i) => name.trim() || `${i + 1}`);
    const twice = names.find((name, i) => names.indexOf(name) < i);
    if (twice === undefined) return names;
    throw new DatasetError("two columns have one name", {
      where: `${this.#starts.at(-1)?.file}:1`,
      expected: "a name of its own for every column",
      found: names.join(", "),
      hint: `rename one of the columns ${twice}`,
    });
  }

  file(file: string): void {
    this.#starts.push({ file, row: this.#lines.length, first: 0 });
  }

  add(line: number, row: Readonly<Record<string, Cell>>): void {
    if (this.full) return;
    const count = this.#lines.length;
    for (const name of Object.keys(row)) {
      if (!this.#columns.has(name)) this.#columns.set(name, new Array<Cell>(count).fill(undefined));
    }
    for (const [name, column] of this.#columns) column.push(row[name]);
    this.#lines.push(line);
  }

  bad(error: DatasetError): void {
    if (!this.#options.skipBadRows) throw error;
    this.#dropped++;
  }

  table(): Table {
    const starts = this.#starts;
    const lines = this.#lines;
    return {
      names: [...this.#columns.keys()],
      columns: this.#columns,
      rows: lines.length,
      dropped: this.#dropped,
      where: (row) => `${starts.findLast((start) => start.row <= row)?.file}:${lines[row]}`,
    };
  }
}

async function readParquet(path: string, builder: TableBuilder): Promise<void> {
  builder.file(path);
  try {
    const file = await asyncBufferFromFile(path);
    const metadata = await parquetMetadataAsync(file);
    let rowStart = 0;
    for (const group of metadata.row_groups) { // one at a time: a limit does not pay for the whole file
      if (builder.full) break;
      const rowEnd = rowStart + Math.min(Number(group.num_rows), builder.room);
      const rows = await parquetReadObjects({ file, metadata, compressors, rowStart, rowEnd });
      rows.forEach((row, index) => builder.add(rowStart + index + 1, row));
      rowStart = rowEnd;
    }
  } catch (error) {
    if (error instanceof DatasetError) throw error;
    throw new DatasetError("the Parquet file cannot be read", {
      where: path,
      found: (error as Error).message,
      hint: "the file is damaged or cut: fetch it again",
      cause: error,
    });
  }
}

/** Names that files give to the columns we want. */
const KNOWN_NAME = new RegExp(
  "^(premise|hypothesis|sentence_?[12ab]?|text_?[12]?|anchor|query|question|positive|answer|passage|negative|" +
    "(gold_)?label|score|similarity_score|title)$",
  "i",
);

/** Whether a first row is a header: it has a name that we know, or only short cells that are no numbers. */
function looksLikeHeader(first: readonly string[]): boolean {
  if (first.some((cell) => KNOWN_NAME.test(cell.trim()))) return true;
  return !first.some((cell) =>
    cell.trim() === "" || /^[\d.+-]+$/.test(cell) || cell.length > 40 || /\s\S+\s/.test(cell)
  );
}

async function readCsv(path: string, builder: TableBuilder): Promise<void> {
  builder.file(path);
  const rows = Stream.fromAsyncIterable(textOf(path), (error) => error).pipe(
    Stream.pipeThroughChannel(Csv.decodeString()),
    Stream.takeWhile(() => !builder.full),
  );
  let names: readonly string[] | undefined;
  let next = 1; // line of the next record: quoted fields may hold line breaks
  const add = (cells: readonly string[]) => {
    const line = next;
    next += 1 + cells.reduce((sum, cell) => sum + cell.split("\n").length - 1, 0);
    if (cells.length === 1 && cells[0] === "") return;
    if (names === undefined) {
      const found = builder.header(cells);
      names = found ?? cells.map((_, i) => `${i + 1}`);
      if (found !== undefined) return;
    }
    addCells(path, builder, names, cells, line);
  };
  try {
    await Effect.runPromise(Stream.runForEach(rows, (cells) => Effect.sync(() => add(cells as readonly string[]))));
  } catch (error) {
    if (error instanceof DatasetError) throw error;
    const { message } = error as Error;
    throw new DatasetError("the CSV file cannot be read", {
      where: `${path}:${Csv.isCsvError(error) ? error.line : next}`,
      found: message,
      hint: "quotes within a quoted field are doubled, and every quote is closed",
      cause: error,
    });
  }
}

/** GLUE's TSV: quotes are letters like any other. */
async function readTsv(path: string, builder: TableBuilder): Promise<void> {
  builder.file(path);
  let names: readonly string[] | undefined;
  for await (const [line, text] of linesOf(path)) {
    if (text === "") continue;
    if (builder.full) return;
    const cells = text.split("\t");
    if (names === undefined) {
      const found = builder.header(cells);
      names = found ?? cells.map((_, i) => `${i + 1}`);
      if (found !== undefined) continue;
    }
    addCells(path, builder, names, cells, line);
  }
}

function addCells(
  path: string,
  builder: TableBuilder,
  names: readonly string[],
  cells: readonly string[],
  line: number,
): void {
  if (cells.length !== names.length) {
    return builder.bad(
      new DatasetError("a row has the wrong number of fields", {
        where: `${path}:${line}`,
        expected: `${names.length} (${names.join(", ")})`,
        found: `${cells.length}`,
        hint: "mend the row, or leave such rows out with --skip-bad-rows",
      }),
    );
  }
  builder.add(line, Object.fromEntries(names.map((name, i) => [name, cells[i]])));
}

async function readJsonLines(path: string, builder: TableBuilder): Promise<void> {
  builder.file(path);
  for await (const [line, text] of linesOf(path)) {
    if (text.trim() === "") continue;
    if (builder.full) return;
    let row: unknown;
    try {
      row = JSON.parse(text);
    } catch {
      // reported below
    }
    if (row === null || typeof row !== "object" || Array.isArray(row)) {
      builder.bad(
        new DatasetError("a line is not a JSON object", {
          where: `${path}:${line}`,
          found: text.slice(0, 80),
          hint: "mend the line, or leave such lines out with --skip-bad-rows",
        }),
      );
    } else builder.add(line, row as Record<string, Cell>);
  }
}
