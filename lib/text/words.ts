/**
 * Words of English text and text of words, by the rules of nltk 3.10: `word_tokenize` (Treebank rules, each sentence by
 * itself) and `TreebankWordDetokenizer`. Without any download.
 *
 * The rules are regular expressions applied one after the other, in nltk's order. Python's classes are spelled out:
 * JavaScript's `\s`, `\d`, `\w` and `\b` mean other sets of characters.
 *
 * @module
 */
import { SPACE, splitSentences } from "./sentences.ts";

type Rules = readonly (readonly [RegExp, string])[];

const s = `[${SPACE}]`;
const w = "[\\p{L}\\p{N}_]";
const rule = (pattern: string, replacement: string, flags = "gu") => [new RegExp(pattern, flags), replacement] as const;

/** Two words written as one: cannot, d'ye, gimme, gonna, gotta, lemme, more'n, wanna. */
const CONTRACTIONS = [
  ["can", "not"],
  ["d", "'ye"],
  ["gim", "me"],
  ["gon", "na"],
  ["got", "ta"],
  ["lem", "me"],
  ["more", "'n"],
] as const;
/** The same two words with `between` them. */
const contractions = (between: string, replacement: string): Rules => [
  ...CONTRACTIONS.map(([a, b]) => rule(`(?<!${w})(${a})${between}(${b})(?!${w})`, replacement, "giu")),
  rule(`(?<!${w})(wan)${between}(na)(?=${s})`, replacement, "giu"),
];

const SPLIT: Rules = [
  // Quotes that open.
  rule("([«“‘„]|`+)", " $1 "),
  rule('^"', "``"),
  rule("(``)", " $1 "),
  rule("([ (\\[{<])(\"|'{2})", "$1 `` "),
  rule(`(?<!${w})(')(?!(?:re|ve|ll|m|t|s|d|n)(?!${w}))(?=${w})`, "$1 ", "giu"),
  // The last period, also before closing marks and space; punctuation.
  rule(`([^.])(\\.)(?=([\\])}>"'»”’ ]*))\\3${s}*$`, "$1 $2 $3 "),
  rule("([:,])([^\\p{Nd}])", " $1 $2"),
  rule("([:,])$", " $1 "),
  rule("\\.{2,}", " $& "),
  rule("[;@#$%&]", " $& "),
  rule("[\\u2012-\\u2015]", " $& "),
  rule(`([^.])(\\.)([\\])}>"']*)${s}*$`, "$1 $2$3 "),
  rule("[?!]", " $& "),
  rule("([^'])' ", "$1 ' "),
  rule("[*]", " $& "),
  rule("[\\]\\[(){}<>]", " $& "),
  rule("--", " -- "),
];
const SPLIT_PADDED: Rules = [
  // Quotes that close; clitics.
  rule("([»”’])", " $1 "),
  rule("''", " '' "),
  rule('"', " '' "),
  rule(`${s}+`, " "),
  rule("([^' ])('[sS]|'[mM]|'[dD]|') ", "$1 $2 "),
  rule("([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) ", "$1 $2 "),
  ...contractions("", " $1 $2 "),
  rule(` ('t)(is|was)(?!${w})`, " $1 $2 ", "giu"),
];

const JOIN_PADDED: Rules = [
  rule(` ('t)${s}(is|was)(?!${w})`, "$1$2", "giu"),
  ...contractions(s, "$1$2"),
  rule(`([^' ])${s}('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) `, "$1$2 "),
  rule(`([^' ])${s}('[sS]|'[mM]|'[dD]|') `, "$1$2 "),
  rule(`([^'${SPACE}])${s}('')`, "$1$2"),
  rule(`([,.;:!?'])${s}+("|'')`, "$1$2"),
  rule(`('')${s}([.,:)\\]>};%])`, "$1$2"),
  rule("''", '"'),
  rule("([,.;:!?])\"(')", '$1$2"'),
];
const JOIN: Rules = [
  rule(" -- ", "--"),
  rule(`([\\[({<])${s}`, "$1"),
  rule(`${s}([\\])}>])`, "$1"),
  rule(`([\\])}>])${s}([:;,.])`, "$1$2"),
  rule(`([^'])${s}'${s}`, "$1' "),
  rule(`${s}([?!])`, "$1"),
  rule(`([^.])${s}(\\.)(?!\\.)([\\])}>"']*)`, "$1$2$3"),
  rule(`([#$])${s}`, "$1"),
  rule(`${s}([;%])`, "$1"),
  rule(`${s}\\.\\.\\.${s}`, "..."),
  rule(`${s}([:,])`, "$1"),
  rule(`([ (\\[{<])${s}\`\``, "$1``"),
  rule(`(\`\`)${s}`, "$1"),
  rule("``", '"'),
];

const apply = (rules: Rules, text: string) =>
  rules.reduce((result, [pattern, replacement]) => result.replace(pattern, replacement), text);
const SPACES = new RegExp(`${s}+`, "u");
const ENDS = new RegExp(`^${s}+|${s}+$`, "gu");

/**
 * The words of a text, as nltk's `word_tokenize`: punctuation and clitics are words of their own, quotes become ``
 * and ''. A text without words has none.
 *
 * @param text Any text.
 * @returns Its words, in their order.
 *
 * @example
 * ```ts
 * import { splitWords } from "@kindred/kindred/text";
 * import assert from "node:assert/strict";
 * assert.deepEqual(splitWords("He can't pay $5. Why?"), ["He", "ca", "n't", "pay", "$", "5", ".", "Why", "?"]);
 * ```
 */
export function splitWords(text: string): string[] {
  return splitSentences(text).flatMap((sentence) =>
    apply(SPLIT_PADDED, ` ${apply(SPLIT, sentence)} `).split(SPACES).filter((word) => word !== "")
  );
}

/**
 * The text of words, as nltk's `TreebankWordDetokenizer`. Not the inverse of {@linkcode splitWords} in all cases:
 * whether a quote opened or closed, and what space there was, is guessed.
 *
 * @param words From {@linkcode splitWords}, or some of them.
 * @returns The text.
 *
 * @example
 * ```ts
 * import { joinWords } from "@kindred/kindred/text";
 * import assert from "node:assert/strict";
 * assert.equal(joinWords(["He", "ca", "n't", "pay", "$", "5", ".", "Why", "?"]), "He can't pay $5. Why?");
 * ```
 */
export function joinWords(words: readonly string[]): string {
  const text = apply(JOIN_PADDED, ` ${words.join(" ")} `).replace(ENDS, "");
  return apply(JOIN, text).replace(ENDS, "");
}
