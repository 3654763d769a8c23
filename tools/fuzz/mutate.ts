/**
 * Inputs that nobody would write: a valid one, damaged at random.
 *
 * @module
 */
import { randomPurpose, type RandomStream, randomStream } from "../../lib/engine/philox.ts";

/** What has broken parsers before, here or elsewhere. */
const DICTIONARY: readonly string[] = [
  ...['"', '""', "'", ",", ";", "\t", "\r", "\n", "\r\n", "\0", "\\", "\ufeff", "\ud800", "{", "}", "[", "]", ":"],
  ...["null", "true", "NaN", "-0", "1e999", "-1", "9007199254740993", "18446744073709551615", "4294967296", "1e-400"],
  ...["__proto__", "constructor", "toString", "hasOwnProperty", "length", "../", "/", "C:\\", "%00", "a".repeat(300)],
  ...["[".repeat(200), '{"a":'.repeat(200), "é", "e\u0301", "𠮷", "\u202e", "İ", "ß", "\uffff", "=1+1", "#", "<!--"],
];
const WORDS = DICTIONARY.map((word) => new TextEncoder().encode(word));

/** Damages bytes: one to four times, each time in one of many ways. `others` are what pieces may be taken from. */
export function mutate(input: Uint8Array, others: readonly Uint8Array[], random: RandomStream): Uint8Array {
  let bytes = input;
  const times = 1 + random.int(4);
  for (let i = 0; i < times; i++) bytes = once(bytes, others, random);
  return bytes;
}

function once(bytes: Uint8Array, others: readonly Uint8Array[], random: RandomStream): Uint8Array {
  const { length } = bytes;
  const at = random.int(length + 1);
  const end = Math.min(length, at + 1 + random.int(1 + random.int(64)));
  const splice = (from: number, to: number, piece: Uint8Array): Uint8Array => {
    const out = new Uint8Array(from + piece.length + length - to);
    out.set(bytes.subarray(0, from));
    out.set(piece, from);
    out.set(bytes.subarray(to), from + piece.length);
    return out;
  };
  switch (random.int(8)) {
    case 0: { // flip a bit
      const copy = bytes.slice();
      if (length > 0) copy[at % length]! ^= 1 << random.int(8);
      return copy;
    }
    case 1: // cut off
      return bytes.slice(0, at);
    case 2: // leave a piece out
      return splice(at, end, new Uint8Array(0));
    case 3: // say a piece twice
      return splice(at, at, bytes.slice(at, end));
    case 4: // a word from the dictionary, put in or put in place of something
      return splice(at, random.int(2) === 0 ? at : end, WORDS[random.int(WORDS.length)]!);
    case 5: { // any bytes
      const piece = Uint8Array.from({ length: 1 + random.int(8) }, () => random.int(256));
      return splice(at, end, piece);
    }
    case 6: { // a number of the header or a length: all eight bytes at once
      const copy = bytes.slice();
      const value = [0, 1, 0x7f, 0xff][random.int(4)]!;
      copy.fill(value, at, Math.min(length, at + [1, 2, 4, 8][random.int(4)]!));
      return copy;
    }
    default: { // the end of another input
      const other = others[random.int(others.length)]!;
      return splice(at, length, other.slice(random.int(other.length + 1)));
    }
  }
}

/** Random numbers for the inputs of a target. */
export function chanceOf(seed: number, counter: number): RandomStream {
  return randomStream(seed, randomPurpose("sample"), counter);
}
