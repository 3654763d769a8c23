/**
 * Lower case and normal forms, code point by code point as the reference does them.
 *
 * @module
 */
import { classRanges, isAscii } from "./code_points.ts";
import { orderMarks } from "./marks.ts";
import { INERT, LOWERCASE } from "./tables.ts";

const lowered = new Map(LOWERCASE);
const CAPITALS = new RegExp(`[${LOWERCASE.map(([capital]) => capital).join("")}]`, "gu");

/** Lower case without regard to neighbours: Σ is σ at the end of a word too. */
export function lowerCase(text: string): string {
  if (isAscii(text)) return text.toLowerCase();
  return text.replaceAll("\u03a3", "\u03c3").toLowerCase().replace(CAPITALS, (capital) => lowered.get(capital)!);
}

/** The forms of Unicode. */
export type NormalForm = "NFC" | "NFD" | "NFKC" | "NFKD";

let inert: RegExp | undefined;

/** A normal form. What the reference's older tables do not know stands between its neighbours and changes nothing. */
export function normalForm(text: string, form: NormalForm): string {
  if (isAscii(text)) return text;
  inert ??= new RegExp(`([${classRanges(INERT)}])`, "u");
  if (!inert.test(text)) return orderMarks(text).normalize(form);
  return text.split(inert).map((part, i) => i % 2 === 1 ? part : orderMarks(part).normalize(form)).join("");
}
