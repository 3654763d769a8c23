/**
 * Names that are spelled like another.
 *
 * @module
 */
import { editDistances } from "../../text/edits.ts";

/** The few names that need the fewest edits (letters put in, left out or changed; case does not count). */
export function nearestNames(name: string, names: readonly string[], count = 3): readonly string[] {
  const wanted = name.toLowerCase();
  const ranked = names.map((candidate) => ({ candidate, edits: edits(wanted, candidate.toLowerCase()) }));
  return ranked.sort((a, b) => a.edits - b.edits).slice(0, count).map(({ candidate }) => candidate);
}

/** Levenshtein's distance; what a longer name has before or behind what was written counts a tenth. */
function edits(a: string, b: string): number {
  if (b.includes(a)) return (b.length - a.length) / 10;
  return Math.min(...editDistances(a, b).map((distance, j) => distance + (b.length - j) / 10));
}
