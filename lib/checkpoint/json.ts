/**
 * JSON whose whole numbers stay what they were: Python tells 2.0 from 2, and transformers refuses the one for the other.
 *
 * @module
 */

/** Names of an object's numbers that are written with a fraction though they are whole. Copied with the object. */
const FRACTIONS = Symbol("fractions");

type Marked = { [FRACTIONS]?: ReadonlySet<string> };

/** Parses a text; objects remember which of their whole numbers had a fraction. */
export function parseJson(text: string): unknown {
  return JSON.parse(text, function (this: Marked, key: string, value: unknown, context?: { readonly source?: string }) {
    if (Number.isInteger(value) && /[.eE]/.test(context?.source ?? "") && !Array.isArray(this)) {
      this[FRACTIONS] = new Set([...this[FRACTIONS] ?? [], key]);
    }
    return value;
  });
}

const raw = (JSON as unknown as { rawJSON: (text: string) => unknown }).rawJSON;

/** The text of a value, two spaces deep, with the fractions that were there. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, function (this: Marked, key: string, each: unknown) {
    return Number.isSafeInteger(each) && this[FRACTIONS]?.has(key) === true ? raw(`${each}.0`) : each;
  }, 2) + "\n";
}
