/**
 * Files of embeddings, written while they are computed: `.npy`, `.safetensors`, `.parquet`.
 *
 * @module
 */
import { extname } from "node:path";
import { parquetSink, VECTOR_GROUP } from "../data/parquet.ts";
import type { Embeddings } from "../embed/pairwise.ts";
import { UsageError } from "../error.ts";

/** Texts and what they are called in the file that they come from. */
export interface TextChunk {
  /** The texts. */
  readonly texts: readonly string[];
  /** The file's own ids; undefined: rows are numbered. */
  readonly ids?: readonly string[] | undefined;
}

/** A file of embeddings that is being written. */
export interface EmbeddingSink {
  /** Appends rows; only Parquet keeps the texts. */
  readonly write: (embeddings: Embeddings, texts: TextChunk) => Promise<void>;
  /** Ends the file and gives it its name. */
  readonly finish: () => Promise<void>;
  /** Leaves no file, unless it is finished. */
  readonly abandon: () => Promise<void>;
}

const FORMATS: Readonly<Record<string, (path: string) => EmbeddingSink | Promise<EmbeddingSink>>> = {
  ".npy": (path) => matrixSink(path, npyHeader),
  ".safetensors": (path) => matrixSink(path, safetensorsHeader),
  ".parquet": rowSink,
};

/**
 * Begins a file in the format of its extension: a matrix of float32 for `.npy` and `.safetensors` (a tensor
 * `embeddings`); for `.parquet` the columns `id` (the file's own, or the number of the row from 0), `text` and `embedding`,
 * a list of float32.
 *
 * @throws {UsageError} where there is no such format
 */
export async function embeddingSink(path: string): Promise<EmbeddingSink> {
  checkEmbeddingFile(path);
  return await FORMATS[extname(path)]!(path);
}

/** Refuses a name of no such format, before anything is computed. */
export function checkEmbeddingFile(path: string): void {
  if (extname(path) in FORMATS) return;
  throw new UsageError("--output has no such format", { expected: Object.keys(FORMATS).join(", "), found: path });
}

/** Rows are gathered to row groups of {@linkcode VECTOR_GROUP}, however many come at a time. */
function rowSink(path: string): EmbeddingSink {
  let sink: Awaited<ReturnType<typeof parquetSink>> | undefined;
  let row = 0;
  let gathered = new Float32Array();
  let [texts, ids, hasIds]: [string[], string[], boolean] = [[], [], false];
  const flush = async () => {
    const rows = texts.length;
    if (rows === 0) return;
    const id = hasIds ? ids : Int32Array.from({ length: rows }, (_, i) => row + i);
    sink ??= await parquetSink(path, { id: hasIds ? "text" : "int32", text: "text", embedding: "vector" });
    await sink.write({ id, text: texts, embedding: gathered.subarray(0, rows * gathered.length / VECTOR_GROUP) }, rows);
    row += rows;
    [texts, ids] = [[], []];
  };
  return {
    async write({ data, rows, width }, chunk) {
      hasIds = chunk.ids !== undefined;
      if (gathered.length === 0) gathered = new Float32Array(VECTOR_GROUP * width);
      for (let i = 0; i < rows; i++) {
        gathered.set(data.subarray(i * width, (i + 1) * width), texts.length * width);
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

/** A header of fixed length, which is known in the end only, and the matrix behind it. */
async function matrixSink(path: string, header: (rows: number, width: number) => Uint8Array): Promise<EmbeddingSink> {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  const file = await Deno.open(temporary, { write: true, createNew: true });
  const append = async (bytes: Uint8Array) => {
    for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
  };
  let [rows, width, open] = [0, 0, true];
  const close = () => {
    if (open) file.close();
    open = false;
  };
  return {
    async write(embeddings) {
      if (rows === 0) await append(header(0, embeddings.width));
      const { data } = embeddings;
      await append(new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength));
      rows += embeddings.rows;
      width = embeddings.width;
    },
    async finish() {
      await file.seek(0, Deno.SeekMode.Start);
      await append(header(rows, width));
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

/** numpy's format 1.0 of a float32 matrix. */
function npyHeader(rows: number, width: number): Uint8Array {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${width}), }`.padEnd(117) + "\n";
  return Uint8Array.of(0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, 118, 0, ...new TextEncoder().encode(text));
}

function safetensorsHeader(rows: number, width: number): Uint8Array {
  const tensor = { dtype: "F32", shape: [rows, width], data_offsets: [0, rows * width * 4] };
  const text = JSON.stringify({ __metadata__: { format: "pt" }, embeddings: tensor }).padEnd(184);
  const bytes = new Uint8Array(8 + text.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  new TextEncoder().encodeInto(text, bytes.subarray(8));
  return bytes;
}
