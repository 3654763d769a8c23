/**
 * Rows of files as columns of plain values, and how they are collected: all, or in chunks that are taken off.
 *
 * @module
 */
import { DatasetError } from "../error.ts";
import { listed } from "./column_mapping.ts";
import { type ColumnMapping, headerOf, type NamedColumns } from "./column_names.ts";

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

/** A column while it is collected: rows that have no value take no room. */
interface Sparse {
  readonly values: Cell[];
  /** The rows of the values, where some before the last have none. */
  rows: number[] | undefined;
}

/** Collects rows in columns. */
export class TableBuilder {
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
