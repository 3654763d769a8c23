/**
 * Text files, read in pieces and decoded strictly.
 *
 * @module
 */
import { DatasetError } from "../error.ts";

/** The bytes of a file in pieces, unpacked where the name ends in `.gz`. */
async function* bytesOf(path: string): AsyncGenerator<Uint8Array> {
  if (!path.endsWith(".gz")) {
    using file = await Deno.open(path);
    const buffer = new Uint8Array(1 << 18);
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
    let text: string;
    try {
      text = decoder.decode(bytes, { stream: true });
    } catch {
      const good = validPrefix(bytes);
      const lines = bytes.subarray(0, good).reduce((count, byte) => count + (byte === 0x0a ? 1 : 0), 0);
      throw notText(path, line + lines, offset + good);
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

function notText(path: string, line: number, byte: number): DatasetError {
  return new DatasetError("bytes that are not UTF-8", {
    where: `${path}:${line}`,
    found: `at byte ${byte}`,
    hint: "convert the file to UTF-8",
  });
}

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
  return good;
}

/** The lines of a file with their numbers, without byte-order mark and carriage returns. */
export async function* linesOf(path: string): AsyncGenerator<[number, string]> {
  let rest = "";
  let number = 0;
  for await (const text of textOf(path)) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    for (const part of parts) {
      yield [++number, number === 1 ? part.replace(/^\ufeff/, "").replace(/\r$/, "") : part.replace(/\r$/, "")];
    }
  }
  if (rest !== "") yield [++number, rest.replace(/\r$/, "")];
}
