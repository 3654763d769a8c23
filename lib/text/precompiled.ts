/**
 * SentencePiece's own normalisation table (`precompiled_charsmap`), obeyed as the reference does: a grapheme of fewer
 * than 6 bytes as a whole, else character by character; the shortest entry that begins it counts.
 *
 * @module
 */
import { TokenizerError } from "../error.ts";
import { utf8Bytes } from "./unicode/utf8.ts";
import { graphemes } from "./unicode/graphemes.ts";

/**
 * A function that normalises by a table: four bytes with the size of a double-array trie, the trie, and the texts that
 * its entries point to, each ended by a zero byte.
 */
export function precompiled(table: Uint8Array): (text: string) => string {
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  const size = table.length < 4 ? Infinity : view.getUint32(0, true);
  if (!(size % 4 === 0 && 4 + size <= table.length)) {
    throw new TokenizerError("the tokenizer's precompiled_charsmap is damaged", {
      expected: `a trie of ${size} bytes`,
      found: `${table.length} bytes`,
    });
  }
  const trie = Uint32Array.from({ length: size / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
  const texts = table.subarray(4 + size);
  const known = new Map<string, string | null>();
  const ascii = Array.from({ length: 128 }, (_, c) => entry(String.fromCharCode(c)) ?? String.fromCharCode(c));
  const asciiStays = ascii.every((text, c) => c < 32 || c > 126 || text === String.fromCharCode(c));

  function entry(part: string): string | undefined {
    const offset = (unit: number) => (unit >>> 10) << ((unit & 0x200) >>> 6);
    let node = offset(trie[0] ?? 0);
    for (const byte of utf8Bytes(part)) {
      if (byte === 0) return undefined;
      node ^= byte;
      const unit = trie[node] ?? 0;
      if ((unit & 0x800000ff) !== byte) return undefined;
      node ^= offset(unit);
      if ((unit & 0x100) !== 0) {
        const from = trie[node]! & 0x7fffffff;
        const end = texts.indexOf(0, from);
        return new TextDecoder().decode(texts.subarray(from, end < 0 ? texts.length : end));
      }
    }
    return undefined;
  }
  function lookUp(part: string): string | undefined {
    let found = known.get(part);
    if (found === undefined) {
      found = entry(part) ?? null;
      if (known.size < 65536) known.set(part, found);
    }
    return found ?? undefined;
  }
  return (text) => {
    if (asciiStays && /^[\x20-\x7e]*$/.test(text)) return text;
    let result = "";
    for (const grapheme of graphemes(text)) {
      if (grapheme.length === 1 && grapheme.charCodeAt(0) < 128) {
        result += ascii[grapheme.charCodeAt(0)]!;
        continue;
      }
      const whole = grapheme.length < 6 && utf8Bytes(grapheme).length < 6 ? lookUp(grapheme) : undefined;
      if (whole !== undefined) result += whole;
      else for (const char of grapheme) result += lookUp(char) ?? char;
    }
    return result;
  };
}
