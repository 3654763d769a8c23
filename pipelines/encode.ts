/**
 * Embeds texts: a file or standard input in, `.npy`, `.safetensors` or `.parquet` out.
 *
 * @module
 */
import { Effect } from "effect";
import { parquetWriteBuffer } from "hyparquet-writer";
import { extname } from "node:path";
import { attempt } from "../lib/attempt.ts";
import { writeSafetensors } from "../lib/checkpoint/safetensors.ts";
import { texts as textsOf } from "../lib/data/columns.ts";
import { resolveSource } from "../lib/data/source.ts";
import { readTable } from "../lib/data/table.ts";
import { UsageError } from "../lib/error.ts";
import { encodeTexts } from "../lib/embed/encode.ts";
import type { Embeddings } from "../lib/embed/pairwise.ts";
import { loadBiEncoder } from "../lib/model/bi_encoder.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { TensorEngine } from "../lib/stage/engine.ts";
import { COMPUTING } from "../lib/pipeline/flags.ts";
import { modelFolder } from "../lib/stage/roots.ts";
import { optional, text } from "../lib/pipeline/settings.ts";

/** Lines of standard input, or a column of a file. Row order is kept; an empty text is encoded like any other. */
async function readTexts(input: string, column: string): Promise<readonly string[]> {
  if (input === "-") return (await new Response(Deno.stdin.readable).text()).replace(/\n$/, "").split("\n");
  const { paths } = await resolveSource(input);
  if (extname(paths[0]!) === ".txt") return (await Deno.readTextFile(paths[0]!)).replace(/\n$/, "").split("\n");
  return textsOf(await readTable(paths), column);
}

/** numpy's format 1.0 of a float32 matrix. */
function npy({ data, rows, width }: Embeddings): Uint8Array {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${width}), }`;
  const header = text.padEnd(Math.ceil((text.length + 11) / 64) * 64 - 11) + "\n";
  const bytes = new Uint8Array(10 + header.length + data.byteLength);
  bytes.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, header.length & 255, header.length >> 8]);
  bytes.set(new TextEncoder().encode(header), 10);
  bytes.set(new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength), 10 + header.length);
  return bytes;
}

async function writeEmbeddings(path: string, embeddings: Embeddings): Promise<void> {
  const { data, rows, width } = embeddings;
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  if (path.endsWith(".safetensors")) {
    return await writeSafetensors(path, [{ name: "embeddings", shape: [rows, width], data }]);
  }
  if (path.endsWith(".npy")) await Deno.writeFile(temporary, npy(embeddings));
  else {
    const list = Array.from({ length: rows }, (_, row) => Array.from(data.subarray(row * width, (row + 1) * width)));
    await Deno.writeFile(
      temporary,
      new Uint8Array(parquetWriteBuffer({ columnData: [{ name: "embedding", data: list, type: "JSON" }] })),
    );
  }
  await Deno.rename(temporary, path);
}

/** The command. */
export const command: Command = {
  name: "encode",
  summary: "embeds texts: --model M --input FILE|- --output FILE.npy|.safetensors|.parquet",
  flags: [...COMPUTING, "model", "input", "column", "output", "normalize", "prompt", "prefix", "max-tokens"],
  presets: {},
  run: Effect.fnUntraced(function* ({ values }) {
    const [source, input, output] = (["model", "input", "output"] as const).map((flag) => text(values, flag));
    if (source === undefined || input === undefined || output === undefined) {
      return yield* Effect.fail(
        new UsageError("what shall be encoded?", { expected: "--model M --input FILE|- --output FILE.npy" }),
      );
    }
    if (![".npy", ".safetensors", ".parquet"].includes(extname(output))) {
      const formats = { expected: ".npy, .safetensors, .parquet", found: output };
      return yield* Effect.fail(new UsageError("--output has no such format", formats));
    }
    const folder = yield* attempt(() => modelFolder(source));
    const texts = yield* attempt(() => readTexts(input, text(values, "column") ?? "text"));
    const engine = yield* (yield* TensorEngine).open;
    return yield* attempt(async () => {
      const model = await loadBiEncoder(engine, folder);
      const embeddings = await encodeTexts(engine, model, texts, {
        promptName: text(values, "prompt"),
        prefix: text(values, "prefix"),
        tokenBudget: optional(values, "max-tokens"),
      });
      if (values["normalize"] === true) normalizeInPlace(embeddings);
      await writeEmbeddings(output, embeddings);
      return { schema: "kindred-encode/1", model: source, rows: embeddings.rows, width: embeddings.width, output };
    });
  }),
  print: ({ rows, width, output }: { rows: number; width: number; output: string }) => `${rows} × ${width} → ${output}`,
};

function normalizeInPlace({ data, rows, width }: Embeddings): void {
  for (let row = 0; row < rows; row++) {
    const embedding = data.subarray(row * width, (row + 1) * width);
    const norm = Math.sqrt(embedding.reduce((sum, x) => sum + x * x, 0)) || 1;
    embedding.forEach((x, i) => embedding[i] = x / norm);
  }
}

if (import.meta.main) await main(command);
