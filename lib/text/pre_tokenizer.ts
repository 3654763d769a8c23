/**
 * Cutting a text into words: the pre-tokenizers of `tokenizer.json`.
 *
 * @module
 */
import { byteCharacters } from "./byte_level.ts";
import { type Json, list, object, refuse, setting } from "./definition.ts";
import { type Head, patternOf } from "./normalizer.ts";
import { type Behavior, behaviorOf, codePointMatches, pieces, regexMatches } from "./split.ts";
import { codePointClasses, codePointScripts, NUMBER, PUNCT, SPACE } from "./unicode/code_points.ts";

/** Cuts texts into words. */
export interface PreTokenizer {
  /** The words of each text, in order; none is empty. `head`: whether the first begins where the original does. */
  readonly split: (texts: readonly string[], head: Head) => string[];
  /** What is still to be done to each word: put off, because most words are known already. */
  readonly finish?: (word: string) => string;
  /** Whether it matters that the first text begins where the original does. */
  readonly heedsStart?: boolean;
}

const WORD = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}";
/** `\w` of the reference's other library for regular expressions. */
export const WORD_CHARACTER: RegExp = new RegExp(`[${WORD}]`, "v");
const WORDS = new RegExp(`[${WORD}]+|[^${WORD}\\p{White_Space}]+`, "gv");
const GPT2 = new RegExp(
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\p{White_Space}\\p{L}\\p{N}]+" +
    "|\\p{White_Space}+(?!\\P{White_Space})|\\p{White_Space}+",
  "gv",
);

/** The pre-tokenizer of a definition, or undefined where there is none. */
export function preTokenizerOf(definition: unknown): PreTokenizer | undefined {
  if (definition === null || definition === undefined) return undefined;
  const part = object(definition, "the pre-tokenizer");
  switch (part["type"]) {
    case "Sequence":
      return sequence(part);
    case "BertPreTokenizer":
      return { split: bertWords };
    case "WhitespaceSplit":
      return cutting(codePointMatches((code) => (codePointClasses()[code]! & SPACE) !== 0), "Removed");
    case "Whitespace":
      return { split: each((text) => text.match(WORDS) ?? [], (text) => !WORD_START.test(text)) };
    case "Punctuation": {
      const isPunctuation = (code: number) => (codePointClasses()[code]! & PUNCT) !== 0;
      return cutting(codePointMatches(isPunctuation), behaviorOf(part, "Isolated"));
    }
    case "Digits": {
      const isNumber = (code: number) => (codePointClasses()[code]! & NUMBER) !== 0;
      return cutting(
        codePointMatches(isNumber),
        setting(part, "individual_digits", true) ? "Isolated" : "Contiguous",
      );
    }
    case "CharDelimiterSplit": {
      const delimiter = setting(part, "delimiter", "").codePointAt(0);
      return cutting(codePointMatches((code) => code === delimiter), "Removed");
    }
    case "Split":
      return cutting(regexMatches(patternOf(part), setting(part, "invert", false, false)), behaviorOf(part));
    case "ByteLevel":
      return byteLevel(part);
    case "Metaspace":
      return metaspace(part);
    case "UnicodeScripts":
      return { split: each(scriptRuns, startsInAnyScript) };
    case "FixedLength": {
      const length = setting(part, "length", 5, 5);
      if (!(length > 0)) return refuse("FixedLength with such a length", String(length));
      return { split: each((text) => chunks(text, length)) };
    }
    default:
      return refuse(`the pre-tokenizer ${part["type"]}`, String(part["type"]));
  }
}

const WORD_START = new RegExp("^\\P{White_Space}", "v");

/** Words of each text by itself; `late` says whether a text's first word does not begin where the text does. */
function each(split: (text: string) => readonly string[], late?: (text: string) => boolean): PreTokenizer["split"] {
  return (texts, head) => {
    if (head.stays && late !== undefined && texts.length > 0 && late(texts[0]!)) head.stays = false;
    if (texts.length === 1) return split(texts[0]!) as string[];
    return texts.flatMap(split);
  };
}

/** Cuts by matches, what becomes of which the behaviour says. */
function cutting(matches: (text: string) => number[], behavior: Behavior): PreTokenizer {
  return {
    split: each(
      (text) => pieces(text, matches(text), behavior),
      (text) => {
        const parts = behavior === "Removed" ? matches(text) : [];
        return parts.some((_, i) => i % 3 === 0 && parts[i] === 0 && parts[i + 1] !== 0 && parts[i + 2] === 1);
      },
    ),
  };
}

function sequence(part: Json): PreTokenizer {
  const all = list(part["pretokenizers"], "the pre-tokenizers").map(preTokenizerOf).filter((one) => one !== undefined);
  const finish = all.at(-1)?.finish;
  return {
    split(texts, head) {
      for (const [i, one] of all.entries()) {
        texts = one.split(texts, head);
        if (one.finish !== undefined && i + 1 < all.length) texts = texts.map(one.finish);
      }
      return texts as string[];
    },
    heedsStart: all.some((one) => one.heedsStart),
    ...(finish === undefined ? {} : { finish }),
  };
}

/** White space is dropped, each punctuation mark is a word. */
function bertWords(texts: readonly string[], head: Head): string[] {
  const classes = codePointClasses();
  if (head.stays && texts.length > 0 && (classes[texts[0]!.charCodeAt(0)]! & SPACE) !== 0) head.stays = false;
  const words: string[] = [];
  for (const text of texts) {
    let start = 0;
    for (let i = 0; i < text.length;) {
      let code = text.charCodeAt(i);
      let next = i + 1;
      if ((code & 0xfc00) === 0xd800) {
        code = text.codePointAt(i)!;
        if (code > 0xffff) next++;
      }
      const kind = classes[code]! & (SPACE | PUNCT);
      if (kind !== 0) {
        if (i > start) words.push(text.slice(start, i));
        if ((kind & SPACE) === 0) words.push(text.slice(i, next));
        start = next;
      }
      i = next;
    }
    if (text.length > start) words.push(text.slice(start));
  }
  return words;
}

function byteLevel(part: Json): PreTokenizer {
  const prefix = setting(part, "add_prefix_space", true);
  const cuts = setting(part, "use_regex", true, true);
  return {
    split: each((text) => {
      const spaced = prefix && !text.startsWith(" ") ? ` ${text}` : text;
      return cuts ? spaced.match(GPT2) ?? [] : [spaced];
    }),
    finish: byteCharacters,
  };
}

const SCHEMES = ["always", "first", "never"];

function metaspace(part: Json): PreTokenizer {
  const mark = setting(part, "replacement", "");
  if ([...mark].length !== 1) return refuse("a replacement of Metaspace of this kind", mark, "one character");
  // Older files say add_prefix_space instead of prepend_scheme.
  let scheme = setting(part, "prepend_scheme", "", "always");
  if (!SCHEMES.includes(scheme)) return refuse("a prepend_scheme of this kind", scheme, SCHEMES.join(", "));
  if (part["add_prefix_space"] === false) {
    if (part["prepend_scheme"] !== "never" && part["prepend_scheme"] !== undefined) {
      return refuse("add_prefix_space against prepend_scheme", scheme);
    }
    scheme = "never";
  }
  const cuts = setting(part, "split", true, true);
  return {
    heedsStart: scheme === "first",
    split(texts, head) {
      const words: string[] = [];
      for (const [i, text] of texts.entries()) {
        let marked = text.replaceAll(" ", mark);
        const prepends = scheme === "always" || (scheme === "first" && i === 0 && head.stays);
        if (prepends && !marked.startsWith(mark)) marked = mark + marked;
        if (!cuts) {
          words.push(marked);
          continue;
        }
        for (let start = 0; start < marked.length;) {
          const next = marked.indexOf(mark, start + 1); // a first word without the mark may be shorter than it
          words.push(marked.slice(start, next < 0 ? marked.length : next));
          start = next < 0 ? marked.length : next;
        }
      }
      return words;
    },
  };
}

/** Runs of one script. What belongs to none goes with what stands before it, and is dropped before the first run. */
function scriptRuns(text: string): string[] {
  const scripts = codePointScripts();
  const runs: string[] = [];
  let start = -1;
  let last = 0;
  for (let i = 0; i < text.length;) {
    const code = text.codePointAt(i)!;
    const script = scripts[code]!;
    if (script !== 0 && script !== last) {
      if (start >= 0) runs.push(text.slice(start, i));
      start = i;
      last = script;
    }
    i += code > 0xffff ? 2 : 1;
  }
  if (start >= 0) runs.push(text.slice(start));
  return runs;
}

function startsInAnyScript(text: string): boolean {
  return codePointScripts()[text.codePointAt(0) ?? 32] === 0;
}

function chunks(text: string, length: number): string[] {
  const characters = [...text];
  const found: string[] = [];
  for (let i = 0; i < characters.length; i += length) found.push(characters.slice(i, i + length).join(""));
  return found;
}
