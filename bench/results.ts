/**
 * Tables of bench/RESULTS.md that are written row by row: what was not measured anew stays as it was.
 *
 * @module
 */
import { head, line } from "./measure.ts";

/** A table, and what stands around it. */
export interface ResultTable {
  /** Its heading: with the processor, so that each has a table of its own. */
  readonly title: string;
  /** What stands above it. */
  readonly story: string;
  /** Its columns; the first names the row. */
  readonly columns: readonly string[];
  /** All rows, in their order. */
  readonly names: readonly string[];
}

/** Cells of a row, its name first; undefined where it could not be measured. */
export type MeasuredRow = readonly [name: string, cells: readonly string[] | undefined];

/** The lines of a table by their first cell. */
function linesOf(section: string): Map<string, string> {
  const lines = section.split("\n").filter((text) => text.startsWith("| "));
  return new Map(lines.map((text) => [text.split(" | ")[0]!.slice(2), text]));
}

/** A text with this table, in which these rows are new; those that were never measured are open, with their command. */
export function withRows(text: string, table: ResultTable, measured: readonly MeasuredRow[]): string {
  const { title, story, columns, names } = table;
  const start = text.indexOf(`## ${title}\n`);
  const next = start < 0 ? -1 : text.indexOf("\n## ", start);
  const section = start < 0 ? "" : text.slice(start, next < 0 ? undefined : next);
  const before = start < 0 ? `${text.trimEnd()}\n\n` : text.slice(0, start);
  const after = next < 0 ? "" : text.slice(next);
  const lines = linesOf(section);
  for (const [name, cells] of measured) if (cells !== undefined) lines.set(name, line(cells));
  const open = (name: string) => line([name, "open", ...columns.slice(3).map(() => ""), `\`--only "${name}"\``]);
  const body = [head(columns), ...names.map((name) => lines.get(name) ?? open(name))].join("\n");
  return `${before}## ${title}\n\n${story}\n\n${body}\n${after}`;
}

/** Writes rows into the file. */
export async function writeRows(table: ResultTable, measured: readonly MeasuredRow[]): Promise<void> {
  const path = new URL("./RESULTS.md", import.meta.url);
  await Deno.writeTextFile(path, withRows(await Deno.readTextFile(path), table, measured));
}

/** The rows that `--only` asks for: one by its name, or some groups; nothing asks for all. */
export function wantedRows<R extends { readonly name: string; readonly group: string }>(
  only: string,
  rows: readonly R[],
): readonly R[] {
  const named = rows.filter(({ name }) => name === only);
  if (only === "" || named.length > 0) return only === "" ? rows : named;
  const groups = new Set(rows.map(({ group }) => group));
  const asked = only.split(",");
  const unknown = asked.filter((group) => !groups.has(group));
  if (unknown.length > 0) throw new Error(`--only ${unknown}: neither a row nor one of ${[...groups].join(", ")}`);
  return rows.filter(({ group }) => asked.includes(group));
}
