/**
 * Candidates judged by a person: a CSV file to fill in, and back.
 *
 * @module
 */
import { counted } from "../counted.ts";
import { csvText, withoutApostrophe } from "../data/csv_text.ts";
import { listed } from "../data/column_mapping.ts";
import { readTable } from "../data/table.ts";
import type { Table } from "../data/table_builder.ts";
import { DatasetError } from "../error.ts";
import type { Candidates } from "./candidates.ts";

/** Columns of the file. `answers` is left empty: yes or no is written there, for each candidate that was judged. */
const COLUMNS = ["anchor", "positive", "candidate", "score", "answers"] as const;

/** One line of the file: the place of a candidate in the lists, and its texts. */
interface Line {
  readonly place: number;
  readonly texts: readonly [anchor: string, positive: string, candidate: string];
}

/**
 * Writes candidates to a new CSV file for a person to judge: does the candidate answer the anchor, as the positive
 * does? `yes` or `no` goes into the column `answers`. Rows may be sorted and some left open; texts stay as they are.
 *
 * @param candidates From {@linkcode findCandidates}.
 * @param path The file. One that is there already is not written over, since it may hold someone's work.
 * @returns The number of rows.
 * @throws {DatasetError} There is such a file already.
 */
export async function exportReview(candidates: Candidates, path: string): Promise<number> {
  const { scores } = candidates;
  const lines = linesOf(candidates);
  const text = csvText(COLUMNS, lines.map(({ texts, place }) => [...texts, scores[place]!, ""]));
  try {
    await Deno.writeTextFile(path, text, { createNew: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    throw new DatasetError("the file is there already, and may hold someone's verdicts", {
      where: path,
      hint: "read it, or choose another name",
    });
  }
  return lines.length;
}

/** Negatives and how they came about. */
export interface ReviewResult {
  /** The candidates that were judged not to answer, in their order. */
  readonly negatives: Candidates;
  /** How often each was said; `open` was left empty. */
  readonly verdicts: { readonly yes: number; readonly no: number; readonly open: number };
}

/**
 * Reads a file that {@linkcode exportReview} wrote for these candidates, and keeps those with `no`. Rows are found by
 * their texts, in any order.
 *
 * @param candidates Those that were written.
 * @param path The file, filled in.
 * @returns The negatives of every anchor, and how many candidates are yes, no and open.
 * @throws {DatasetError} A verdict other than yes and no, a text that is not among the candidates, a row that occurs
 *   twice or is missing: it names the row.
 */
export async function importReview(candidates: Candidates, path: string): Promise<ReviewResult> {
  const table = await readTable(path, { header: true });
  const columns = COLUMNS.map((name) => columnOf(table, name, path));
  const open = new Map(linesOf(candidates).map((line) => [keyOf(line.texts), line]));
  const seen = new Map<string, number>();
  const refused = new Set<number>(); // places of candidates that do not answer
  const verdicts = { yes: 0, no: 0, open: 0 };
  for (let row = 0; row < table.rows; row++) {
    const cells = columns.map((column) => column[row]!) as string[];
    const [anchor, positive, candidate] = cells.map(withoutApostrophe);
    const answers = cells[4];
    const key = keyOf([anchor!, positive!, candidate!]);
    const first = seen.get(key);
    if (first !== undefined) {
      throw new DatasetError("a row occurs twice", { where: `${table.where(row)} and ${table.where(first)}` });
    }
    const line = open.get(key);
    if (line === undefined) {
      throw new DatasetError("a row does not match any candidate: one of its texts was changed", {
        where: table.where(row),
        found: [anchor, positive, candidate].map((text) => JSON.stringify(text!.slice(0, 80))).join(", "),
        hint: "put the texts back as they were written, or write the file anew",
      });
    }
    seen.set(key, row);
    open.delete(key);
    const verdict = answers!.trim().toLowerCase() || "open";
    if (verdict !== "yes" && verdict !== "no" && verdict !== "open") {
      throw new DatasetError("a verdict cannot be read", {
        where: `${table.where(row)}, column answers`,
        expected: "yes, no, or nothing",
        found: JSON.stringify(answers),
      });
    }
    verdicts[verdict]++;
    if (verdict === "no") refused.add(line.place);
  }
  for (const { texts } of open.values()) {
    throw new DatasetError("rows are missing", {
      where: path,
      expected: `a row for ${texts.map((text) => JSON.stringify(text.slice(0, 80))).join(", ")}`,
      found: `${counted(table.rows, "row")}, ${open.size} missing`,
      hint: "leave the verdict empty instead of taking the row out",
    });
  }
  return { negatives: keep(candidates, refused), verdicts };
}

/** A column of texts: a file that was saved with other names has none. */
function columnOf(table: Table, name: string, path: string): readonly string[] {
  const column = table.columns.get(name);
  if (column !== undefined) return column as readonly string[];
  throw new DatasetError(`there is no column ${name}`, {
    where: path,
    expected: COLUMNS.join(", "),
    found: listed(table.names),
    hint: "save it as CSV, with its first line",
  });
}

function linesOf({ anchors, documents, offsets, positives, indices, counts, width }: Candidates): Line[] {
  const lines: Line[] = [];
  for (let i = 0; i < anchors.length; i++) {
    const positive = documents[positives[offsets[i]!]!]!;
    for (let place = i * width; place < i * width + counts[i]!; place++) {
      lines.push({ place, texts: [anchors[i]!, positive, documents[indices[place]!]!] });
    }
  }
  return lines;
}

/** Spreadsheets write their own line breaks. */
function keyOf(texts: readonly string[]): string {
  return JSON.stringify(texts.map((text) => text.replaceAll("\r\n", "\n")));
}

/** The candidates at these places. */
function keep(candidates: Candidates, places: ReadonlySet<number>): Candidates {
  const { anchors, width } = candidates;
  const indices = new Int32Array(anchors.length * width).fill(-1);
  const scores = new Float32Array(anchors.length * width).fill(-Infinity);
  const counts = new Int32Array(anchors.length);
  for (let i = 0; i < anchors.length; i++) {
    for (let place = i * width; place < i * width + candidates.counts[i]!; place++) {
      if (!places.has(place)) continue;
      const at = i * width + counts[i]!++;
      indices[at] = candidates.indices[place]!;
      scores[at] = candidates.scores[place]!;
    }
  }
  return { ...candidates, indices, scores, counts };
}
