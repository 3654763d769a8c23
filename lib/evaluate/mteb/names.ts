/**
 * Names that are spelled like another.
 *
 * @module
 */

/** The few names that need the fewest edits (letters put in, left out or changed; case does not count). */
export function nearestNames(name: string, names: readonly string[], count = 3): readonly string[] {
  const wanted = name.toLowerCase();
  const ranked = names.map((candidate) => ({ candidate, edits: edits(wanted, candidate.toLowerCase()) }));
  return ranked.sort((a, b) => a.edits - b.edits).slice(0, count).map(({ candidate }) => candidate);
}

/** Levenshtein's distance; what a longer name has before or behind what was written counts a tenth. */
function edits(a: string, b: string): number {
  if (b.includes(a)) return (b.length - a.length) / 10;
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return Math.min(...row.map((distance, j) => distance + (b.length - j) / 10));
}
