/**
 * Files of embeddings, read again: those that `encode` writes, and matrices of numpy.
 *
 * @module
 */
import { parquetMetadataAsync } from "hyparquet";
import { extname } from "node:path";
import { openTensors } from "../checkpoint/safetensors.ts";
import { openParquet } from "../data/parquet_file.ts";
import {
  checkOutputPrecision,
  columnsOf,
  isBinary,
  isScalar,
  type OutputPrecision,
  precisionArray,
  type QuantizedEmbeddings,
  type Ranges,
} from "../embed/quantize.ts";
import { DatasetError, UsageError } from "../error.ts";
import { exists } from "../exists.ts";
import { NUMPY_TYPES, PARQUET_KEY, rangesBeside } from "./embedding_formats.ts";

/** What a file does not say by itself: a matrix of bytes may be of four precisions. */
export interface ReadEmbeddingsOptions {
  /** Default: as the file says, which `.npy` does for numbers alone. */
  readonly precision?: OutputPrecision | undefined;
  /** Features of an embedding of bits. Default: as the file says, else all bits. */
  readonly width?: number | undefined;
  /** Of int8 and uint8. Default: those that the file has, or that lie beside it (`a.npy`, `a.ranges.npy`). */
  readonly ranges?: Ranges | undefined;
}

/**
 * Reads a file of embeddings: one that `encode` wrote, or a matrix of numpy.
 *
 * @param path `.npy`, `.safetensors` with a tensor `embeddings`, or `.parquet` with a column `embedding`.
 * @param options What the file does not say.
 * @returns All rows, in the precision of the file.
 * @throws {UsageError} There is no such format.
 * @throws {DatasetError} The file is damaged, or does not say what its values are.
 *
 * @example
 * ```ts
 * import { embeddingSink, readEmbeddings } from "@kindred/kindred/pipeline";
 * import assert from "node:assert/strict";
 * const path = `${await Deno.makeTempDir()}/two.npy`;
 * const sink = await embeddingSink(path);
 * await sink.write({ data: Float32Array.of(0, 1, 1, -1), width: 2, rows: 2 }, { texts: ["a", "b"] });
 * await sink.finish();
 * assert.deepEqual([...(await readEmbeddings(path)).data], [0, 1, 1, -1]);
 * ```
 */
export async function readEmbeddings(path: string, options: ReadEmbeddingsOptions = {}): Promise<QuantizedEmbeddings> {
  switch (extname(path)) {
    case ".npy": {
      const { type, rows, columns, bytes } = await readNpy(path);
      const ranges = options.ranges ?? await rangesOf(path);
      const named = options.precision ?? precisionOf(type, ranges);
      return embeddingsOf(path, bytes, rows, columns, { ...options, precision: named, ranges });
    }
    case ".safetensors":
      return await fromTensors(path, options);
    case ".parquet":
      return await fromParquet(path, options);
  }
  throw new UsageError("files of embeddings have no such format", {
    expected: ".npy, .safetensors, .parquet",
    found: path,
  });
}

/**
 * Ranges to quantise by: a matrix of numpy with two rows, the least and the greatest values, or a file of int8 or uint8
 * that `encode` wrote, whose ranges are taken.
 *
 * @param path The file.
 * @returns The ranges.
 * @throws {DatasetError} There are none in it.
 */
export async function readRanges(path: string): Promise<Ranges> {
  const found = await readEmbeddings(path);
  if (found.ranges !== undefined) return found.ranges;
  const { data, rows, width } = found;
  if (rows === 2 && data instanceof Float32Array) return { min: data.slice(0, width), max: data.slice(width) };
  throw new DatasetError("there are no ranges in the file", {
    expected: "two rows of float32 (the least and the greatest values), or embeddings in int8 or uint8",
    found: `${rows} rows in ${found.precision}`,
    where: path,
    hint: "to take those of embeddings, give them with --calibration",
  });
}

async function rangesOf(path: string): Promise<Ranges | undefined> {
  const beside = rangesBeside(path);
  if (beside === path || path.endsWith(".ranges.npy")) return undefined;
  if (!await exists(beside)) return undefined;
  const { type, rows, columns, bytes } = await readNpy(beside);
  if (type !== "<f4" || rows !== 2) throw new DatasetError("the ranges are no two rows of float32", { where: beside });
  const values = new Float32Array(bytes.buffer);
  return { min: values.slice(0, columns), max: values.slice(columns) };
}

/** What values of this type are, if they can be one thing alone. */
function precisionOf(type: string, ranges: Ranges | undefined): OutputPrecision | undefined {
  if (type === "<f4") return "float32";
  if (type === "<f2") return "float16";
  return ranges === undefined ? undefined : type === "|i1" ? "int8" : "uint8";
}

/** A matrix of numpy: its type, shape and bytes. */
async function readNpy(path: string): Promise<{
  readonly type: string;
  readonly rows: number;
  readonly columns: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}> {
  const file = await Deno.readFile(path).catch((cause) => {
    throw new DatasetError("the file cannot be read", { where: path, found: (cause as Error).message, cause });
  });
  const bad = (found: string) =>
    new DatasetError("not a matrix of numpy that can be read", {
      expected: `a matrix of ${[...new Set(Object.values(NUMPY_TYPES))].join(", ")}, by rows`,
      found,
      where: path,
    });
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const isNumpy = file.length >= 12 && file[0] === 0x93 && new TextDecoder().decode(file.subarray(1, 6)) === "NUMPY";
  if (!isNumpy) throw bad("another kind of file");
  // Version 1 has two bytes for the length of the header, later ones four.
  const begin = file[6] === 1 ? 10 : 12;
  const end = begin + (file[6] === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  const header = new TextDecoder().decode(file.subarray(begin, Math.min(end, file.length)));
  const match = /'descr': *'([<|][fiu]\d)', *'fortran_order': *False, *'shape': *\((\d+), *(\d+)\)/.exec(header) ??
    undefined;
  if (match === undefined || !Object.values(NUMPY_TYPES).includes(match[1]!)) throw bad(header.trim().slice(0, 120));
  const [rows, columns] = [Number(match[2]), Number(match[3])];
  const bytes = file.slice(end);
  if (bytes.length !== rows * columns * Number(match[1]!.at(-1))) throw bad(`${bytes.length} bytes for ${match[0]}`);
  return { type: match[1]!, rows, columns, bytes };
}

async function fromTensors(path: string, options: ReadEmbeddingsOptions): Promise<QuantizedEmbeddings> {
  const reader = await openTensors(path);
  try {
    const info = reader.tensors.get("embeddings");
    if (info === undefined || info.shape.length !== 2) {
      throw new DatasetError("there is no matrix of embeddings in the file", {
        expected: "a tensor embeddings, [rows, width]",
        found: [...reader.tensors].map(([name, { shape }]) => `${name} [${shape}]`).join(", "),
        where: path,
      });
    }
    const [rows, columns] = info.shape as [number, number];
    const values = reader.tensors.has("ranges") ? await reader.readF32("ranges") : undefined;
    const half = (values?.length ?? 0) / 2;
    const ranges = values && { min: values.slice(0, half), max: values.slice(half) };
    const { precision, width } = reader.metadata;
    if (precision !== undefined) checkOutputPrecision(precision);
    const types: Readonly<Record<string, string>> = { F32: "<f4", F16: "<f2", I8: "|i1", U8: "|u1" };
    return embeddingsOf(path, await reader.readBytes("embeddings"), rows, columns, {
      precision: options.precision ?? precision ?? precisionOf(types[info.dtype] ?? info.dtype, ranges),
      width: options.width ?? (width === undefined ? undefined : Number(width)),
      ranges: options.ranges ?? ranges,
    });
  } finally {
    reader.close();
  }
}

async function fromParquet(path: string, options: ReadEmbeddingsOptions): Promise<QuantizedEmbeddings> {
  const file = await openParquet(path);
  try {
    if (!file.names.includes("embedding")) {
      throw new DatasetError("there is no column embedding", { where: path, found: file.names.join(", ") });
    }
    const said = await parquetSays(path);
    const precision = options.precision ?? said.precision ?? "float32";
    checkOutputPrecision(precision);
    let data: ReturnType<typeof precisionArray> | undefined;
    let columns = 0;
    for (let start = 0, group = 0; start < file.rows; start = file.groupEnds[group++]!) {
      const cells = await file.cells("embedding", start, file.groupEnds[group]!);
      for (let i = 0; i < cells.length; i++) {
        const cell = cells[i] as ArrayLike<number>;
        if (data === undefined) {
          columns = cell.length;
          data = precisionArray(precision, file.rows * columns);
        }
        if (cell.length !== columns) {
          throw new DatasetError("embeddings of different widths", {
            expected: `${columns} values`,
            found: `${cell.length}`,
            where: `${path}, row ${start + i + 1}`,
          });
        }
        data.set(cell, (start + i) * columns);
      }
    }
    const bytes = data === undefined ? new Uint8Array(0) : new Uint8Array(data.buffer);
    return embeddingsOf(path, bytes, file.rows, columns, {
      precision,
      width: options.width ?? said.width,
      ranges: options.ranges ?? said.ranges,
    });
  } finally {
    file.close();
  }
}

/** What a Parquet file of ours says of its embeddings. */
async function parquetSays(
  path: string,
): Promise<{ readonly precision?: string; readonly width?: number; readonly ranges?: Ranges }> {
  const file = await Deno.open(path);
  try {
    const { size } = await file.stat();
    const slice = async (start: number, end = size) => {
      const bytes = new Uint8Array(end - start);
      await file.seek(start, Deno.SeekMode.Start);
      for (let done = 0; done < bytes.length;) done += await file.read(bytes.subarray(done)) ?? bytes.length;
      return bytes.buffer;
    };
    const { key_value_metadata: pairs = [] } = await parquetMetadataAsync({ byteLength: size, slice });
    const text = pairs.find(({ key }) => key === PARQUET_KEY)?.value;
    if (text === undefined) return {};
    const { precision, width, ranges } = JSON.parse(text);
    return {
      precision,
      width,
      ...(ranges !== undefined &&
        { ranges: { min: Float32Array.from(ranges.min), max: Float32Array.from(ranges.max) } }),
    };
  } finally {
    file.close();
  }
}

/** Bytes as what they are. */
function embeddingsOf(
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
  rows: number,
  columns: number,
  { precision, width, ranges }: ReadEmbeddingsOptions,
): QuantizedEmbeddings {
  if (precision === undefined) {
    throw new DatasetError("the file does not say what its bytes are", {
      expected: "int8, uint8, binary or ubinary",
      where: path,
      hint: "give the precision",
    });
  }
  const array = precisionArray(precision, 0);
  if (bytes.length !== rows * columns * array.BYTES_PER_ELEMENT) {
    throw new DatasetError(`the values of the file are not ${precision}`, {
      expected: `${rows * columns * array.BYTES_PER_ELEMENT} bytes for ${rows} × ${columns}`,
      found: `${bytes.length}`,
      where: path,
    });
  }
  const features = isBinary(precision) ? width ?? 8 * columns : columns;
  if (columnsOf(precision, features) !== columns) {
    throw new DatasetError("the embeddings are of another width", {
      expected: `${features} features in ${columnsOf(precision, features)} bytes`,
      found: `${columns}`,
      where: path,
    });
  }
  const data = precisionArray(precision, rows * columns);
  new Uint8Array(data.buffer).set(bytes);
  return {
    precision,
    data,
    columns,
    width: features,
    rows,
    ...(isScalar(precision) && ranges !== undefined && { ranges }),
  };
}
