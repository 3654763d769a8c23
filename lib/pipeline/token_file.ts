/**
 * Files of the embeddings of tokens.
 *
 * @module
 */
import { extname } from "node:path";
import { parquetSink, VECTOR_GROUP } from "../data/parquet.ts";
import type { TokenEmbeddings } from "../embed/token_embeddings.ts";
import { checkEmbeddingFile } from "./embedding_file.ts";
import { type FileSink, growingFile, tensorsHeader } from "./embedding_formats.ts";

/** A file of the embeddings of tokens that is being written. */
export type TokenSink = FileSink<TokenEmbeddings>;

const FORMATS = { ".safetensors": tensorsSink, ".parquet": parquetTokens } as const;

/** Refuses a name of no such format, before anything is computed: a lone matrix cannot tell where a text begins. */
export function checkTokenFile(path: string): void {
  checkEmbeddingFile(path, Object.keys(FORMATS));
}

/**
 * Begins a file in the format of its extension. `.safetensors`: the tensors `embeddings` [tokens, width] and `offsets`
 * [texts + 1]: text i has the rows from offsets[i], before offsets[i + 1]. `.parquet`: a row for each token, with the
 * columns `id` (of its text), `token` (its place in it, from 0) and `embedding`.
 *
 * @param path The file.
 * @returns Takes texts; to be finished, or given up.
 * @throws {UsageError} There is no such format.
 */
export async function tokenSink(path: string): Promise<TokenSink> {
  checkTokenFile(path);
  return await FORMATS[extname(path) as keyof typeof FORMATS](path);
}

async function tensorsSink(path: string): Promise<TokenSink> {
  const file = await growingFile(path);
  const ends = [0n];
  let width = 0;
  const header = () => {
    const tokens = Number(ends.at(-1)!);
    const [bytes, texts] = [tokens * width * 4, ends.length];
    return tensorsHeader({
      __metadata__: { format: "pt", output: "tokens" },
      embeddings: { dtype: "F32", shape: [tokens, width], data_offsets: [0, bytes] },
      offsets: { dtype: "I64", shape: [texts], data_offsets: [bytes, bytes + 8 * texts] },
    });
  };
  return {
    async write({ data, offsets, rows, width: ofTokens }) {
      if (ends.length === 1) await file.append(header());
      width = ofTokens;
      await file.append(data);
      const before = ends.at(-1)!;
      for (let row = 1; row <= rows; row++) ends.push(before + BigInt(offsets[row]!));
    },
    async finish() {
      await file.append(BigInt64Array.from(ends));
      await file.finish(header());
    },
    abandon: file.abandon,
  };
}

function parquetTokens(path: string): TokenSink {
  let sink: Awaited<ReturnType<typeof parquetSink>> | undefined;
  let row = 0;
  return {
    async write({ data, offsets, rows, width }, { ids }) {
      sink ??= await parquetSink(path, {
        id: ids === undefined ? "int32" : "text",
        token: "int32",
        embedding: "vector",
      });
      const tokens = offsets[rows]!;
      const textOf = new Int32Array(tokens);
      for (let i = 0; i < rows; i++) textOf.fill(i, offsets[i]!, offsets[i + 1]!);
      for (let start = 0; start < tokens; start += VECTOR_GROUP) {
        const part = textOf.subarray(start, start + VECTOR_GROUP);
        await sink.write({
          id: ids === undefined ? part.map((text) => row + text) : Array.from(part, (text) => ids[text]!),
          token: part.map((text, i) => start + i - offsets[text]!),
          embedding: data.subarray(start * width, (start + part.length) * width),
        }, part.length);
      }
      row += rows;
    },
    finish: async () => await sink?.finish(),
    abandon: async () => await sink?.abandon(),
  };
}
