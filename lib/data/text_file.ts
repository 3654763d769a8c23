/**
 * Text files, read in pieces and decoded strictly.
 *
 * @module
 */
import { DatasetError } from "../error.ts";

/**
 * Characters of a line, or of a record of fields, at most: several times the longest book. What is longer is no row but
 * damage, such as a quote that is never closed, and would be held in memory as a whole.
 */
const LONGEST = 1 << 24;

/** Refuses a line or a record of so many characters. */
export function checkLength(characters: number, where: string, what: "line" | "row"): void {
  if (characters <= LONGEST) return;
  throw new DatasetError(`a ${what} is too long`, {
    where,
    expected: `at most ${LONGEST} characters`,
    found: "more",
    hint: what === "row"
      ? "perhaps a quote is never closed: close it, or double it where it is part of the text"
      : "perhaps its line breaks are missing: write one text or object on each line",
  });
}

/** The bytes of a file in pieces, unpacked where the name ends in `.gz`; `-` is standard input. */
async function* bytesOf(path: string): AsyncGenerator<Uint8Array> {
  if (path === "-") return yield* Deno.stdin.readable;
  await Deno.stat(path).catch((error) => {
    throw error instanceof Deno.errors.NotFound ? new DatasetError("there is no such file", { where: path }) : error;
  });
  if (!path.endsWith(".gz")) {
    using file = await Deno.open(path);
    const buffer = new Uint8Array(1 << 14);
    for (let count = await file.read(buffer); count !== null; count = await file.read(buffer)) {
      yield buffer.subarray(0, count);
    }
    return;
  }
  const unpacked = (await Deno.open(path)).readable.pipeThrough(new DecompressionStream("gzip")).getReader();
  try {
    for (let part = await unpacked.read(); !part.done; part = await unpacked.read()) yield part.value;
  } catch (error) {
    throw new DatasetError("the file cannot be unpacked", {
      where: path,
      found: (error as Error).message,
      hint: "it is damaged or cut: fetch it again",
      cause: error,
    });
  } finally {
    await unpacked.cancel().catch(() => {});
  }
}

/** Decodes a file strictly, in pieces. */
export async function* textOf(path: string): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let offset = 0;
  let line = 1;
  for await (const bytes of bytesOf(path)) {
    if (offset === 0) refuseOther(path, bytes);
    let text: string;
    try {
      text = decoder.decode(bytes, { stream: true });
    } catch {
      const good = validPrefix(bytes);
      const lines = bytes.subarray(0, good).reduce((count, byte) => count + (byte === 0x0a ? 1 : 0), 0);
      throw notText(path, line + lines, offset + good, bytes[good]);
    }
    yield text;
    offset += bytes.length;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) line++;
  }
  try {
    decoder.decode();
  } catch {
    throw notText(path, line, offset); // the last character is cut
  }
}

const wayOut = (encoding: string) =>
  `save it as UTF-8 (spreadsheets: “CSV UTF-8”), or convert it: iconv -f ${encoding} -t UTF-8 OLD > NEW`;

/** Files that are no text of single bytes: UTF-16 has a byte-order mark, or a 0 in every second byte of its first letters. */
function refuseOther(path: string, bytes: Uint8Array): void {
  const [a, b, c, d] = bytes;
  if ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff) || (a === 0 && c === 0) || (b === 0 && d === 0)) {
    throw new DatasetError("the file is UTF-16, not UTF-8", { where: path, hint: wayOut("UTF-16") });
  }
  if (a === 0x50 && b === 0x4b && c === 3 && d === 4) {
    throw new DatasetError("the file is a spreadsheet or an archive, and no text", {
      where: path,
      hint: "save the sheet as “CSV UTF-8”",
    });
  }
}

function notText(path: string, line: number, at: number, byte?: number): DatasetError {
  const letter = byte === undefined ? "" : `, which Windows-1252 reads as “${WINDOWS.decode(Uint8Array.of(byte))}”`;
  return new DatasetError("bytes that are not UTF-8", {
    where: `${path}:${line}`,
    found: `at byte ${at}${byte === undefined ? "" : `: 0x${byte.toString(16)}${letter}`}`,
    hint: wayOut("WINDOWS-1252"),
  });
}

const WINDOWS = new TextDecoder("windows-1252");

/** How many bytes can be decoded; a character that began in the piece before counts as bad as far as it reaches. */
function validPrefix(bytes: Uint8Array): number {
  const isGood = (count: number) => {
    let start = 0;
    while (start < Math.min(3, count) && (bytes[start]! & 0xc0) === 0x80) start++;
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(start, count), { stream: true });
      return true;
    } catch {
      return false;
    }
  };
  let [good, bad] = [0, bytes.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (isGood(middle)) good = middle;
    else bad = middle;
  }
  // A character that only began is not whole: its first byte is the wrong one.
  for (let back = 1; back <= Math.min(3, good); back++) {
    const byte = bytes[good - back]!;
    if (byte < 0x80) break;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? good - back : good;
  }
  return good;
}

/** A line, without its carriage return, and its number. */
export type Line = readonly [number: number, text: string];

/** Lines of a file, piece by piece: those of a piece are made while they are gone through, before the next piece. */
export async function* linesOf(path: string): AsyncGenerator<Iterable<Line>> {
  let rest = "";
  let number = 0;
  function* numbered(lines: readonly string[]): Generator<Line> {
    for (const line of lines) yield [++number, line.endsWith("\r") ? line.slice(0, -1) : line];
  }
  for await (const text of textOf(path)) {
    const parts = text.split("\n");
    // Only the end of a line is joined to its beginning: one that is longer than a piece is not searched again.
    checkLength(rest.length + parts[0]!.length, `${path}:${number + 1}`, "line");
    parts[0] = rest + parts[0]!;
    rest = parts.pop()!;
    yield numbered(parts);
  }
  if (rest !== "") yield numbered([rest]);
}
