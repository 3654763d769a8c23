/**
 * Datasets as Parquet files, the form that other tools read.
 *
 * @module
 */
import { ByteWriter, ParquetWriter, type SchemaElement } from "hyparquet-writer";
import { DatasetError } from "../error.ts";
import type { Column, Dataset } from "./dataset.ts";

/** Rows of a row group: what a reader must hold at least. */
const ROW_GROUP = 10_000;
/** The same where there are vectors. */
export const VECTOR_GROUP = 2000;

/**
 * What a column holds: a file declares it, also where it has no rows. Vectors are lists of float32, or of the type that
 * is named; `bytes`, so many in each row.
 */
export type ColumnType =
  | "text"
  | "int32"
  | "float64"
  | "vector"
  | { readonly vector: "float16" | "int8" | "uint8" }
  | { readonly bytes: number };

/** Values of vectors and of bytes. */
export type VectorValues = Float32Array | Float16Array | Int8Array | Uint8Array;

/** Rows that are written at a time, by column; vectors and bytes as one matrix [rows, width] in row order. */
export type ColumnChunk = Readonly<Record<string, Column | VectorValues>>;

/** Whether a column has many values in a row. */
const isVector = (type: ColumnType) => type === "vector" || typeof type === "object";

/** A file that is written in chunks. */
export interface ParquetSink {
  /** Appends rows, in row groups of their own. */
  readonly write: (chunk: ColumnChunk, rows: number) => Promise<void>;
  /** Ends the file, makes sure that it is on the disk, and gives it its name. */
  readonly finish: () => Promise<void>;
  /** Leaves no file. To be called where something failed before `finish` was done. */
  readonly abandon: () => Promise<void>;
}

/**
 * Begins a Parquet file under a temporary name beside `path`; memory holds one chunk at a time.
 *
 * @param path Where the file appears when it is finished.
 * @param types Names and types of its columns, in order.
 * @param metadata Texts by name that the file says of itself.
 * @returns Takes chunks of rows; to be finished, or given up.
 *
 * @example
 * ```ts
 * import { parquetSink, readColumns } from "@kindred/kindred/data";
 * import assert from "node:assert/strict";
 * const path = `${await Deno.makeTempDir()}/a.parquet`;
 * const sink = await parquetSink(path, { text: "text", score: "float64" });
 * await sink.write({ text: ["a", "b"], score: Float64Array.of(1, 2) }, 2);
 * await sink.write({ text: ["c"], score: Float64Array.of(3) }, 1);
 * await sink.finish();
 * assert.deepEqual((await readColumns(path)).columns.text, ["a", "b", "c"]);
 * ```
 */
export async function parquetSink(
  path: string,
  types: Readonly<Record<string, ColumnType>>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<ParquetSink> {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  const file = await Deno.open(temporary, { write: true, createNew: true });
  let closed = false;
  const bytes = new ByteWriter();
  const flush = async () => {
    const part = bytes.getBytes();
    for (let done = 0; done < part.length;) done += await file.write(part.subarray(done));
    bytes.index = 0; // `offset`, from which the file counts, goes on
  };
  const writer = new ParquetWriter({
    writer: Object.assign(bytes, { flush }),
    schema: schemaOf(types),
    kvMetadata: Object.entries(metadata).map(([key, value]) => ({ key, value })),
  });
  return {
    async write(chunk, rows) {
      const columnData = Object.entries(types).map(([name, type]) => ({
        name,
        data: cellsOf(chunk, name, type, rows),
      }));
      const rowGroupSize = Object.values(types).some(isVector) ? VECTOR_GROUP : ROW_GROUP;
      await writer.write({ columnData, rowGroupSize });
    },
    async finish() {
      await writer.finish();
      await flush();
      await file.sync();
      file.close();
      closed = true;
      await Deno.rename(temporary, path);
    },
    async abandon() {
      if (!closed) file.close();
      closed = true;
      await Deno.remove(temporary).catch(() => {});
    },
  };
}

/**
 * Writes a dataset under a temporary name, makes sure it is on the disk, and renames it: its arrays say the types.
 *
 * @param path The file; one that was there is replaced.
 * @param dataset Columns of texts, numbers, or lists.
 * @returns When it is on the disk.
 */
export async function writeParquet(path: string, dataset: Dataset): Promise<void> {
  const types = Object.entries(dataset.columns).map(([name, column]) => [name, typeOf(column)] as const);
  const sink = await parquetSink(path, Object.fromEntries(types));
  try {
    await sink.write(dataset.columns, dataset.rows);
    await sink.finish();
  } catch (error) {
    await sink.abandon();
    throw error;
  }
}

function typeOf(column: Column): ColumnType {
  if (column instanceof Float64Array) return "float64";
  return column instanceof Int32Array ? "int32" : "text";
}

/** How values of vectors lie in the file. */
const ELEMENTS = {
  float16: { type: "FIXED_LEN_BYTE_ARRAY", type_length: 2, logical_type: { type: "FLOAT16" } },
  // The older name of the type alone: pyarrow cannot read the newer one as hyparquet-writer writes it.
  int8: { type: "INT32", converted_type: "INT_8" },
  uint8: { type: "INT32", converted_type: "UINT_8" },
} as const satisfies Readonly<Record<string, Omit<SchemaElement, "name">>>;

function listOf(name: string, element: Omit<SchemaElement, "name">): SchemaElement[] {
  return [
    { name, repetition_type: "REQUIRED", num_children: 1, converted_type: "LIST", logical_type: { type: "LIST" } },
    { name: "list", repetition_type: "REPEATED", num_children: 1 },
    { name: "element", repetition_type: "REQUIRED", ...element },
  ];
}

function schemaOf(types: Readonly<Record<string, ColumnType>>): SchemaElement[] {
  const columns = Object.entries(types).map(([name, type]): SchemaElement[] => {
    const column = { name, repetition_type: "REQUIRED" } as const;
    if (typeof type === "object" && "bytes" in type) {
      return [{ ...column, type: "FIXED_LEN_BYTE_ARRAY", type_length: type.bytes }];
    }
    if (typeof type === "object") return listOf(name, ELEMENTS[type.vector]);
    switch (type) {
      case "text":
        return [{ ...column, type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } }];
      case "int32":
        return [{ ...column, type: "INT32" }];
      case "float64":
        return [{ ...column, type: "DOUBLE" }];
      case "vector":
        return listOf(name, { type: "FLOAT" });
    }
  });
  return [{ name: "root", num_children: columns.length }, ...columns.flat()];
}

function cellsOf(
  chunk: ColumnChunk,
  name: string,
  type: ColumnType,
  rows: number,
): number[][] | Uint8Array[] | string[] | Float64Array | Int32Array {
  const column = chunk[name];
  const width = isVector(type) ? (column?.length ?? 0) / (rows || 1) : 1;
  if (column === undefined || column.length !== rows * width || !Number.isInteger(width)) {
    throw new DatasetError(`the column ${name} has another length than the rows`, {
      expected: `${rows}`,
      found: `${column?.length}`,
    });
  }
  if (!isVector(type)) return Array.isArray(column) ? [...column] : column as Float64Array | Int32Array;
  const matrix = column as VectorValues;
  if (typeof type === "object" && "bytes" in type) {
    const { buffer, byteOffset } = matrix;
    return Array.from({ length: rows }, (_, row) => new Uint8Array(buffer, byteOffset + row * width, width));
  }
  return Array.from({ length: rows }, (_, row) => Array.from(matrix.subarray(row * width, (row + 1) * width)));
}
