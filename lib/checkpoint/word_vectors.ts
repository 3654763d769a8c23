/**
 * Word vectors as GloVe, word2vec and fastText write them as text: a word and its numbers on each line.
 *
 * @module
 */
import { join } from "node:path";
import { counted } from "../counted.ts";
import { CheckpointError } from "../error.ts";
import { ENGLISH_STOP_WORDS } from "../text/stop_words.ts";
import { WHITESPACE_FILE } from "../text/whitespace.ts";
import { readJson, replaceFolder, writeJson } from "./folder.ts";
import { openTensors, writeSafetensors } from "./safetensors.ts";
import { writeWhole } from "./whole_file.ts";

/** Vectors of words. */
export interface WordVectors {
  /** The words; the first one stands for padding, and has zeros. */
  readonly words: readonly string[];
  /** [words · width] */
  readonly rows: Float32Array;
  /** Numbers of a vector. */
  readonly width: number;
  /** Lines that were left out, since they have another number of fields. */
  readonly skipped: number;
}

const [NEWLINE, SPACE, POINT, MINUS, PLUS, ZERO, NINE] = [10, 32, 46, 45, 43, 48, 57];
/** What sentence-transformers calls row 0. */
export const PADDING = "PADDING_TOKEN";
/** Powers of ten that float64 holds exactly. */
const POWERS = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent);

/**
 * Whether the name of a file is one of word vectors.
 *
 * @param path The file.
 * @returns Of text files (`.txt`, `.vec`), packed (`.gz`) or not.
 */
export function isWordVectorFile(path: string): boolean {
  return /\.(txt|vec)(\.gz)?$/i.test(path);
}

/**
 * Reads a file of word vectors in one pass: `word v₁ v₂ …` on each line, after a line `words width` or without one. Lines
 * with more or fewer fields than the first one are left out, as sentence-transformers leaves them out; of a word that stands
 * twice the last vector counts.
 *
 * @param path The file; with the ending `.gz` it is unpacked on the way.
 * @returns Words and vectors.
 * @throws {CheckpointError} It is no such file: a field is no number, or most lines are left out.
 *
 * @example
 * ```ts
 * import { readWordVectors } from "@kindred/kindred/checkpoint";
 * import assert from "node:assert/strict";
 * const path = await Deno.makeTempFile({ suffix: ".txt" });
 * await Deno.writeTextFile(path, "cat 1 2\ndog 3 4\n");
 * const { words, rows } = await readWordVectors(path);
 * assert.deepEqual([words, [...rows]], [["PADDING_TOKEN", "cat", "dog"], [0, 0, 1, 2, 3, 4]]);
 * ```
 */
export async function readWordVectors(path: string): Promise<WordVectors> {
  const decoder = new TextDecoder();
  const numbers = new Map<string, number>([[PADDING, 0]]);
  const { size } = await Deno.stat(path);
  let [width, skipped, line] = [0, 0, 0];
  let rows = new Float32Array(0);

  /** A line without its end: bytes `start` to `end`. */
  const take = (bytes: Uint8Array, start: number, end: number): void => {
    line++;
    while (end > start && isSpace(bytes[end - 1]!)) end--;
    let fields = 1;
    let first = -1;
    for (let i = start; i < end; i++) {
      if (bytes[i] !== SPACE) continue;
      if (first < 0) first = i;
      fields++;
    }
    if (width === 0 && fields === 2) return; // word2vec's first line: how many words, how many numbers
    if (width === 0) {
      width = fields - 1;
      if (width < 2) throw notVectors(path, `line ${line}`, decoder.decode(bytes.subarray(start, end)).slice(0, 80));
      const lines = path.endsWith(".gz") ? 1024 : Math.ceil(1.05 * size / Math.max(1, end - start));
      rows = new Float32Array((lines + 2) * width);
    }
    if (fields - 1 !== width) return void skipped++;
    const word = decoder.decode(bytes.subarray(start, first));
    let row = numbers.get(word);
    if (row === undefined) numbers.set(word, row = numbers.size);
    if ((row + 1) * width > rows.length) {
      const grown = new Float32Array(Math.ceil(1.3 * rows.length) + width);
      grown.set(rows);
      rows = grown;
    }
    let at = first + 1;
    for (let i = 0; i < width; i++) {
      let stop = at;
      while (stop < end && bytes[stop] !== SPACE) stop++;
      const value = numberAt(bytes, at, stop, decoder);
      if (!Number.isFinite(value)) {
        throw notVectors(path, `line ${line}, field ${i + 2}`, decoder.decode(bytes.subarray(at, stop)).slice(0, 80));
      }
      rows[row * width + i] = value;
      at = stop + 1;
    }
  };

  let rest = new Uint8Array(0);
  using file = await Deno.open(path);
  const whole = file.readable as ReadableStream<Uint8Array<ArrayBuffer>>;
  const stream = path.endsWith(".gz") ? whole.pipeThrough(new DecompressionStream("gzip")) : whole;
  for await (const chunk of stream) {
    let bytes: Uint8Array<ArrayBuffer> = chunk;
    if (rest.length > 0) {
      bytes = new Uint8Array(rest.length + chunk.length);
      bytes.set(rest);
      bytes.set(chunk, rest.length);
    }
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      take(bytes, start, end);
      start = end + 1;
    }
    rest = bytes.slice(start);
  }
  if (rest.length > 0) take(rest, 0, rest.length);
  if (numbers.size === 1 || skipped >= numbers.size) {
    throw notVectors(path, path, `${counted(numbers.size - 1, "word")}, ${counted(skipped, "line")} left out`);
  }
  return { words: [...numbers.keys()], rows: rows.subarray(0, numbers.size * width), width, skipped };
}

const isSpace = (byte: number) => (byte >= 9 && byte <= 13) || (byte >= 28 && byte <= SPACE);

const notVectors = (path: string, where: string, found: string) =>
  new CheckpointError("this is no file of word vectors", {
    where: where === path ? path : `${path}, ${where}`,
    expected: "a word and its numbers on each line, separated by single spaces",
    found,
  });

/** A decimal number. Digits that float64 holds are put together here; anything else is left to `Number`. */
function numberAt(bytes: Uint8Array, start: number, end: number, decoder: TextDecoder): number {
  let at = start;
  const negative = bytes[at] === MINUS;
  if (negative || bytes[at] === PLUS) at++;
  let [digits, behind, mantissa] = [0, -1, 0];
  for (; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === POINT && behind < 0) behind = digits;
    else if (byte >= ZERO && byte <= NINE) {
      mantissa = 10 * mantissa + byte - ZERO;
      digits++;
    } else break;
  }
  if (at === end && digits > 0 && digits <= 15) {
    const value = behind < 0 ? mantissa : mantissa / POWERS[digits - behind]!;
    return negative ? -value : value;
  }
  const text = decoder.decode(bytes.subarray(start, end));
  return text.trim() === "" ? NaN : Number(text.replace(/^([-+]?)(nan|inf|infinity)$/i, "NaN"));
}

/** Reads what {@linkcode writeWordVectors} wrote. */
export async function readWordVectorFolder(folder: string): Promise<Omit<WordVectors, "skipped">> {
  const { vocab } = await readJson<{ readonly vocab: readonly string[] }>(join(folder, WHITESPACE_FILE));
  const reader = await openTensors(join(folder, "model.safetensors"));
  try {
    const rows = await reader.readF32("emb_layer.weight");
    return { words: vocab, rows, width: rows.length / vocab.length };
  } finally {
    reader.close();
  }
}

/** Text formats of word vectors: word2vec's begins with the numbers of words and of features, GloVe's does not. */
export type WordVectorFormat = "word2vec" | "glove";

/**
 * Writes word vectors as text, a word and its numbers on each line; every number is read again as the same one.
 *
 * @param path The file.
 * @param vectors Words and vectors; the row for padding is left out.
 * @param format With or without a first line. Default word2vec, which gensim reads as it is.
 * @returns When all is on the disk.
 *
 * @example
 * ```ts
 * import { readWordVectors, writeWordVectorFile } from "@kindred/kindred/checkpoint";
 * import assert from "node:assert/strict";
 * const path = `${await Deno.makeTempDir()}/vectors.txt`;
 * const vectors = { words: ["cat", "dog"], rows: Float32Array.of(0.5, 2, 3, 4), width: 2 };
 * await writeWordVectorFile(path, vectors);
 * assert.equal(await Deno.readTextFile(path), "2 2\ncat 0.5 2\ndog 3 4\n");
 * assert.deepEqual((await readWordVectors(path)).rows.slice(2), vectors.rows);
 * ```
 */
export async function writeWordVectorFile(
  path: string,
  vectors: Omit<WordVectors, "skipped">,
  format: WordVectorFormat = "word2vec",
): Promise<void> {
  await writeWhole(path, linesOf(vectors, format));
}

/** The lines of a text file, many at a time. */
function* linesOf({ words, rows, width }: Omit<WordVectors, "skipped">, format: WordVectorFormat) {
  const encoder = new TextEncoder();
  const skip = words[0] === PADDING ? 1 : 0;
  let lines = format === "word2vec" ? `${words.length - skip} ${width}\n` : "";
  for (let row = skip; row < words.length; row++) {
    lines += words[row];
    // Nine digits tell every number of single precision from its neighbours.
    for (let i = row * width; i < (row + 1) * width; i++) lines += ` ${+rows[i]!.toPrecision(9)}`;
    lines += "\n";
    if (lines.length < 1 << 16) continue;
    yield encoder.encode(lines);
    lines = "";
  }
  yield encoder.encode(lines);
}

/**
 * Writes word vectors as sentence-transformers' folder of `WordEmbeddings` and mean pooling.
 *
 * @param folder The folder; it appears whole or not at all.
 * @param vectors From {@linkcode readWordVectors}.
 * @param modelCard The text of README.md.
 * @returns When all is on the disk.
 */
export async function writeWordVectors(
  folder: string,
  vectors: Omit<WordVectors, "skipped">,
  modelCard: string,
): Promise<void> {
  const { words, rows, width } = vectors;
  await replaceFolder(folder, async (path) => {
    await writeJson(join(path, "modules.json"), [
      { idx: 0, name: "0", path: "", type: "sentence_transformers.models.WordEmbeddings" },
      { idx: 1, name: "1", path: "1_Pooling", type: "sentence_transformers.models.Pooling" },
    ]);
    await writeJson(join(path, "1_Pooling", "config.json"), {
      word_embedding_dimension: width,
      pooling_mode_cls_token: false,
      pooling_mode_mean_tokens: true,
      pooling_mode_max_tokens: false,
      pooling_mode_mean_sqrt_len_tokens: false,
    });
    await writeJson(join(path, "wordembedding_config.json"), WORD_EMBEDDINGS);
    await writeJson(join(path, WHITESPACE_FILE), {
      vocab: words,
      stop_words: ENGLISH_STOP_WORDS,
      do_lower_case: false,
    });
    await writeSafetensors(join(path, "model.safetensors"), [
      { name: "emb_layer.weight", shape: [words.length, width], data: rows },
    ]);
    await Deno.writeTextFile(join(path, "README.md"), modelCard);
  });
}

/** What sentence-transformers says of word vectors where nothing else is said. */
const WORD_EMBEDDINGS = {
  tokenizer_class: "sentence_transformers.models.tokenizer.WhitespaceTokenizer.WhitespaceTokenizer",
  update_embeddings: false,
  max_seq_length: 1_000_000,
};
