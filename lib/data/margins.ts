/**
 * Tuples of a query, a positive and negatives, with what a teacher says of them.
 *
 * @module
 */
import { DatasetError } from "../error.ts";
import { type ColumnMapping, findName, furtherNegatives, nameFor } from "./column_names.ts";
import { missing, numbers, texts } from "./columns.ts";
import type { Dataset, MarginRows } from "./dataset.ts";
import type { Table } from "./table_builder.ts";

/**
 * A table as tuples with margins, for margin-MSE: anchor, positive, negatives, and beside them either a column of margins
 * (numbers, or lists of one for each negative) or the teacher's scores of all documents (lists that begin with that of the
 * positive, or the columns `positive_score`, `negative_score`, … that `hard_negatives --output-scores` writes).
 *
 * @param table From {@linkcode readTable}.
 * @param mapping Which columns are meant. Default: those with names that are known.
 * @returns Texts by column, then `score`, `score_2`, …: as many as there are negatives, or one more.
 * @throws {DatasetError} A column is missing, or a value is not of its type: it names file and line.
 *
 * @example
 * ```ts
 * import { asMarginRows, readTable } from "@kindred/kindred/data";
 * import assert from "node:assert/strict";
 * const path = await Deno.makeTempFile({ suffix: ".csv" });
 * await Deno.writeTextFile(path, "anchor,positive,negative,positive_score,negative_score\nhot,warm,cold,0.9,0.2\n");
 * const { columns } = asMarginRows(await readTable(path));
 * assert.deepEqual(Object.keys(columns), ["anchor", "positive", "negative", "score", "score_2"]);
 * await Deno.remove(path);
 * ```
 */
export function asMarginRows(table: Table, mapping: ColumnMapping = {}): Dataset<MarginRows> {
  const further = furtherNegatives(table, mapping).map((role) => nameFor(table, role, mapping)!);
  const first = nameFor(table, "negative", mapping);
  const negatives = [...first === undefined ? [] : [first], ...further];
  const columns: Record<string, readonly string[] | Float64Array> = {
    anchor: texts(table, "anchor", mapping),
    positive: texts(table, "positive", mapping),
    negative: texts(table, "negative", { negative: negatives[0] ?? first ?? "negative" }),
  };
  const numbered = (name: string, place: number) => place === 0 ? name : `${name}_${place + 1}`;
  negatives.slice(1).forEach((name, i) => columns[numbered("negative", i + 1)] = texts(table, name));
  const taught = ["positive_score", ...negatives.map((name) => `${name}_score`)];
  if (taught.every((name) => table.names.includes(name))) {
    taught.forEach((name, place) => columns[numbered("score", place)] = numbers(table, name));
    return { columns: columns as MarginRows, rows: table.rows };
  }
  const name = nameFor(table, "score", mapping) ?? findName(table, "labels");
  const cells: readonly unknown[] | undefined = name === undefined ? undefined : table.columns.get(name);
  if (name === undefined) {
    const makes = "multiple_negatives_ranking --teacher MODEL makes scores, and hard_negatives --output-scores";
    throw missing(table, "score", `score, or ${taught.join(", ")}`, `; where there is none, ${makes}`);
  }
  if (!cells?.some(Array.isArray)) {
    columns["score"] = numbers(table, "score", { score: name });
    return { columns: columns as MarginRows, rows: table.rows };
  }
  const width = (cells[0] as unknown[]).length;
  cells.forEach((cell, row) => {
    const values = Array.isArray(cell) ? cell : [];
    if (values.length === width && values.every((value) => Number.isFinite(Number(value ?? NaN)))) return;
    throw new DatasetError(`${name} is not a list of numbers`, {
      where: table.where(row),
      expected: `${width} numbers, as in the first row`,
      found: `${cell}`.slice(0, 80),
    });
  });
  for (let place = 0; place < width; place++) {
    columns[numbered("score", place)] = Float64Array.from(cells, (cell) => Number((cell as unknown[])[place]));
  }
  return { columns: columns as MarginRows, rows: table.rows };
}
