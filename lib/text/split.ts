/**
 * Cutting a text at what matches, and the five things that can become of a match.
 *
 * @module
 */
import { type Json, refuse, setting } from "./definition.ts";
import { findMatches } from "./regex.ts";

const BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"] as const;

/** What becomes of a match. */
export type Behavior = typeof BEHAVIORS[number];

/** The behaviour that a definition names. */
export function behaviorOf(part: Json, fallback?: Behavior): Behavior {
  const name = setting(part, "behavior", "", fallback) as Behavior;
  return BEHAVIORS.includes(name) ? name : refuse("a behavior of this kind", name, BEHAVIORS.join(", "));
}

// Matches are a list of numbers, three for each part of the text: start, end, and 1 where it matched. The parts cover
// the text in order.

/** Parts by a test of each code point; every one that passes is a match of its own. */
export function codePointMatches(test: (code: number) => boolean): (text: string) => number[] {
  return (text) => {
    const parts: number[] = [];
    let start = 0;
    for (let i = 0; i < text.length;) {
      const code = text.codePointAt(i)!;
      const next = i + (code > 0xffff ? 2 : 1);
      if (test(code)) {
        if (start < i) parts.push(start, i, 0);
        parts.push(i, next, 1);
        start = next;
      }
      i = next;
    }
    if (start < text.length) parts.push(start, text.length, 0);
    return parts;
  };
}

/** Parts by a regular expression; `invert` takes what does not match for what does. */
export function regexMatches(regex: RegExp, invert: boolean): (text: string) => number[] {
  const [hit, miss] = invert ? [0, 1] : [1, 0];
  return (text) => {
    const parts: number[] = [];
    const found = findMatches(regex, text);
    let start = 0;
    for (let i = 0; i < found.length; i += 2) {
      if (start < found[i]!) parts.push(start, found[i]!, miss);
      parts.push(found[i]!, found[i + 1]!, hit);
      start = found[i + 1]!;
    }
    if (start < text.length) parts.push(start, text.length, miss);
    return parts;
  };
}

/** The pieces of a text by its parts; empty ones are left out. */
export function pieces(text: string, parts: readonly number[], behavior: Behavior): string[] {
  const found: string[] = [];
  const add = (start: number, end: number) => {
    if (end > start) found.push(text.slice(start, end));
  };
  let before = 0; // whether the part before matched
  let start = 0; // of a piece that may still grow
  let end = 0;
  switch (behavior) {
    case "Isolated":
      for (let i = 0; i < parts.length; i += 3) add(parts[i]!, parts[i + 1]!);
      return found;
    case "Removed":
      for (let i = 0; i < parts.length; i += 3) if (parts[i + 2] === 0) add(parts[i]!, parts[i + 1]!);
      return found;
    case "Contiguous":
    case "MergedWithPrevious":
      for (let i = 0; i < parts.length; i += 3) {
        const match = parts[i + 2]!;
        const merges = behavior === "Contiguous" ? match === before : match === 1 && before === 0;
        if (!(merges && i > 0)) {
          add(start, end);
          start = parts[i]!;
        }
        end = parts[i + 1]!;
        before = match;
      }
      add(start, end);
      return found;
    case "MergedWithNext":
      start = end = text.length;
      for (let i = parts.length - 3; i >= 0; i -= 3) {
        const match = parts[i + 2]!;
        if (!(match === 1 && before === 0 && i < parts.length - 3)) {
          add(start, end);
          end = parts[i + 1]!;
        }
        start = parts[i]!;
        before = match;
      }
      add(start, end);
      return found.reverse();
  }
}
