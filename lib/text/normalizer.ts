/**
 * What is done to a text before it is split: the normalizers of `tokenizer.json`.
 *
 * @module
 */
import { TokenizerError } from "../error.ts";
import { byteCharacters } from "./byte_level.ts";
import { type Json, list, object, refuse, setting } from "./definition.ts";
import { precompiled } from "./precompiled.ts";
import { findMatches, literalRegex, translateRegex } from "./regex.ts";
import { lowerCase, normalForm } from "./unicode/case_and_forms.ts";
import {
  ACCENT,
  codePointClasses,
  countCodePoints,
  IDEOGRAPH,
  isAscii,
  MARK,
  REMOVE,
  SPACE,
  withoutClass,
} from "./unicode/code_points.ts";

/** Whether the first character of a text still stands where the original began: a space may go before it if so. */
export interface Head {
  /** False once what stood there was taken out. */
  stays: boolean;
  /** What the first character became, where that is more than one: without its beginning the rest still stands there. */
  width?: number;
}

/** From a text to the text that is split. */
export type Normalizer = (text: string, head?: Head) => string;

/** The normalizer of a definition, or undefined where there is none. */
export function normalizerOf(definition: unknown): Normalizer | undefined {
  if (definition === null || definition === undefined) return undefined;
  const part = object(definition, "the normalizer");
  switch (part["type"]) {
    case "Sequence": {
      const all = list(part["normalizers"], "the normalizers").map(normalizerOf).filter((each) => each !== undefined);
      return (text, head) => all.reduce((result, normalize) => normalize(result, head), text);
    }
    case "BertNormalizer":
      return bertNormalizer(part);
    case "NFC":
    case "NFD":
    case "NFKC":
    case "NFKD": {
      const form = part["type"];
      return (text, head) => formed(text, form, head);
    }
    case "Lowercase":
      return lowerCase;
    case "Strip":
      return strip(setting(part, "strip_left", true), setting(part, "strip_right", true));
    case "StripAccents":
      return takingOut((text) => isAscii(text) ? text : withoutClass(text, ACCENT));
    case "Nmt":
      return takingOut((text) => text.replace(NMT_REMOVED, "").replace(NMT_SPACE, " "));
    case "Replace":
      return replace(part);
    case "Prepend": {
      const prefix = setting(part, "prepend", "");
      return (text) => text === "" ? "" : prefix + text;
    }
    case "ByteLevel":
      return byteCharacters;
    case "Precompiled": {
      const table = setting(part, "precompiled_charsmap", "");
      return precompiled(Uint8Array.from(decodeBase64(table), (char) => char.charCodeAt(0)));
    }
    default:
      return refuse(`the normalizer ${part["type"]}`, String(part["type"]));
  }
}

function decodeBase64(text: string): string {
  try {
    return atob(text);
  } catch (cause) {
    throw new TokenizerError("the tokenizer's precompiled_charsmap is not base64", { cause });
  }
}

// deno-lint-ignore no-control-regex
const NMT_REMOVED = /[\x01-\x08\x0b\x0e-\x1f\x7f\x8f\x9f]/g;
const NMT_SPACE = /[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/g;

const firstOf = (text: string) => String.fromCodePoint(text.codePointAt(0)!);

/** One of Unicode's forms; the head learns what the first character became, as far as nothing of others came between. */
function formed(text: string, form: Parameters<typeof normalForm>[1], head: Head | undefined): string {
  const whole = normalForm(text, form);
  if (head === undefined || text === "" || isAscii(text)) return whole;
  const first = normalForm(text.slice(0, Math.max(head.width ?? 0, firstOf(text).length)), form);
  let width = 0;
  while (width < first.length && first[width] === whole[width]) width++;
  head.width = width;
  return whole;
}

/** A normalizer that only takes characters out or replaces them by one: the head is lost if the first one goes whole. */
function takingOut(normalize: (text: string) => string): Normalizer {
  return (text, head) => {
    if (head?.stays && text !== "") {
      const left = normalize(text.slice(0, Math.max(head.width ?? 0, firstOf(text).length)));
      if (left === "") head.stays = false;
      head.width = left.length;
    }
    return normalize(text);
  };
}

function strip(left: boolean, right: boolean): Normalizer {
  const classes = codePointClasses();
  const isSpace = (text: string, i: number) => (classes[text.charCodeAt(i)]! & SPACE) !== 0;
  return (text, head) => {
    let start = 0;
    let end = text.length;
    if (left) { while (start < end && isSpace(text, start)) start++; }
    if (right) { while (end > start && isSpace(text, end - 1)) end--; }
    if (head !== undefined && start > 0) {
      if (start >= (head.width ?? 1)) head.stays = false;
      head.width = (head.width ?? 1) - start;
    }
    return text.slice(start, end);
  };
}

/** A pattern of Replace and Split: a text as it stands, or a regular expression. */
export function patternOf(part: Json): RegExp {
  const pattern = object(part["pattern"], `the pattern of ${part["type"]}`);
  if (typeof pattern["String"] === "string") return literalRegex(pattern["String"]);
  if (typeof pattern["Regex"] === "string") return translateRegex(pattern["Regex"]);
  return refuse(`a pattern of ${part["type"]}`, JSON.stringify(pattern).slice(0, 80), "String or Regex");
}

function replace(part: Json): Normalizer {
  const content = setting(part, "content", "");
  const pattern = patternOf(part);
  const literal = object(part["pattern"], "the pattern")["String"];
  return (text, head) => {
    if (head === undefined && typeof literal === "string") return text.replaceAll(literal, () => content);
    const matches = findMatches(pattern, text);
    if (matches.length === 0) return text;
    // One character for another keeps its place; a longer match ends up where its last one stood.
    const first = matches[0] === 0 ? countCodePoints(text.slice(0, matches[1])) : 0;
    if (head !== undefined && (first > 1 || (first === 1 && content === ""))) head.stays = false;
    let result = "";
    let start = 0;
    for (let i = 0; i < matches.length; i += 2) {
      result += text.slice(start, matches[i]) + content;
      start = matches[i + 1]!;
    }
    return result + text.slice(start);
  };
}

function bertNormalizer(part: Json): Normalizer {
  const clean = setting(part, "clean_text", true, true);
  const ideographs = setting(part, "handle_chinese_chars", true, true);
  const lowercase = setting(part, "lowercase", true, true);
  const accents = setting(part, "strip_accents", true, lowercase);
  const cleaned = takingOut(cleanText);
  const unaccented = takingOut((text) => withoutClass(text, MARK));
  return (text, head) => {
    if (clean) text = cleaned(text, head);
    if (isAscii(text)) return lowercase ? text.toLowerCase() : text;
    if (ideographs) text = spaceIdeographs(text);
    if (accents) text = unaccented(formed(text, "NFD", head), head);
    return lowercase ? lowerCase(text) : text;
  };
}

/** Takes out control characters and makes every white space a plain one. */
function cleanText(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  const classes = codePointClasses();
  let cleaned = "";
  let start = 0;
  for (let i = 0; i < text.length;) {
    const code = text.codePointAt(i)!;
    const next = i + (code > 0xffff ? 2 : 1);
    const kind = classes[code]! & (REMOVE | SPACE);
    if (kind !== 0 && code !== 32) {
      cleaned += text.slice(start, i) + ((kind & REMOVE) !== 0 ? "" : " ");
      start = next;
    }
    i = next;
  }
  return start === 0 ? text : cleaned + text.slice(start);
}

function spaceIdeographs(text: string): string {
  const classes = codePointClasses();
  let spaced = "";
  let start = 0;
  for (let i = 0; i < text.length;) {
    const code = text.codePointAt(i)!;
    const next = i + (code > 0xffff ? 2 : 1);
    if ((classes[code]! & IDEOGRAPH) !== 0) {
      spaced += `${text.slice(start, i)} ${text.slice(i, next)} `;
      start = next;
    }
    i = next;
  }
  return start === 0 ? text : spaced + text.slice(start);
}
