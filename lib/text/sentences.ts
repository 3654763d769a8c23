/**
 * Sentences of English text, by the rules of punkt (Kiss & Strunk 2006, "Unsupervised Multilingual Sentence Boundary
 * Detection", Computational Linguistics 32), which nltk splits with before it splits words.
 *
 * punkt learns its abbreviations and its knowledge of capitals from a corpus; the lists here are a short substitute for
 * English, so that nothing has to be downloaded. Where the two know the same words they decide the same.
 *
 * @module
 */

/** White space as Python's `\s` and `str.split()` see it. */
export const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";

/** Never the last word of a sentence by itself. Lower case, without the last period. */
const ABBREVIATIONS: ReadonlySet<string> = new Set(
  (
    "mr mrs ms messrs dr prof gen col maj lt adm sen rep reps st jr sr " + // titles; nltk's model has no Gov. or Rev.
    "jan feb aug sep sept oct nov dec tues wed fri " + // dates
    "inc corp co cos ltd bros cie ave vs ft yr mg chg " + // companies, places, measures
    "ala ariz calif colo conn fla ga kan ky mich minn nev okla ore pa tenn va vt wash wis" // states
  ).split(" "),
);
/** u.s, p.m, ph.d; nltk's model does not know e.g., i.e. and b.c. */
const DOTTED = /^(?!e\.g$|i\.e$|b\.c$)(?:\p{L}{1,2}\.)+\p{L}$/u;
/** An initial that is hardly ever a word. */
const LETTER = /^[c-hk-npr-tvw]$/;
/** Words that begin a sentence where they are capitalised, even after an abbreviation. */
const STARTERS: ReadonlySet<string> = new Set(
  (
    "according although among both but despite does even he her here however if in indeed instead it many meanwhile " +
    "moreover most nevertheless nonetheless nor nothing so some someone sometimes since similarly such the there " +
    "therefore these they this though through thus under unfortunately were when which while without yes yet your"
  ).split(" "),
);
/** Words that do after an initial, but not after an abbreviation (titles of works capitalise them within). */
const COMMON: ReadonlySet<string> = new Set(
  (
    "a after all also an and another any are as at because before by can could did do during each every few for from " +
    "his how is its like maybe my no nobody not now of on once one only or other our perhaps several she than that " +
    "their then those to today two until was we well what where who why will with would you"
  ).split(" "),
);

const CLOSERS = "\\u2018\\u2019\\u201c\\u201d\\xab\\xbb";
const NO_WORD = `[)";}\\]*:@'({\\[?!${CLOSERS}]`;
const SEVERAL = `(?:-{2,}|\\.{2,}|(?:\\.[${SPACE}]){2,}\\.)`;
/** A mark that may end a sentence, and what follows: a character that belongs to no word, or a word after space. */
const CANDIDATE = new RegExp(`[.?!](?=(?<after>${NO_WORD}|[${SPACE}]+(?<next>[^${SPACE}]+)))`, "gu");
const TOKEN = new RegExp(
  `${SEVERAL}|(?=[^("\`{\\[:;&#*@)}\\]\\-,])[^${SPACE}]+?` +
    `(?=[${SPACE}]|$|${NO_WORD}|${SEVERAL}|,(?=$|[${SPACE}]|${NO_WORD}|${SEVERAL}))|[^${SPACE}]`,
  "gu",
);
/** Quotes and brackets behind the mark, which belong to the sentence that it ends. */
const REALIGNED = new RegExp(`^["')\\]}${CLOSERS}]+?(?:[${SPACE}]+|(?=--)|$)`, "u");
const LAST_SPACE = /[ \t\n\r\v\f](?=[^ \t\n\r\v\f]*$)/;
const TRAILING = new RegExp(`(?<![${SPACE}])[${SPACE}]+$`, "u");

/**
 * The sentences of a text, without the space between them.
 *
 * @param text Any text.
 * @returns Its sentences, in their order.
 *
 * @example
 * ```ts
 * import { splitSentences } from "@kindred/kindred/text";
 * import assert from "node:assert/strict";
 * assert.deepEqual(splitSentences('Dr. Lee came at 9 a.m. to help. "Why?" he asked.'), [
 *   "Dr. Lee came at 9 a.m. to help.",
 *   '"Why?"',
 *   "he asked.",
 * ]);
 * ```
 */
export function splitSentences(text: string): string[] {
  const sentences: string[] = [];
  const slices = slicesOf(text);
  let moved = 0; // what of this slice went to the sentence before
  for (const [i, [start, end]] of slices.entries()) {
    const closing = i + 1 < slices.length ? REALIGNED.exec(text.slice(...slices[i + 1]!))?.[0] : undefined;
    const to = closing === undefined ? end : slices[i + 1]![0] + closing.replace(TRAILING, "").length;
    const sentence = text.slice(start + moved, to);
    if (sentence !== "") sentences.push(sentence);
    moved = closing?.length ?? 0;
  }
  return sentences;
}

/** Start and end of each sentence, closing marks not yet moved. */
function slicesOf(text: string): [number, number][] {
  const slices: [number, number][] = [];
  let start = 0;
  for (const { at, after, next } of candidatesOf(text)) {
    slices.push([start, at + 1]);
    start = next ? at + 1 + after.length - next.length : at + 1;
  }
  slices.push([start, text.replace(TRAILING, "").length]);
  return slices;
}

/** The marks that end a sentence. Of several within one word only the last can. */
function* candidatesOf(text: string): Generator<{ at: number; after: string; next: string | undefined }> {
  let wordStart = 0;
  let pending: { at: number; after: string; next: string | undefined; context: string } | undefined;
  for (const match of text.matchAll(CANDIDATE)) {
    const at = match.index;
    const from = pending?.at ?? 0;
    const space = LAST_SPACE.exec(text.slice(from, at))?.index ?? 0;
    if (space > 0) wordStart = from + space + 1;
    if (pending !== undefined && pending.at <= wordStart && endsSentence(pending.context)) yield pending;
    const { after, next } = match.groups as { after: string; next?: string };
    pending = { at, after, next, context: text.slice(wordStart, at + 1) + after };
  }
  if (pending !== undefined && endsSentence(pending.context)) yield pending;
}

/** Whether a word with a mark ends a sentence, by the word itself and by what follows. */
function endsSentence(context: string): boolean {
  const tokens = context.match(TOKEN) ?? [];
  return tokens.slice(0, -1).some((token, i) => isBreak(token, tokens[i + 1]!));
}

function isBreak(token: string, next: string): boolean {
  if (!token.endsWith(".")) return token === "?" || token === "!";
  const type = token.toLowerCase().slice(0, -1);
  const ellipsis = /^\.\.+$/.test(token);
  const initial = /^[\p{L}\p{Nl}\p{No}_]\.$/u.test(token);
  const abbreviation = !ellipsis && type !== "" && (isAbbreviation(type) || isAbbreviation(type.split("-").at(-1)!));
  const starts = startsSentence(next);
  if ((abbreviation || ellipsis) && !initial) return starts === true;
  if (abbreviation || token.endsWith("..")) return false;
  if (initial) return starts ?? (!/^\p{Lu}/u.test(next) || COMMON.has(next.toLowerCase()));
  return !(starts === false && /^-?[.,]?\p{Nd}[\p{Nd},.-]*$/u.test(type));
}

const isAbbreviation = (type: string) => ABBREVIATIONS.has(type) || LETTER.test(type) || DOTTED.test(type);

/** Whether a word is the first of a sentence, as far as one can tell by it. */
function startsSentence(word: string): boolean | undefined {
  if (/^[;:,.!?]$/.test(word) || /^\p{Ll}/u.test(word)) return false;
  return /^\p{Lu}/u.test(word) && STARTERS.has(word.toLowerCase().replace(/(?<=.)\.$/, "")) ? true : undefined;
}
