/**
 * Tables for the terminal, none wider than 80 columns.
 *
 * @module
 */
import { wrap } from "./help.ts";

/** A table that the report shows and holds: steps of an adaptation, settings that were compared, … */
export interface ReportTable {
  /** Its heading. */
  readonly title: string;
  /** Names of the columns; the first is that of the rows. */
  readonly columns: readonly string[];
  /** Rows. */
  readonly rows: readonly (readonly (string | number | null)[])[];
}

/** Columns of a terminal that nobody has widened. */
const WIDTH = 80;
const INDENT = "    ";
/** Lines of a heading at most: what is longer is a text. */
const TALLEST = 5;
/** Lines of a text at most. */
const TEXT_LINES = 3;

/** A cell of a table. */
type Cell = ReportTable["rows"][number][number];

/**
 * A table for the terminal. One that is too wide has its headings folded, then, if it is of numbers, rows and columns
 * change places; otherwise each row becomes a paragraph.
 *
 * @param table Title, names of columns, rows.
 * @returns Lines of at most 80 columns.
 */
export function tableLines({ title, columns, rows }: ReportTable): string[] {
  const ofText = columns.map((_, j) => rows.some((row) => isText(row[j])));
  // One number with decimals gives them to all of its column.
  const digits = columns.map((_, j) =>
    rows.every((row) => typeof row[j] !== "number" || Number.isInteger(row[j])) ? 0 : 4
  );
  const cells = rows.map((row) => columns.map((_, j) => shown(row[j], digits[j]!)));
  const turned = {
    columns: ["", ...cells.map((row) => row[0]!)],
    cells: columns.slice(1).map((name, j) => [name, ...cells.map((row) => row[j + 1]!)]),
  };
  const layouts = [
    () => grid(columns.map((name) => [name]), cells, ofText),
    () => grid(columns.map(fold), cells, ofText),
    ...(ofText.some((isText, j) => isText && j > 0) || turned.columns.some((name) => fold(name).length > TALLEST)
      ? []
      : [() => grid(turned.columns.map(fold), turned.cells, turned.columns.map(() => false))]),
  ];
  for (const layout of layouts) {
    const lines = layout();
    if (lines.every((line) => line.length <= WIDTH)) return [`  ${title}`, ...lines];
  }
  return [`  ${title}`, ...paragraphs(columns, cells)];
}

/** Whether a cell is words, and not a number that was written down already. */
const isText = (value: Cell | undefined) =>
  typeof value === "string" && value !== "" && !/^([−-]?[\d.]+|–)$/.test(value);

function shown(value: Cell | undefined, digits: number): string {
  if (value === null || value === undefined) return "";
  if (Number.isNaN(value)) return "–";
  return typeof value === "number" ? value.toFixed(digits) : inOneLine(value);
}

/** A text of the user's on one line: what would break it, or tell the terminal something, is a space. */
const inOneLine = (text: string) => text.replaceAll(/[\s\p{Cc}]+/gu, " ");

/**
 * A text of the user's between what stands before and after it, in lines of at most 80 columns.
 *
 * @param before What stands before it, and is as wide in the lines below.
 * @param text Any text. The terminal shows three lines of it, the last of which says by an ellipsis that there are more.
 * @param after What stands after it: on a line of its own where there is no room.
 * @returns The lines.
 */
export function textLines(before: string, text: string, after = ""): string[] {
  const width = WIDTH - before.length - 1;
  const words = inOneLine(text).split(" ").flatMap((word) => word.match(new RegExp(`.{1,${width}}`, "gu")) ?? [""]);
  const lines = wrap(words.join(" "), width);
  const cut = lines.length > TEXT_LINES ? [...lines.slice(0, TEXT_LINES - 1), `${lines[TEXT_LINES - 1]}…`] : lines;
  if (after !== "" && cut.at(-1)!.length + after.length <= width) cut.push(`${cut.pop()}${after}`);
  else if (after !== "") cut.push(after.trimStart());
  return cut.map((line, i) => `${i === 0 ? before : " ".repeat(before.length)}${line}`.trimEnd());
}

/** A sentence of a report in lines of at most 80 columns. */
export const sentenceLines = (sentence: string): string[] =>
  wrap(sentence, WIDTH - INDENT.length).map((line, i) => `${i === 0 ? "  " : INDENT}${line}`);

/** A heading in as many lines as it has words, so that it is hardly wider than its column. */
const fold = (name: string) => name.split(" ");

/** Columns side by side below their headings; words to the left, numbers to the right. */
function grid(
  headings: readonly (readonly string[])[],
  cells: readonly (readonly string[])[],
  ofText: readonly boolean[],
): string[] {
  const height = Math.max(...headings.map((lines) => lines.length));
  const above = Array.from(
    { length: height },
    (_, i) => headings.map((lines) => lines[i - height + lines.length] ?? ""),
  );
  const all = [...above, ...cells];
  const widths = headings.map((_, j) => Math.max(...all.map((row) => (row[j] ?? "").length)));
  return all.map((row) =>
    (INDENT + row.map((value, j) => {
      if (j === 0) return value.padEnd(widths[0]!);
      return ofText[j] ? `  ${value.padEnd(widths[j]!)}` : value.padStart(widths[j]! + 2);
    }).join("")).trimEnd()
  );
}

/** Each row as lines of a name and a value, with a line between two rows. */
function paragraphs(columns: readonly string[], cells: readonly (readonly string[])[]): string[] {
  const width = Math.min(24, Math.max(...columns.map((name) => name.length)));
  const indent = INDENT.length + width + 2;
  return cells.flatMap((row, i) => [
    ...(i === 0 ? [] : [""]),
    ...row.flatMap((value, j) =>
      wrap(value, WIDTH - indent).map((line, k) =>
        `${INDENT}${(k === 0 ? columns[j]! : "").padEnd(width)}  ${line}`.trimEnd()
      )
    ),
  ]);
}
