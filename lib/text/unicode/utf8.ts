/**
 * The bytes of short texts, without a call out of the engine for each.
 *
 * @module
 */

/** A text as UTF-8. */
export function utf8Bytes(text: string): number[] {
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const code = text.codePointAt(i)!;
    if (code > 0xffff) {
      i++;
      bytes.push(0xf0 | code >> 18, 0x80 | code >> 12 & 63, 0x80 | code >> 6 & 63, 0x80 | code & 63);
    } else if (code > 0x7ff) bytes.push(0xe0 | code >> 12, 0x80 | code >> 6 & 63, 0x80 | code & 63);
    else if (code > 0x7f) bytes.push(0xc0 | code >> 6, 0x80 | code & 63);
    else bytes.push(code);
  }
  return bytes;
}
