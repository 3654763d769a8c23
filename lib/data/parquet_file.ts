/**
 * Parquet files, read by column and by range of rows: what is not asked for is not decoded, and need not fit in memory.
 *
 * @module
 */
import {
  type ColumnMetaData,
  type FileMetaData,
  parquetMetadataAsync,
  type ParquetScan,
  parquetScan,
  parquetSchema,
  type SchemaTree,
} from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { DatasetError } from "../error.ts";
import type { Column, Dataset } from "./dataset.ts";
import { type ColumnReader, flatColumn, pagesOf } from "./parquet_column.ts";
import { type PageColumn, plainPage } from "./parquet_page.ts";

/** An open file. */
export interface ParquetFile {
  /** Number of rows. */
  readonly rows: number;
  /** Names of the columns, in file order. */
  readonly names: readonly string[];
  /** Where row groups end: a range within one of them is read at once. */
  readonly groupEnds: readonly number[];
  /** Whether rows of a column are decoded without the others of their row group: of lists and structures, all are. */
  readonly isFlat: (name: string) => boolean;
  /** Rows `[rowStart, rowEnd)` of a column, in the types of the file: texts, numbers, bigints, lists, null. */
  readonly cells: (name: string, rowStart: number, rowEnd: number) => Promise<ArrayLike<unknown>>;
  /** The same as texts, whole numbers (32 bits) or numbers, which follows from the type that the file declares. */
  readonly column: (name: string, rowStart: number, rowEnd: number) => Promise<Column>;
  /** Closes the file. */
  readonly close: () => void;
}

/**
 * Opens a Parquet file and reads its description, not its rows. Columns are read one after the other: of reads side by
 * side that fail, only the first failure would be caught.
 *
 * @param path The file.
 * @returns Names, types and number of rows; cells and columns when they are asked for. To be closed.
 * @throws {DatasetError} The file is damaged, also from `cells` and `column`.
 */
export async function openParquet(path: string): Promise<ParquetFile> {
  const file = await Deno.open(path);
  const { size } = await file.stat();
  // A column chunk is fetched once for all ranges of its row group.
  const fetched = new Map<string, ArrayBuffer>();
  const slice = (start: number, end = size): ArrayBuffer => {
    const key = `${start}-${end}`;
    const bytes = fetched.get(key) ?? readBytes(file, start, end);
    fetched.set(key, bytes);
    return bytes;
  };
  const caught = async <A>(run: () => Promise<A>): Promise<A> => {
    try {
      return await run();
    } catch (error) {
      if (error instanceof DatasetError) throw error;
      throw new DatasetError("the Parquet file cannot be read", {
        where: path,
        found: (error as Error).message,
        hint: "the file is damaged or cut: fetch it again",
        cause: error,
      });
    }
  };
  try {
    const buffer = { byteLength: size, slice };
    const { columns, groupEnds } = await caught(async () => described(await parquetMetadataAsync(buffer)));
    const scans = new Map<string, ParquetScan>();
    const scanOf = async (name: string): Promise<ParquetScan> => {
      const known = scans.get(name);
      if (known !== undefined) return known;
      const scan = await parquetScan({
        file: buffer,
        metadata: columns.get(name)!.metadata(),
        compressors,
        useOffsetIndex: false,
      });
      scans.set(name, scan);
      return scan;
    };
    const starts = (at: number) => at === 0 ? 0 : groupEnds[at - 1]!;
    let group = -1;
    /** What was begun of the row group: one at a time is in memory. */
    let flat = new Map<string, ColumnReader>();
    let checked = new Set<string>();
    const read = async (name: string, at: number, start: number, end: number): Promise<ArrayLike<unknown>> => {
      if (at !== group) {
        fetched.clear();
        [flat, checked] = [new Map(), new Set()];
      }
      group = at;
      const { path } = columns.get(name)!;
      const [leaf, ...more] = columns.get(name)!.leaves(at);
      if (leaf !== undefined && more.length === 0 && path !== undefined) {
        const column = flat.get(name) ??
          flatColumn(leaf, path, groupEnds[at]! - starts(at), (from, to) => readBytes(file, from, to));
        flat.set(name, column);
        return column.cells(start - starts(at), end - starts(at));
      }
      // Lists and structures are read as a whole, once every page of them is checked.
      for (const leaf of checked.has(name) ? [] : columns.get(name)!.leaves(at)) {
        for (const { header, start } of pagesOf(leaf, (from, to) => readBytes(file, from, to))) {
          plainPage(new Uint8Array(readBytes(file, start, start + header.compressed_page_size)), header, leaf);
        }
      }
      checked.add(name);
      return await (await scanOf(name)).readColumn({ column: name, rowStart: start, rowEnd: end });
    };
    const cells = (name: string, rowStart: number, rowEnd: number) =>
      caught(async () => {
        const parts: ArrayLike<unknown>[] = [];
        for (let start = rowStart; start < rowEnd;) {
          const at = groupEnds.findIndex((end) => end > start);
          if (at < 0) throw new Error(`there is no row ${start + 1}, only ${groupEnds.at(-1) ?? 0}`);
          const end = Math.min(rowEnd, groupEnds[at]!);
          const values = await read(name, at, start, end);
          if (values.length !== end - start) {
            throw new Error(`column ${name} ends early: ${values.length} rows of ${end - start} from row ${start + 1}`);
          }
          parts.push(values);
          start = end;
        }
        return parts.length === 1 ? parts[0]! : parts.flatMap((part) => Array.from(part));
      });
    return {
      rows: groupEnds.at(-1) ?? 0,
      names: [...columns.keys()],
      groupEnds,
      isFlat: (name) => columns.get(name)?.path !== undefined,
      cells,
      column: async (name, rowStart, rowEnd) =>
        typedColumn(await cells(name, rowStart, rowEnd), columns.get(name)!.type, {
          name,
          where: (row) => `${path}:${rowStart + row + 1}`,
        }),
      close: () => file.close(),
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

interface DescribedColumn {
  /** Its type in the file; undefined: a list or a structure. */
  readonly type: string | undefined;
  /** The schema from its root to the column; undefined: a list or a structure. */
  readonly path: SchemaTree[] | undefined;
  /** What it consists of in a row group, by the number of the group among those with rows. */
  readonly leaves: (group: number) => readonly PageColumn[];
  /** The description of a file that has this column alone: reading one takes no longer the more others there are. */
  readonly metadata: () => FileMetaData;
}

/** The file's columns by name, and where its row groups end. */
function described(metadata: FileMetaData): {
  readonly columns: ReadonlyMap<string, DescribedColumn>;
  readonly groupEnds: readonly number[];
} {
  const groups = metadata.row_groups.filter(({ num_rows }) => num_rows !== 0n);
  const chunks = groups.map(({ columns }) => Map.groupBy(columns, ({ meta_data }) => meta_data?.path_in_schema[0]));
  const [root] = metadata.schema;
  const columns = new Map<string, DescribedColumn>();
  let start = 1; // of the column's elements: the tree is written from its root on
  const tree = parquetSchema(metadata);
  for (const child of tree.children) {
    const { element, children, count } = child;
    const isFlat = children.length === 0 && element.repetition_type !== "REPEATED";
    const schema = [{ ...root!, num_children: 1 }, ...metadata.schema.slice(start, start += count)];
    columns.set(element.name, {
      type: children.length === 0 ? element.type : undefined,
      path: isFlat ? [tree, child] : undefined,
      leaves: (group) =>
        (chunks[group]!.get(element.name) ?? []).flatMap(({ meta_data }) =>
          meta_data === undefined ? [] : [pageColumn(meta_data, child)]
        ),
      metadata: () => ({
        ...metadata,
        schema,
        row_groups: groups.map((group, i) => ({ ...group, columns: chunks[i]!.get(element.name) ?? [] })),
      }),
    });
  }
  const groupEnds: number[] = [];
  let rows = 0;
  for (const { num_rows } of groups) {
    if (num_rows < 0n || num_rows > 2n ** 40n) throw new Error(`a row group of ${num_rows} rows`);
    groupEnds.push(rows += Number(num_rows));
  }
  return { columns, groupEnds };
}

/** A column that holds values, found under one of the file's columns. */
function pageColumn(metadata: ColumnMetaData, top: SchemaTree): PageColumn {
  const path = [top];
  for (const name of metadata.path_in_schema.slice(1)) {
    const next = path.at(-1)!.children.find(({ element }) => element.name === name);
    if (next === undefined) throw new Error(`a column ${metadata.path_in_schema.join(".")} that is not described`);
    path.push(next);
  }
  return {
    metadata,
    element: path.at(-1)!.element,
    levels: {
      repetition: path.filter(({ element }) => element.repetition_type === "REPEATED").length,
      definition: path.filter(({ element }) => element.repetition_type !== "REQUIRED").length,
    },
  };
}

function readBytes(file: Deno.FsFile, start: number, end: number): ArrayBuffer {
  if (!(start >= 0 && end >= start)) throw new Error(`a part from byte ${start} to byte ${end}`);
  const bytes = new Uint8Array(end - start);
  file.seekSync(start, Deno.SeekMode.Start);
  for (let have = 0; have < bytes.length;) {
    const count = file.readSync(bytes.subarray(have));
    if (count === null) throw new Error(`the file ends before byte ${end}`);
    have += count;
  }
  return bytes.buffer;
}

function typedColumn(
  cells: ArrayLike<unknown>,
  type: string | undefined,
  { name, where }: { readonly name: string; readonly where: (row: number) => string },
): Column {
  const wrong = (row: number, expected: string) =>
    new DatasetError(`a cell of ${name} is no ${expected}`, { where: where(row), expected, found: String(cells[row]) });
  if (type === "BYTE_ARRAY") {
    return Array.from(cells, (cell, row) => {
      if (typeof cell !== "string") throw wrong(row, "text");
      return cell;
    });
  }
  const number = (cell: unknown, row: number) => {
    const value = typeof cell === "bigint" ? Number(cell) : cell;
    if (typeof value !== "number" || (typeof cell === "bigint" && !Number.isSafeInteger(value))) {
      throw wrong(row, "number");
    }
    return value;
  };
  return type === "INT32" ? Int32Array.from(cells, number) : Float64Array.from(cells, number);
}

/** What {@linkcode readColumns} reads. */
export interface ColumnRange {
  /** Names of columns. Default: all. */
  readonly columns?: readonly string[] | undefined;
  /** The first row, from 0. Default 0. */
  readonly rowStart?: number | undefined;
  /** The row behind the last one. Default: to the end. */
  readonly rowEnd?: number | undefined;
}

/**
 * Columns of a Parquet file in typed arrays, a range of rows of them, without going through rows: texts as `string[]`,
 * INT32 as `Int32Array`, other numbers as `Float64Array`, by the types that the file declares, also where it has no rows.
 *
 * @param path The file.
 * @param range Which columns, and which rows `[rowStart, rowEnd)`.
 * @returns The columns in the order of `range.columns`, and the number of rows read.
 * @throws {DatasetError} where there is no such column, a cell is empty or of another kind, or the file is damaged
 *
 * @example
 * ```ts
 * import { readColumns, writeParquet } from "@kindred/kindred/data";
 * import assert from "node:assert/strict";
 * const path = await Deno.makeTempFile({ suffix: ".parquet" });
 * await writeParquet(path, { columns: { text: ["a", "b", "c"], label: Int32Array.of(0, 1, 0) }, rows: 3 });
 * assert.deepEqual(await readColumns(path, { columns: ["label"], rowStart: 1 }), {
 *   columns: { label: Int32Array.of(1, 0) },
 *   rows: 2,
 * });
 * await Deno.remove(path);
 * ```
 */
export async function readColumns(path: string, range: ColumnRange = {}): Promise<Dataset> {
  const file = await openParquet(path);
  try {
    const { columns: names = file.names, rowStart = 0 } = range;
    const rowEnd = Math.min(range.rowEnd ?? Infinity, file.rows);
    const missing = names.find((name) => !file.names.includes(name));
    if (missing !== undefined) {
      throw new DatasetError(`there is no column ${missing}`, { where: path, found: file.names.join(", ") });
    }
    const columns: [string, Column][] = [];
    for (const name of names) columns.push([name, await file.column(name, rowStart, rowEnd)]);
    return { columns: Object.fromEntries(columns), rows: Math.max(0, rowEnd - rowStart) };
  } finally {
    file.close();
  }
}
