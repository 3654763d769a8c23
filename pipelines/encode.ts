/**
 * Embeds texts: a file or standard input in, `.npy`, `.safetensors` or `.parquet` out.
 *
 * @module
 */
import { Effect } from "effect";
import { extname } from "node:path";
import { attempt, attemptSync } from "../lib/attempt.ts";
import { findName, type NamedColumns } from "../lib/data/column_names.ts";
import { texts as textsOf } from "../lib/data/columns.ts";
import { resolveSource } from "../lib/data/source.ts";
import { readChunks } from "../lib/data/table.ts";
import { linesOf } from "../lib/data/text_file.ts";
import { DatasetError, UsageError } from "../lib/error.ts";
import { encodeTexts } from "../lib/embed/encode.ts";
import type { Embeddings } from "../lib/embed/pairwise.ts";
import { loadBiEncoder } from "../lib/model/bi_encoder.ts";
import { checkEmbeddingFile, embeddingSink, type TextChunk } from "../lib/pipeline/embedding_file.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { TensorEngine } from "../lib/stage/engine.ts";
import { Progress, type ProgressEvent } from "../lib/stage/progress.ts";
import { COMPUTING } from "../lib/pipeline/flags.ts";
import { modelFolder } from "../lib/stage/roots.ts";
import { columnOf, optional, text } from "../lib/pipeline/settings.ts";

/** Lines of standard input or of a `.txt`, or a column of a file, some at a time and in their order. */
async function* textChunks(
  input: string,
  column: string | undefined,
  tell: (event: ProgressEvent) => void,
): AsyncGenerator<TextChunk> {
  const paths = input === "-" ? ["-"] : (await resolveSource(input)).paths;
  if (input === "-" || extname(paths[0]!) === ".txt") {
    for await (const lines of linesOf(paths[0]!)) yield { texts: Array.from(lines, ([, line]) => line) };
    return;
  }
  const wanted = (file: NamedColumns) => findName(file, column ?? "text");
  const columns = (file: NamedColumns) => [wanted(file), findName(file, "id")];
  let told = false;
  for await (const table of readChunks(paths, { columns })) {
    const of = table.names.length;
    const name = wanted(table) ?? column;
    const texts = textsOf(table, "text", name === undefined ? {} : { text: name });
    if (!told && name !== undefined) {
      tell({ _tag: "columns", source: input, columns: { text: table.header ? name : `column ${name}` }, of });
    }
    told = true;
    const id = findName(table, "id");
    const ids = id === undefined ? undefined : table.columns.get(id)?.map((cell) => `${cell ?? ""}`);
    yield { texts, ids };
  }
}

/** The command. */
export const command: Command = {
  name: "encode",
  summary: "embeds texts: --model M --input FILE|- --output FILE.npy|.safetensors|.parquet",
  flags: [...COMPUTING, "model", "input", "column", "columns", "output", "normalize", "prompt", "prefix", "max-tokens"],
  meanings: {
    "model": "the model: a folder or a model of the hub",
    "columns": "the column of the texts, as for --column: text=answer",
    "output": "file of the embeddings: .npy, .safetensors or .parquet",
  },
  presets: {},
  run: Effect.fnUntraced(function* ({ values }) {
    const [source, input, output] = (["model", "input", "output"] as const).map((flag) => text(values, flag));
    if (source === undefined || input === undefined || output === undefined) {
      return yield* Effect.fail(
        new UsageError("--model, --input and --output are required", {
          expected: "--model M --input FILE|- --output FILE.npy",
        }),
      );
    }
    yield* attemptSync(() => checkEmbeddingFile(output));
    const column = yield* attemptSync(() => columnOf(values));
    const folder = yield* attempt(() => modelFolder(source));
    const engine = yield* (yield* TensorEngine).open;
    const { emit } = yield* Progress;
    // What is not finished leaves no file, also when it is interrupted.
    const sink = yield* Effect.acquireRelease(
      attempt(() => embeddingSink(output)),
      (sink) => Effect.promise(() => sink.abandon()),
    );
    return yield* attempt(async (signal) => {
      const model = await loadBiEncoder(engine, folder);
      let [rows, width] = [0, 0];
      for await (const chunk of textChunks(input, column, emit)) {
        signal.throwIfAborted();
        if (chunk.texts.length === 0) continue;
        const embeddings = await encodeTexts(engine, model, chunk.texts, {
          promptName: text(values, "prompt"),
          prefix: text(values, "prefix"),
          tokenBudget: optional(values, "max-tokens"),
        });
        if (values["normalize"] === true) normalizeInPlace(embeddings);
        signal.throwIfAborted();
        await sink.write(embeddings, chunk);
        rows += embeddings.rows;
        width = embeddings.width;
      }
      if (rows === 0) throw new DatasetError("there is no text to encode", { where: input });
      await sink.finish();
      return { schema: "kindred-encode/1", model: source, rows, width, output };
    });
  }, Effect.scoped),
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
