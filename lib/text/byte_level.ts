/**
 * The alphabet of byte-level tokenizers: a printable character for each byte of UTF-8.
 *
 * @module
 */

import { utf8Bytes } from "./unicode/utf8.ts";

/** The character of each byte: printable ones stand for themselves, the others for U+0100 and up, in order. */
export const BYTE_CHARACTERS: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const printable = (b: number) => (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
  if (printable(byte)) return String.fromCharCode(byte);
  let before = 0;
  for (let b = 0; b < byte; b++) if (!printable(b)) before++;
  return String.fromCharCode(256 + before);
});

/** A text, each byte of it as its character. */
export function byteCharacters(text: string): string {
  if (/^[!-~]*$/.test(text)) return text;
  let result = "";
  for (const byte of utf8Bytes(text)) result += BYTE_CHARACTERS[byte]!;
  return result;
}
