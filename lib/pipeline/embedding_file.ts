/**
 * Files of embeddings, written while they are computed.
 *
 * @module
 */
import { extname } from "node:path";
import type { Embeddings } from "../embed/pairwise.ts";
import {
  isScalar,
  type OutputPrecision,
  type QuantizedEmbeddings,
  quantizeEmbeddings,
  type Ranges,
  widenRanges,
} from "../embed/quantize.ts";
import { DatasetError, UsageError } from "../error.ts";
import {
  type FileAbout,
  type FileSink,
  npySink,
  parquetRows,
  safetensorsSink,
  type TextChunk,
} from "./embedding_formats.ts";

/** A file of embeddings that is being written, from float32 in whatever precision it has. */
export type EmbeddingSink = FileSink<Embeddings>;

/** Options of {@linkcode embeddingSink}. */
export interface EmbeddingFileOptions {
  /** Of the values in the file. Default float32. */
  readonly precision?: OutputPrecision | undefined;
  /** What int8 and uint8 are measured by. Default: all embeddings of the file, which are kept beside it until it ends. */
  readonly ranges?: Ranges | undefined;
}

type Format = (
  path: string,
  about: FileAbout,
) => FileSink<QuantizedEmbeddings> | Promise<FileSink<QuantizedEmbeddings>>;

const FORMATS: Readonly<Record<string, Format>> = {
  ".npy": npySink,
  ".safetensors": safetensorsSink,
  ".parquet": parquetRows,
};

/**
 * Begins a file in the format of its extension: a matrix for `.npy` and `.safetensors` (a tensor `embeddings`); for
 * `.parquet` the columns `id` (the file's own, or the number of the row from 0), `text` and `embedding`.
 *
 * @param path The file.
 * @param options In which precision.
 * @returns Takes embeddings; to be finished, or given up.
 * @throws {UsageError} There is no such format.
 *
 * @example
 * ```ts
 * import { embeddingSink, readEmbeddings } from "@kindred/kindred/pipeline";
 * import assert from "node:assert/strict";
 * const path = `${await Deno.makeTempDir()}/two.parquet`;
 * const sink = await embeddingSink(path, { precision: "int8" });
 * await sink.write({ data: Float32Array.of(0, 1, 1, -1), width: 2, rows: 2 }, { texts: ["a", "b"] });
 * await sink.finish();
 * const { precision, data } = await readEmbeddings(path);
 * assert.deepEqual([precision, ...data], ["int8", -128, 126, 126, -128]);
 * ```
 */
export async function embeddingSink(path: string, options: EmbeddingFileOptions = {}): Promise<EmbeddingSink> {
  checkEmbeddingFile(path);
  const { precision = "float32", ranges } = options;
  if (isScalar(precision) && ranges === undefined) return await calibratingSink(path, precision);
  const about = { precision, ranges: isScalar(precision) ? ranges : undefined };
  const { write, ...sink } = await FORMATS[extname(path)]!(path, about);
  return {
    ...sink,
    write: (embeddings, texts) =>
      write(
        precision === "float32"
          ? { ...embeddings, data: embeddings.data as Float32Array<ArrayBuffer>, precision, columns: embeddings.width }
          : quantizeEmbeddings(embeddings, precision, { ranges }),
        texts,
      ),
  };
}

/** Refuses a name of no such format, before anything is computed. */
export function checkEmbeddingFile(path: string, formats: readonly string[] = Object.keys(FORMATS)): void {
  if (formats.includes(extname(path))) return;
  throw new UsageError("--output has no such format", { expected: formats.join(", "), found: path });
}

/**
 * Keeps embeddings and texts in temporary files until all are there: then their ranges are known, and they are written in
 * the precision that is wanted. Memory holds as many as come at a time.
 */
async function calibratingSink(path: string, precision: "int8" | "uint8"): Promise<EmbeddingSink> {
  const temporary = `${path}.${crypto.randomUUID()}.f32.tmp`;
  const file = await Deno.open(temporary, { read: true, write: true, createNew: true });
  let open = true;
  const discard = async () => {
    if (!open) return;
    open = false;
    file.close();
    await Deno.remove(temporary).catch(() => {});
  };
  const all = async (move: (bytes: Uint8Array) => Promise<number | null>, bytes: Uint8Array) => {
    for (let done = 0; done < bytes.length;) {
      const moved = await move(bytes.subarray(done));
      if (moved === null) throw new DatasetError("a temporary file ended early", { where: temporary });
      done += moved;
    }
  };
  const asBytes = ({ buffer, byteOffset, byteLength }: Float32Array) =>
    new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
  let ranges: Ranges | undefined;
  /** Lengths in bytes of what was kept: embeddings, then texts as JSON. */
  const kept: { readonly rows: number; readonly width: number; readonly texts: number }[] = [];
  let final: EmbeddingSink | undefined;
  return {
    async write(embeddings, chunk) {
      const { data, rows, width } = embeddings;
      ranges ??= { min: new Float32Array(width).fill(Infinity), max: new Float32Array(width).fill(-Infinity) };
      widenRanges(ranges, embeddings);
      const texts = new TextEncoder().encode(JSON.stringify(chunk));
      await all((bytes) => file.write(bytes), asBytes(data));
      await all((bytes) => file.write(bytes), texts);
      kept.push({ rows, width, texts: texts.length });
    },
    async finish() {
      const rows = kept.reduce((sum, chunk) => sum + chunk.rows, 0);
      if (ranges === undefined || rows < 2) {
        throw new DatasetError(`a single text has no ranges to quantise by in ${precision}`, {
          expected: "two texts or more; better a hundred",
          found: `${rows}`,
          hint: "give --ranges, or the embeddings of many texts with --calibration",
        });
      }
      final = await embeddingSink(path, { precision, ranges });
      await file.seek(0, Deno.SeekMode.Start);
      for (const { rows, width, texts } of kept) {
        const data = new Float32Array(rows * width);
        const chunk = new Uint8Array(texts);
        await all((bytes) => file.read(bytes), asBytes(data));
        await all((bytes) => file.read(bytes), chunk);
        await final.write({ data, rows, width }, JSON.parse(new TextDecoder().decode(chunk)) as TextChunk);
      }
      await final.finish();
      await discard();
    },
    async abandon() {
      await discard();
      await final?.abandon();
    },
  };
}
