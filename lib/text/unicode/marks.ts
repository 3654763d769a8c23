/**
 * Long runs of combining marks, put in order before the engine sees them.
 *
 * Engines sort the marks of a character by their class one by one, in time that grows with the square of their number: a
 * text of a million marks would take hours. Texts of no language have as many; somebody's texts do.
 *
 * @module
 */

/** Runs longer than this are sorted here. */
const LONG_RUN = /\p{M}{65,}/gu;

/** A character of class 1, and one of class 240: what is sorted between them shows its own class. */
const [LOWEST, HIGH] = ["\u0334", "\u0345"];

/** Whether the class of a mark is not 0: one of class 0 keeps its place, and all others stay on their side of it. */
function moves(mark: string): boolean {
  return (mark + LOWEST).normalize("NFD") !== mark + LOWEST || (HIGH + mark).normalize("NFD") !== HIGH + mark ||
    mark === LOWEST;
}

/** A text whose long runs of marks are in canonical order, each mark decomposed. Nothing else is changed. */
export function orderMarks(text: string): string {
  return text.replace(LONG_RUN, (run) => {
    const marks = Array.from(run, (mark) => mark.normalize("NFD")).flatMap((mark) => [...mark]);
    const kinds = [...new Set(marks)];
    const moving = kinds.filter(moves);
    // Of two marks the one of the lower class goes first; classes are equal where neither goes before the other.
    moving.sort((a, b) => (a + b).normalize("NFD") !== a + b ? 1 : (b + a).normalize("NFD") !== b + a ? -1 : 0);
    const classes = new Map<string, number>();
    let number = 0;
    for (const [i, mark] of moving.entries()) {
      const before = moving[i - 1];
      if (before !== undefined && (mark + before).normalize("NFD") !== mark + before) number++;
      classes.set(mark, number);
    }
    const ordered: string[] = [];
    let buckets: string[][] = [];
    const flush = () => {
      for (const bucket of buckets) for (const mark of bucket ?? []) ordered.push(mark);
      buckets = [];
    };
    for (const mark of marks) {
      const place = classes.get(mark);
      if (place === undefined) {
        flush();
        ordered.push(mark);
      } else (buckets[place] ??= []).push(mark);
    }
    flush();
    return ordered.join("");
  });
}
