/**
 * Rows of JSON: one object a line, an array of objects, or an object of columns as pandas writes it.
 *
 * @module
 */
import { DatasetError } from "../error.ts";
import { isObject } from "../expect.ts";
import { type Line, linesOf, textOf } from "./text_file.ts";

/** A row, and the line or the place in the array where it stands; or what is wrong with it. */
export type JsonRow = readonly [place: number, row: Readonly<Record<string, unknown>> | DatasetError];

/** Objects, one a line, piece by piece of the file as {@linkcode linesOf} gives them. Blank lines are left out. */
export async function* jsonLines(path: string): AsyncGenerator<Iterable<JsonRow>> {
  function* rows(lines: Iterable<Line>): Generator<JsonRow> {
    for (const [line, text] of lines) {
      if (text.trim() === "") continue;
      const row = parsed(text);
      yield [line, isObject(row) ? row : notAnObject(`${path}:${line}`, text)];
    }
  }
  for await (const lines of linesOf(path)) yield rows(lines);
}

/** Rows of a `.json` file, which is read as a whole; objects one a line are read as such. */
export async function* jsonRows(path: string): AsyncGenerator<Iterable<JsonRow>> {
  const texts = await Array.fromAsync(textOf(path));
  const text = join(path, texts);
  const value = parsed(text);
  if (Array.isArray(value)) {
    yield value.map((row, i) => [i + 1, isObject(row) ? row : notAnObject(`${path}:${i + 1}`, JSON.stringify(row))]);
  } else if (isObject(value)) {
    const columns = columnsOf(value);
    if (columns === undefined) yield [[1, value]];
    else yield columns;
  } else if (value === undefined && text.trimStart().startsWith("{")) yield* jsonLines(path);
  else {
    throw new DatasetError("the file is not JSON", {
      where: path,
      expected: "an array of objects, or an object on every line",
      found: text.slice(0, 80),
    });
  }
}

/** pandas' columns: `{name: {row: value}}`, or `{name: [value]}`; undefined if the object is a row itself. */
function columnsOf(value: Readonly<Record<string, unknown>>): JsonRow[] | undefined {
  const columns = Object.entries(value).map(([name, column]): readonly [string, unknown] => [
    name,
    isObject(column) ? Object.values(column) : column,
  ]);
  const [first] = columns;
  if (first === undefined || !columns.every(([, cells]) => Array.isArray(cells))) return undefined;
  const cells = columns as readonly (readonly [string, readonly unknown[]])[];
  const { length } = cells[0]![1];
  if (!cells.every(([, column]) => column.length === length)) return undefined;
  return Array.from({ length }, (_, row) => [row + 1, Object.fromEntries(cells.map(([name, c]) => [name, c[row]]))]);
}

function join(path: string, texts: readonly string[]): string {
  try {
    return texts.join("");
  } catch (error) {
    throw new DatasetError("the JSON file is too large to be read as a whole", {
      where: path,
      hint: "write one object on each line: .jsonl",
      cause: error,
    });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // no JSON has this value
  }
}

function notAnObject(where: string, text: string): DatasetError {
  return new DatasetError("a line is not a JSON object", {
    where,
    found: text.slice(0, 80),
    hint: "mend the line, or leave such lines out with --skip-bad-rows",
  });
}
