/**
 * safetensors files: read by ranges, checked before a byte is believed; written atomically.
 *
 * Layout: u64 length of the header, the header (JSON: name → dtype, shape, data_offsets), the data.
 *
 * @module
 */
import { dirname, join, resolve } from "node:path";
import { CheckpointError } from "../error.ts";
import { exists } from "../exists.ts";
import { isObject } from "../expect.ts";
import { writeWhole } from "./whole_file.ts";

/** Element types that are read. */
export type FileDType =
  | "BOOL"
  | "U8"
  | "I8"
  | "F8_E5M2"
  | "F8_E4M3"
  | "I16"
  | "U16"
  | "F16"
  | "BF16"
  | "I32"
  | "U32"
  | "F32"
  | "F64"
  | "I64"
  | "U64";

/** One tensor of a file. */
export interface TensorInfo {
  /** Its name. */
  readonly name: string;
  /** Its element type in the file. */
  readonly dtype: FileDType;
  /** Its shape. */
  readonly shape: readonly number[];
}

/** An open checkpoint. */
export interface TensorReader {
  /** What is in it. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** The file's free-text metadata. */
  readonly metadata: Readonly<Record<string, string>>;
  /** All values of a tensor as f32. */
  readonly readF32: (name: string) => Promise<Float32Array>;
  /**
   * The same in pieces of whole rows, some MiB each, for what is copied elsewhere at once: a piece is valid until the next is
   * asked for, or the iteration ends.
   */
  readonly piecesF32: (name: string) => AsyncIterable<Float32Array>;
  /** All values of an integer tensor; fails if one does not fit. */
  readonly readI32: (name: string) => Promise<Int32Array>;
  /** The bytes of a tensor as they stand in the file. */
  readonly readBytes: (name: string) => Promise<Uint8Array<ArrayBuffer>>;
  /** Closes the files. */
  readonly close: () => void;
}

/** A tensor to be written. */
export interface TensorToWrite {
  /** Its name. */
  readonly name: string;
  /** Its shape. */
  readonly shape: readonly number[];
  /** Its values. */
  readonly data: Float32Array | Int32Array;
  /** Type in the file; default F32 or I32. F16 rounds to nearest. */
  readonly dtype?: "F32" | "F16" | "I32";
}

/** Every type of the format and its bytes. What is not read as numbers here may still stand in a file, unused. */
const BYTES: Readonly<Record<FileDType, number>> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  F64: 8,
  I64: 8,
  U64: 8,
};
/** Bytes of a piece, unless a row is longer, and how many there are at most: an engine may copy the tensor for each. */
const [PIECE, PIECES] = [4 << 20, 24];
/** The format's own limit. */
const MAX_HEADER = 100_000_000;

interface Entry extends TensorInfo {
  readonly file: Deno.FsFile;
  readonly path: string;
  readonly begin: number;
  readonly end: number;
}

/**
 * Opens a `.safetensors` file, or a model folder: `model.safetensors`, or the shards that
 * `model.safetensors.index.json` names.
 *
 * @param path The file, or the folder.
 * @returns Names, shapes and types of the tensors, and their values when they are asked for. To be closed.
 * @throws {CheckpointError} There is no such file, or it is damaged: it names the tensor.
 *
 * @example
 * ```ts
 * import { openTensors, writeSafetensors } from "@kindred/kindred/checkpoint";
 * import assert from "node:assert/strict";
 * const path = await Deno.makeTempFile({ suffix: ".safetensors" });
 * await writeSafetensors(path, [{ name: "weight", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }]);
 * const reader = await openTensors(path);
 * assert.deepEqual([...await reader.readF32("weight")], [1, 2, 3, 4]);
 * reader.close();
 * await Deno.remove(path);
 * ```
 */
export async function openTensors(path: string): Promise<TensorReader> {
  const files = (await Deno.stat(path).catch(notFound(path))).isDirectory ? await weightFiles(path) : [path];
  const opened: Deno.FsFile[] = [];
  const entries = new Map<string, Entry>();
  const rooms: Uint8Array<ArrayBuffer>[] = [];
  const metadata: Record<string, string> = {};
  const close = () => {
    rooms.length = 0;
    opened.splice(0).forEach((file) => file.close());
  };
  try {
    for (const each of files) {
      const file = await Deno.open(each).catch(notFound(each));
      opened.push(file);
      for (const entry of await readHeader(file, each, metadata)) {
        if (entries.has(entry.name)) {
          throw new CheckpointError("a tensor is there twice", { where: `${each}, ${entry.name}` });
        }
        entries.set(entry.name, entry);
      }
    }
  } catch (error) {
    close();
    throw error;
  }
  const find = (name: string): Entry => {
    const entry = entries.get(name);
    if (entry === undefined) throw new CheckpointError("a tensor is missing", { where: path, expected: name });
    return entry;
  };
  return {
    tensors: entries,
    metadata,
    readF32: async (name) => toF32(find(name), await bytesOf(find(name))),
    async *piecesF32(name) {
      yield* piecesOf(find(name), rooms);
    },
    readI32: async (name) => toI32(find(name), await bytesOf(find(name))),
    readBytes: async (name) => await bytesOf(find(name)),
    close,
  };
}

function notFound(path: string): (error: unknown) => never {
  return (error) => {
    if (error instanceof Deno.errors.NotFound) {
      throw new CheckpointError("there is no such checkpoint", { where: path, cause: error });
    }
    throw error;
  };
}

async function weightFiles(folder: string): Promise<string[]> {
  const isThere = (name: string) => exists(join(folder, name));
  if (await isThere("model.safetensors")) return [join(folder, "model.safetensors")];
  if (await isThere("model.safetensors.index.json")) {
    const path = join(folder, "model.safetensors.index.json");
    const map = parseJson(await Deno.readTextFile(path), path)["weight_map"];
    if (map === null || typeof map !== "object") {
      throw new CheckpointError("the index of shards is damaged", { where: path, expected: "weight_map" });
    }
    return [...new Set(Object.values(map))].map((shard) => {
      if (typeof shard !== "string" || dirname(resolve(folder, shard)) !== resolve(folder)) {
        throw new CheckpointError("a shard lies outside the model's folder", { where: path, found: String(shard) });
      }
      return join(folder, shard);
    });
  }
  if (await isThere("pytorch_model.bin")) {
    throw new CheckpointError("the weights are a pickle, which may run any code when it is read", {
      where: join(folder, "pytorch_model.bin"),
      expected: "model.safetensors",
      hint: "load the model in Python and save it again with save_pretrained(…, safe_serialization=True)",
    });
  }
  throw new CheckpointError("there are no weights", {
    where: folder,
    expected: "model.safetensors",
    hint: "weights in other formats (pytorch_model.bin, a pickle) are not read: save the model again in Python",
  });
}

async function readHeader(file: Deno.FsFile, path: string, metadata: Record<string, string>): Promise<Entry[]> {
  const { size } = await file.stat();
  const bad = (message: string, expected: string, found: string) =>
    new CheckpointError(message, {
      where: path,
      expected,
      found,
      hint: "the file is damaged or cut: fetch or save it again",
    });
  if (size < 8) throw bad("not a safetensors file", "at least 8 bytes", `${size} bytes`);
  const first = await readRange(file, 0, 8);
  if (new TextDecoder().decode(first) === "version ") {
    throw new CheckpointError("the file only points to its contents (Git LFS)", {
      where: path,
      found: `${size} bytes`,
      hint: "fetch them with git lfs pull",
    });
  }
  const length = Number(new DataView(first.buffer).getBigUint64(0, true));
  if (length > MAX_HEADER || length > size - 8) {
    throw bad("the header cannot be that long", `at most ${Math.min(MAX_HEADER, size - 8)} bytes`, `${length} bytes`);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(await readRange(file, 8, length));
  } catch {
    throw bad("the header is not text", "UTF-8", "other bytes");
  }
  const header = parseJson(text, path);
  const start = 8 + length;
  const entries: Entry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === "__metadata__") {
      if (value === null || typeof value !== "object") {
        throw bad("the metadata are damaged", "an object", String(value));
      }
      Object.assign(metadata, value);
      continue;
    }
    const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
    if (
      typeof dtype !== "string" || !Object.hasOwn(BYTES, dtype) || !isNaturals(shape) || !isNaturals(offsets) ||
      offsets.length !== 2
    ) {
      throw new CheckpointError("a tensor is described wrongly", {
        where: `${path}, tensor ${name}`,
        expected: `dtype (${Object.keys(BYTES).join(", ")}), shape, data_offsets`,
        found: JSON.stringify(value).slice(0, 200),
      });
    }
    const bytes = shape.reduce((product, n) => product * n, BYTES[dtype as FileDType]);
    const [begin, end] = offsets as [number, number];
    if (end - begin !== bytes || start + end > size) {
      throw bad(
        `tensor ${name} does not lie within the file`,
        `${bytes} bytes for [${shape}] ${dtype}, before byte ${size - start}`,
        `bytes ${begin} to ${end}`,
      );
    }
    entries.push({ name, dtype: dtype as FileDType, shape, file, path, begin: start + begin, end: start + end });
  }
  const sorted = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end);
  // The format allows no gaps: one would also be what is left of a name that stood there twice.
  let next = start;
  for (const { name, begin, end } of sorted) {
    if (begin !== next) {
      throw bad(
        begin < next ? "two tensors overlap" : "some bytes belong to no tensor",
        `${name} to begin at byte ${next - start}`,
        `byte ${begin - start}`,
      );
    }
    next = end;
  }
  if (next !== size) throw bad("the tensors do not fill the file", `${next} bytes`, `${size} bytes`);
  return entries;
}

function isNaturals(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function parseJson(text: string, where: string): Record<string, unknown> {
  try {
    const value = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // reported below
  }
  throw new CheckpointError("not a JSON object", { where, found: text.slice(0, 80) });
}

async function readRange(
  file: Deno.FsFile,
  from: number,
  length: number,
  bytes = new Uint8Array(length),
): Promise<Uint8Array<ArrayBuffer>> {
  await file.seek(from, Deno.SeekMode.Start);
  for (let have = 0; have < length;) {
    const count = await file.read(bytes.subarray(have, length));
    if (count === null) throw new CheckpointError("the file ended early", { expected: `${length} bytes from ${from}` });
    have += count;
  }
  return bytes;
}

/** Reads of one file follow each other: they share its position. */
const turns = new WeakMap<Deno.FsFile, Promise<unknown>>();

function bytesOf(
  { file, begin, end }: Pick<Entry, "file" | "begin" | "end">,
  room?: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const read = (turns.get(file) ?? Promise.resolve()).then(() => readRange(file, begin, end - begin, room));
  turns.set(file, read.catch(() => {}));
  return read;
}

/** Fresh memory costs more than what is read into it: pieces share rooms that were read into before. */
async function* piecesOf(entry: Entry, rooms: Uint8Array<ArrayBuffer>[]): AsyncGenerator<Float32Array> {
  const { file, dtype, shape, begin, end } = entry;
  const row = Math.max(1, BYTES[dtype] * shape.slice(1).reduce((product, n) => product * n, 1));
  const most = row * Math.ceil(Math.max(1, Math.floor(PIECE / row), (end - begin) / (row * PIECES)));
  const room = most > PIECE ? new Uint8Array(most) : rooms.pop() ?? new Uint8Array(PIECE);
  try {
    toF32(entry, room, 0); // refuses a type before anything is read
    for (let from = begin; from < end; from += most) {
      const to = Math.min(end, from + most);
      await bytesOf({ file, begin: from, end: to }, room);
      yield toF32(entry, room, to - from);
    }
  } finally {
    if (most <= PIECE) rooms.push(room);
  }
}

function toF32(
  { name, dtype, path }: Entry,
  { buffer }: Uint8Array<ArrayBuffer>,
  bytes = buffer.byteLength,
): Float32Array {
  const count = bytes / BYTES[dtype];
  switch (dtype) {
    case "F32":
      return new Float32Array(buffer, 0, count);
    case "F16":
      return Float32Array.from(new Float16Array(buffer, 0, count));
    case "F64":
      return Float32Array.from(new Float64Array(buffer, 0, count));
    case "BF16": {
      const words = new Uint16Array(buffer, 0, count);
      const bits = new Uint32Array(words.length);
      for (let i = 0; i < words.length; i++) bits[i] = words[i]! << 16;
      return new Float32Array(bits.buffer);
    }
    default:
      throw new CheckpointError("a tensor of weights has a type that is not read", {
        where: `${path}, ${name}`,
        expected: "F32, F16, BF16 or F64",
        found: dtype,
        hint: "a quantised model must be saved again with its weights as numbers",
      });
  }
}

function toI32({ name, dtype, path }: Entry, bytes: Uint8Array<ArrayBuffer>): Int32Array {
  if (dtype === "I32") return new Int32Array(bytes.buffer);
  if (dtype === "I64") {
    return Int32Array.from(new BigInt64Array(bytes.buffer), (value) => {
      if (value !== BigInt.asIntN(32, value)) {
        throw new CheckpointError("a number does not fit into 32 bits", {
          where: `${path}, ${name}`,
          found: `${value}`,
        });
      }
      return Number(value);
    });
  }
  throw new CheckpointError("a tensor of integers has another type", { where: `${path}, ${name}`, found: dtype });
}

/**
 * Writes a file under a temporary name, forces it to disk and renames it.
 *
 * @param path The file.
 * @param tensors Names, shapes and values, in the order in which they are to lie.
 * @param metadata Texts beside them. Default: none.
 * @returns When the file is on the disk.
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly TensorToWrite[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const header: Record<string, unknown> = { __metadata__: { format: "pt", ...metadata } };
  let offset = 0;
  const parts = tensors.map(({ name, shape, data, dtype }) => {
    const type = dtype ?? (data instanceof Float32Array ? "F32" : "I32");
    const values = type === "F16" ? new Float16Array(data) : data;
    header[name] = { dtype: type, shape, data_offsets: [offset, offset += values.byteLength] };
    return new Uint8Array(values.buffer as ArrayBuffer, values.byteOffset, values.byteLength);
  });
  const json = JSON.stringify(header);
  const text = new TextEncoder().encode(json);
  const padded = new Uint8Array(8 + Math.ceil(text.length / 8) * 8).fill(0x20);
  new DataView(padded.buffer).setBigUint64(0, BigInt(padded.length - 8), true);
  padded.set(text, 8);

  await writeWhole(path, [padded, ...parts]);
}
