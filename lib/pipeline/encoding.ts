/**
 * From flags to a file of embeddings.
 *
 * @module
 */
import { dirname } from "node:path";
import { findName, type NamedColumns } from "../data/column_names.ts";
import { texts as textsOf } from "../data/columns.ts";
import { resolveSource } from "../data/source.ts";
import { readChunks } from "../data/table.ts";
import { linesOf } from "../data/text_file.ts";
import { encodeTexts } from "../embed/encode.ts";
import {
  dequantizeEmbeddings,
  embeddingRanges,
  isScalar,
  type OutputPrecision,
  type Ranges,
} from "../embed/quantize.ts";
import { tokenEmbeddings } from "../embed/token_embeddings.ts";
import type { Engine } from "../engine/engine.ts";
import { DatasetError, UsageError } from "../error.ts";
import type { BiEncoder } from "../model/bi_encoder.ts";
import { type PromptChoice, promptOf } from "../model/prompts.ts";
import { giveBack } from "../numeric/give_back.ts";
import type { ProgressEvent } from "../stage/progress.ts";
import { lengthInWords, lengthLimit } from "./card.ts";
import { checkEmbeddingFile, embeddingSink } from "./embedding_file.ts";
import type { FileSink, TextChunk } from "./embedding_formats.ts";
import { readEmbeddings, readRanges } from "./embedding_reader.ts";
import type { FlagValues } from "./flags.ts";
import { optional, text } from "./settings.ts";
import { checkTokenFile, tokenSink } from "./token_file.ts";

/** What is asked of `encode`, read from its flags. */
export interface EncodingSettings {
  /** The model, as it was named. */
  readonly model: string;
  /** Where texts are from: a file, or `-`. */
  readonly input: string;
  /** The file that is written. */
  readonly output: string;
  /** One embedding for each text, or for each token. */
  readonly value: "sentence" | "tokens";
  /** Of the values in the file. */
  readonly precision: OutputPrecision;
  /** What goes before every text. */
  readonly prompt: PromptChoice;
}

/** What `--json` holds. */
export interface EncodeReport {
  /** Version of this shape. */
  readonly schema: "kindred-encode/1";
  /** The model. */
  readonly model: string;
  /** Texts. */
  readonly rows: number;
  /** Of all texts, where each has a row. */
  readonly tokens?: number;
  /** Features of an embedding. */
  readonly width: number;
  /** sentence or tokens. */
  readonly output_value: EncodingSettings["value"];
  /** Of the values in the file; that of the computation is the engine's. */
  readonly output_precision: OutputPrecision;
  /** Longest text in tokens; longer ones were cut. null: any length. */
  readonly max_seq_length: number | null;
  /** What went before every text; null: nothing. */
  readonly prompt: string | null;
  /** Whether embeddings have length 1. */
  readonly normalize: boolean;
  /** The file. */
  readonly output: string;
  /** What is worth knowing. */
  readonly warnings: readonly string[];
}

/** Fewer embeddings than these make ranges that further ones will leave. */
const FEW = 100;

/** Flags of one output that another does not take. */
export function encodingSettings(values: FlagValues): EncodingSettings {
  const [model, input, output] = (["model", "input", "output"] as const).map((flag) => text(values, flag));
  if (model === undefined || input === undefined || output === undefined) {
    throw new UsageError("--model, --input and --output are required", {
      expected: "--model M --input FILE|- --output FILE.npy",
    });
  }
  const value = (text(values, "output-value") ?? "sentence") as EncodingSettings["value"];
  const precision = (text(values, "output-precision") ?? "float32") as OutputPrecision;
  const refuse = (flag: string, why: string) => {
    throw new UsageError(`--${flag} ${why}`, { found: `--${flag} ${values[flag as keyof FlagValues]}` });
  };
  if (value === "tokens") {
    checkTokenFile(output);
    if (precision !== "float32") refuse("output-precision", "is for embeddings of texts; those of tokens are float32");
    if (values["normalize"] === true) refuse("normalize", "is for embeddings of texts");
    if (values["truncate-dim"] !== undefined) refuse("truncate-dim", "is for embeddings of texts");
  } else checkEmbeddingFile(output);
  const measures = (["ranges", "calibration"] as const).filter((flag) => values[flag] !== undefined);
  if (measures.length > 0 && !isScalar(precision)) refuse(measures[0]!, "is for --output-precision int8 and uint8");
  if (measures.length > 1) refuse("calibration", "and --ranges say the same: one of them must do");
  const prompt = { promptName: text(values, "prompt"), prefix: text(values, "prefix") };
  return { model, input, output, value, precision, prompt };
}

/** Ranges that a file gives; undefined: those of all that is encoded are taken. */
async function rangesOf(values: FlagValues): Promise<Ranges | undefined> {
  const [ranges, calibration] = [text(values, "ranges"), text(values, "calibration")];
  if (ranges !== undefined) return await readRanges(ranges);
  if (calibration === undefined) return undefined;
  const found = await readEmbeddings(calibration);
  if (found.precision.startsWith("float")) return embeddingRanges(dequantizeEmbeddings(found));
  throw new DatasetError("embeddings to calibrate by must not be quantised", {
    expected: "float32 or float16",
    found: found.precision,
    where: calibration,
    hint: "the ranges of a file of int8 or uint8 are taken with --ranges",
  });
}

/** A file that embeddings are written into, before the first of them is computed. */
export type EncodingSink = Pick<FileSink<never>, "finish" | "abandon"> & {
  /** Encodes texts and appends them; the number of values of a row, and of tokens. */
  readonly encode: (
    engine: Engine,
    model: BiEncoder,
    chunk: TextChunk,
  ) => Promise<{ readonly width: number; readonly tokens: number }>;
};

/** Begins the file, in a folder that is made where there is none. */
export async function encodingSink(settings: EncodingSettings, values: FlagValues): Promise<EncodingSink> {
  try {
    return await beginFile(settings, values);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    await Deno.mkdir(dirname(settings.output), { recursive: true });
    return await beginFile(settings, values);
  }
}

async function beginFile(settings: EncodingSettings, values: FlagValues): Promise<EncodingSink> {
  const { output, value, precision, prompt } = settings;
  const options = { ...prompt, tokenBudget: optional(values, "max-tokens") };
  if (value === "tokens") {
    const { write, ...sink } = await tokenSink(output);
    return {
      ...sink,
      async encode(engine, model, chunk) {
        const found = await tokenEmbeddings(engine, model, chunk.texts, options);
        await write(found, chunk);
        giveBack(found.data);
        return { width: found.width, tokens: found.offsets.at(-1)! };
      },
    };
  }
  const { write, ...sink } = await embeddingSink(output, { precision, ranges: await rangesOf(values) });
  return {
    ...sink,
    async encode(engine, model, chunk) {
      const normalize = values["normalize"] === true;
      const embeddings = await encodeTexts(engine, model, chunk.texts, { ...options, normalize });
      await write(embeddings, chunk);
      giveBack(embeddings.data);
      return { width: embeddings.width, tokens: 0 };
    },
  };
}

/** Encodes all texts of the input, some at a time. */
export async function encodeAll(
  engine: Engine,
  model: BiEncoder,
  settings: EncodingSettings,
  sink: EncodingSink,
  { values, column, tell, signal }: {
    readonly values: FlagValues;
    readonly column: string | undefined;
    readonly tell: (event: ProgressEvent) => void;
    readonly signal: AbortSignal;
  },
): Promise<EncodeReport> {
  const { input, value, precision, output } = settings;
  const prompt = promptOf(model, settings.prompt) ?? null;
  let [rows, width, tokens] = [0, 0, 0];
  for await (const chunk of inputChunks(input, column, tell)) {
    signal.throwIfAborted();
    if (chunk.texts.length === 0) continue;
    const done = await sink.encode(engine, model, chunk);
    signal.throwIfAborted();
    rows += chunk.texts.length;
    tokens += done.tokens;
    width = done.width;
  }
  if (rows === 0) throw new DatasetError("there is no text to encode", { where: input });
  await sink.finish();
  const measured = values["ranges"] === undefined && values["calibration"] === undefined;
  return {
    schema: "kindred-encode/1",
    model: settings.model,
    rows,
    ...(value === "tokens" && { tokens }),
    width,
    output_value: value,
    output_precision: precision,
    max_seq_length: lengthLimit(model),
    prompt,
    normalize: values["normalize"] === true,
    output,
    warnings: isScalar(precision) && measured && rows < FEW
      ? [`the ranges of ${precision} are those of ${rows} texts: better those of a hundred or more, with --calibration`]
      : [],
  };
}

/** The report in a few lines for the terminal. */
export function encodeSummary(report: EncodeReport): string {
  const { rows, tokens, width, output_precision: precision, max_seq_length: longest, prompt, output } = report;
  return [
    `${tokens === undefined ? rows : `${tokens} tokens of ${rows} texts`} × ${width} ${precision} → ${output}`,
    `  texts of ${lengthInWords(longest)}, ${prompt === null ? "no prompt" : `after ${JSON.stringify(prompt)}`}`,
    ...report.warnings.map((warning) => `  warning: ${warning}`),
  ].join("\n");
}

/** Lines of standard input or of a `.txt`, blank ones too, or a column of a file, some at a time and in their order. */
async function* inputChunks(
  input: string,
  column: string | undefined,
  tell: (event: ProgressEvent) => void,
): AsyncGenerator<TextChunk> {
  const paths = input === "-" ? ["-"] : (await resolveSource(input)).paths;
  if (input === "-" || /\.txt(\.gz)?$/.test(paths[0]!)) {
    for await (const lines of linesOf(paths[0]!)) yield { texts: Array.from(lines, ([, line]) => line) };
    return;
  }
  const wanted = (file: NamedColumns) => findName(file, column ?? "text");
  let told = false;
  let of: number | undefined; // columns of a file of which some are read
  const columns = (file: NamedColumns) => {
    of ??= file.names.length;
    return [wanted(file), findName(file, "id")];
  };
  for await (const table of readChunks(paths, { columns, mapping: column === undefined ? {} : { text: column } })) {
    const name = wanted(table) ?? column;
    const texts = textsOf(table, "text", name === undefined ? {} : { text: name });
    if (!told && name !== undefined) {
      const text = table.header ? name : `column ${name}`;
      tell({ _tag: "columns", source: input, columns: { text }, of: of ?? table.names.length });
    }
    told = true;
    const id = findName(table, "id");
    const ids = id === undefined ? undefined : table.columns.get(id)?.map((cell) => `${cell ?? ""}`);
    yield { texts, ids };
  }
}
