/**
 * Classes of code points, as the reference has them.
 *
 * @module
 */
import { COMBINING, NONSPACING, NUMERIC, PUNCTUATION, REMOVED, SCRIPTS } from "./tables.ts";

/** White space (the property White_Space). */
export const SPACE = 1;
/** What BERT's cleaning takes out. */
export const REMOVE = 2;
/** Punctuation and ASCII's symbols. */
export const PUNCT = 4;
/** What BERT takes for Chinese: each a word of its own. The gap at U+2B820 is the reference's own. */
export const IDEOGRAPH = 8;
/** Marks that BERT takes off with the accents. */
export const MARK = 16;
/** Marks that StripAccents takes off. */
export const ACCENT = 32;
/** Numbers. */
export const NUMBER = 64;

const SPACES = "9-5 i 2s q 4bj 1vj-b t-2 5 1b 334";
const IDEOGRAPHS: readonly (readonly [number, number])[] = [
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xf900, 0xfaff],
  [0x20000, 0x2a6df],
  [0x2a700, 0x2b73f],
  [0x2b740, 0x2b81f],
  [0x2b920, 0x2ceaf],
  [0x2f800, 0x2fa1f],
];

/** Calls `visit` with first, last and class of each range of a table. */
function eachRange(table: string, visit: (first: number, last: number, value: number) => void): void {
  let end = 0;
  for (const entry of table.split(" ")) {
    const [range, value = "0"] = entry.split(":") as [string, string?];
    const [gap, size = "1"] = range.split("-") as [string, string?];
    const first = end + parseInt(gap, 36);
    end = first + parseInt(size, 36);
    visit(first, end - 1, parseInt(value, 36));
  }
}

let classes: Uint8Array | undefined;

/** One byte for each code point: the sum of its classes. */
export function codePointClasses(): Uint8Array {
  if (classes !== undefined) return classes;
  const table = new Uint8Array(0x110000);
  const mark = (first: number, last: number, bit: number) => {
    for (let c = first; c <= last; c++) table[c]! |= bit;
  };
  const add = (ranges: string, bit: number) => eachRange(ranges, (first, last) => mark(first, last, bit));
  add(SPACES, SPACE);
  add(REMOVED, REMOVE);
  add(PUNCTUATION, PUNCT);
  add(NONSPACING, MARK);
  add(COMBINING, ACCENT);
  add(NUMERIC, NUMBER);
  for (const [first, last] of IDEOGRAPHS) mark(first, last, IDEOGRAPH);
  return classes = table;
}

let scripts: Uint8Array | undefined;

/** The class of each code point for UnicodeScripts; 0 joins any neighbour. */
export function codePointScripts(): Uint8Array {
  if (scripts !== undefined) return scripts;
  const table = new Uint8Array(0x110000);
  eachRange(SCRIPTS, (first, last, script) => table.fill(script, first, last + 1));
  return scripts = table;
}

/** The same ranges as the inside of a regular expression's class. */
export function classRanges(table: string): string {
  let text = "";
  const code = (c: number) => `\\u{${c.toString(16)}}`;
  eachRange(table, (first, last) => text += first === last ? code(first) : `${code(first)}-${code(last)}`);
  return text;
}

/** Whether all characters of a text are in ASCII. */
export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false;
  return true;
}

/** Number of code points. */
export function countCodePoints(text: string): number {
  let count = text.length;
  for (let i = 1; i < text.length; i++) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xdc00 && (text.charCodeAt(i - 1) & 0xfc00) === 0xd800) count--;
  }
  return count;
}

/** A text without the code points that have one of the given classes. */
export function withoutClass(text: string, bits: number): string {
  const table = codePointClasses();
  let kept = "";
  let start = 0;
  for (let i = 0; i < text.length;) {
    const code = text.codePointAt(i)!;
    const next = i + (code > 0xffff ? 2 : 1);
    if ((table[code]! & bits) !== 0) {
      kept += text.slice(start, i);
      start = next;
    }
    i = next;
  }
  return start === 0 ? text : kept + text.slice(start);
}
