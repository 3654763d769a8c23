/**
 * Grapheme clusters: what a reader takes for one character.
 *
 * @module
 */

/** Characters that may stand in one cluster with a neighbour. Without any, each code point is a cluster. */
const JOINING = new RegExp(
  "[\\r\\p{Grapheme_Extend}\\p{M}\\p{Cf}\\p{Emoji_Modifier}\\p{Regional_Indicator}\\p{Extended_Pictographic}" +
    "\\u0e33\\u0eb3\\u1100-\\u11ff\\ua960-\\ua97f\\ud7b0-\\ud7ff\\u0d4e\\u{11941}\\u{1193f}\\u{111c2}\\u{111c3}" +
    "\\u{113d1}\\u{11a3a}\\u{11a84}-\\u{11a89}\\u{11d46}\\u{11f02}]",
  "v",
);

let segmenter: Intl.Segmenter | undefined;

/** The clusters of a text, in order. */
export function graphemes(text: string): Iterable<string> {
  if (!JOINING.test(text)) return text;
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}
