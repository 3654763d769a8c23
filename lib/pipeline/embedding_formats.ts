/**
 * The formats of files of embeddings: `.npy`, `.safetensors`, `.parquet`, written while rows come.
 *
 * @module
 */
import { type ColumnType, parquetSink, VECTOR_GROUP } from "../data/parquet.ts";
import {
  isBinary,
  type OutputPrecision,
  precisionArray,
  type PrecisionArrays,
  type QuantizedEmbeddings,
  type Ranges,
} from "../embed/quantize.ts";

/** Texts and what they are called in the file that they come from. */
export interface TextChunk {
  /** The texts. */
  readonly texts: readonly string[];
  /** The file's own ids; undefined: rows are numbered. */
  readonly ids?: readonly string[] | undefined;
}

/** A file that is being written. */
export interface FileSink<Rows> {
  /** Appends rows; only Parquet keeps the texts. */
  readonly write: (rows: Rows, texts: TextChunk) => Promise<void>;
  /** Ends the file and gives it its name. */
  readonly finish: () => Promise<void>;
  /** Leaves no file, unless it is finished. */
  readonly abandon: () => Promise<void>;
}

/** What a file's readers must know. */
export interface FileAbout {
  /** Of all rows. */
  readonly precision: OutputPrecision;
  /** Of int8 and uint8. */
  readonly ranges?: Ranges | undefined;
}

/** A matrix whose header, of fixed length, is known in the end only. */
export interface GrowingFile {
  /** Appends bytes. */
  readonly append: (bytes: ArrayBufferView<ArrayBuffer>) => Promise<void>;
  /** Writes the header over the first one, and gives the file its name. */
  readonly finish: (header: Uint8Array<ArrayBuffer>) => Promise<void>;
  /** Leaves no file, unless it is finished. */
  readonly abandon: () => Promise<void>;
}

/** Begins a file under a temporary name. */
export async function growingFile(path: string): Promise<GrowingFile> {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  const file = await Deno.open(temporary, { write: true, createNew: true });
  const append = async ({ buffer, byteOffset, byteLength }: ArrayBufferView<ArrayBuffer>) => {
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
  };
  let open = true;
  const close = () => {
    if (open) file.close();
    open = false;
  };
  return {
    append,
    async finish(header) {
      await file.seek(0, Deno.SeekMode.Start);
      await append(header);
      await file.sync();
      close();
      await Deno.rename(temporary, path);
    },
    async abandon() {
      close();
      await Deno.remove(temporary).catch(() => {});
    },
  };
}

/** numpy's matrix; of int8 and uint8 the ranges are another one beside it, [2, width]. */
export async function npySink(path: string, { precision, ranges }: FileAbout): Promise<FileSink<QuantizedEmbeddings>> {
  const file = await growingFile(path);
  let [rows, columns] = [0, 0];
  return {
    async write(embeddings) {
      if (rows === 0) await file.append(npyHeader(precision, 0, 0));
      await file.append(embeddings.data);
      rows += embeddings.rows;
      columns = embeddings.columns;
    },
    async finish() {
      if (ranges !== undefined) {
        const beside = await growingFile(rangesBeside(path));
        const header = npyHeader("float32", 2, ranges.min.length);
        for (const part of [header, ...rangeRows(ranges)]) await beside.append(part);
        await beside.finish(header);
      }
      await file.finish(npyHeader(precision, rows, columns));
    },
    abandon: file.abandon,
  };
}

/** Where a matrix of numpy has its ranges: `a.npy`, `a.ranges.npy`. */
export const rangesBeside = (path: string): string => path.replace(/\.npy$/, ".ranges.npy");

const rangeRows = ({ min, max }: Ranges) => [Float32Array.from(min), Float32Array.from(max)];

/** numpy's names of element types. */
export const NUMPY_TYPES: Readonly<Record<OutputPrecision, string>> = {
  float32: "<f4",
  float16: "<f2",
  int8: "|i1",
  uint8: "|u1",
  binary: "|i1",
  ubinary: "|u1",
};

/** numpy's format 1.0 of a matrix. */
function npyHeader(precision: OutputPrecision, rows: number, columns: number): Uint8Array<ArrayBuffer> {
  const text = `{'descr': '${NUMPY_TYPES[precision]}', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`;
  const encode = (text: string) => new TextEncoder().encode(text);
  return Uint8Array.of(0x93, ...encode("NUMPY"), 1, 0, 118, 0, ...encode(text.padEnd(117) + "\n"));
}

/** The format's names of element types. */
const TENSOR_TYPES: Readonly<Record<OutputPrecision, string>> = {
  float32: "F32",
  float16: "F16",
  int8: "I8",
  uint8: "U8",
  binary: "I8",
  ubinary: "U8",
};

/** A tensor `embeddings`; of int8 and uint8 before it `ranges`, [2, width]; precision and width as metadata. */
export async function safetensorsSink(
  path: string,
  { precision, ranges }: FileAbout,
): Promise<FileSink<QuantizedEmbeddings>> {
  const file = await growingFile(path);
  let [rows, columns, width] = [0, 0, 0];
  const header = () => {
    const begin = ranges === undefined ? 0 : 8 * ranges.min.length;
    const bytes = rows * columns * precisionArray(precision, 0).BYTES_PER_ELEMENT;
    return tensorsHeader({
      __metadata__: { format: "pt", precision, width: `${width}` },
      ...(ranges !== undefined &&
        { ranges: { dtype: "F32", shape: [2, ranges.min.length], data_offsets: [0, begin] } }),
      embeddings: { dtype: TENSOR_TYPES[precision], shape: [rows, columns], data_offsets: [begin, begin + bytes] },
    });
  };
  return {
    async write(embeddings) {
      if (rows === 0) {
        await file.append(header());
        for (const part of ranges === undefined ? [] : rangeRows(ranges)) await file.append(part);
      }
      await file.append(embeddings.data);
      rows += embeddings.rows;
      [columns, width] = [embeddings.columns, embeddings.width];
    },
    finish: () => file.finish(header()),
    abandon: file.abandon,
  };
}

/** A header of safetensors, of the same length whatever is in it. */
export function tensorsHeader(entries: object): Uint8Array<ArrayBuffer> {
  const text = JSON.stringify(entries).padEnd(376);
  const bytes = new Uint8Array(8 + text.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  new TextEncoder().encodeInto(text, bytes.subarray(8));
  return bytes;
}

/** The key of a Parquet file's metadata under which it says what its embeddings are. */
export const PARQUET_KEY = "kindred.embeddings";

/**
 * Columns `id`, `text` and `embedding`: lists of numbers, or of bits, bytes of fixed length. Rows are gathered to row
 * groups of {@linkcode VECTOR_GROUP}, however many come at a time.
 */
export function parquetRows(path: string, { precision, ranges }: FileAbout): FileSink<QuantizedEmbeddings> {
  let sink: Awaited<ReturnType<typeof parquetSink>> | undefined;
  let row = 0;
  let gathered: PrecisionArrays[OutputPrecision] = precisionArray(precision, 0);
  let [texts, ids, hasIds]: [string[], string[], boolean] = [[], [], false];
  let [columns, width] = [0, 0];
  const flush = async () => {
    const rows = texts.length;
    if (rows === 0) return;
    const id = hasIds ? ids : Int32Array.from({ length: rows }, (_, i) => row + i);
    sink ??= await parquetSink(
      path,
      { id: hasIds ? "text" : "int32", text: "text", embedding: parquetType(precision, columns) },
      {
        [PARQUET_KEY]: JSON.stringify({
          precision,
          width,
          ...(ranges !== undefined && { ranges: { min: [...ranges.min], max: [...ranges.max] } }),
        }),
      },
    );
    await sink.write({ id, text: texts, embedding: gathered.subarray(0, rows * columns) }, rows);
    row += rows;
    [texts, ids] = [[], []];
  };
  return {
    async write(embeddings, chunk) {
      hasIds = chunk.ids !== undefined;
      [columns, width] = [embeddings.columns, embeddings.width];
      if (gathered.length === 0) gathered = precisionArray(precision, VECTOR_GROUP * columns);
      for (let i = 0; i < embeddings.rows; i++) {
        gathered.set(embeddings.data.subarray(i * columns, (i + 1) * columns), texts.length * columns);
        texts.push(chunk.texts[i]!);
        if (hasIds) ids.push(chunk.ids![i]!);
        if (texts.length === VECTOR_GROUP) await flush();
      }
    },
    async finish() {
      await flush();
      await sink?.finish();
    },
    abandon: async () => await sink?.abandon(),
  };
}

function parquetType(precision: OutputPrecision, columns: number): ColumnType {
  if (isBinary(precision)) return { bytes: columns };
  return precision === "float32" ? "vector" : { vector: precision as "float16" | "int8" | "uint8" };
}
