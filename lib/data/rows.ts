/**
 * Rows of datasets: picking, joining, deduplicating.
 *
 * @module
 */
import { counted } from "../counted.ts";
import { DatasetError } from "../error.ts";
import type { Column, Dataset } from "./dataset.ts";

/** Columns as any dataset has them. */
export type Columns = { readonly [name: string]: Column };

/**
 * A dataset of these columns, which must be equally long.
 *
 * @param columns By name; they must be equally long.
 * @returns The dataset.
 * @throws {DatasetError} Columns of unequal length, or ones that are neither texts nor typed numbers.
 */
export function datasetOf<C extends Columns>(columns: C): Dataset<C> {
  for (const [name, column] of Object.entries(columns)) checkColumn(name, column);
  const lengths = Object.entries(columns).map(([name, { length }]) => `${name} ${length}`);
  const rows = Object.values(columns)[0]?.length ?? 0;
  if (Object.values(columns).some(({ length }) => length !== rows)) {
    throw new DatasetError("columns differ in length", {
      expected: `${counted(rows, "row")} each`,
      found: lengths.join(", "),
    });
  }
  return { columns, rows };
}

/** Refuses what a script without types may hand over, before it is cut into letters or fails where it is written. */
function checkColumn(name: string, column: unknown): void {
  if (column instanceof Float64Array || column instanceof Int32Array) return;
  const row = Array.isArray(column) ? column.findIndex((text) => typeof text !== "string") : undefined;
  if (row === -1) return;
  const where = row === undefined ? `column ${name}` : `column ${name}, row ${row + 1}`;
  const found = row === undefined ? column : (column as unknown[])[row];
  throw new DatasetError("a column must be a list of texts, or of typed numbers", {
    where,
    expected: row === undefined ? "a list" : "a text",
    found: found === null || found === undefined ? "nothing" : typeof found,
  });
}

/**
 * The named rows, in the order of `rows`.
 *
 * @param dataset Any dataset.
 * @param rows Row numbers, from 0.
 * @returns These rows, in the order of `rows`.
 *
 * @example
 * ```ts
 * import { datasetOf, selectRows } from "@kindred/kindred/data";
 * import assert from "node:assert/strict";
 * const texts = datasetOf({ text: ["a", "b", "c"] });
 * assert.deepEqual(selectRows(texts, [2, 0]).columns.text, ["c", "a"]);
 * ```
 */
export function selectRows<C extends Columns>(dataset: Dataset<C>, rows: ArrayLike<number>): Dataset<C> {
  const columns = Object.entries(dataset.columns).map(([name, column]) => [name, selectColumn(column, rows)]);
  return { columns: Object.fromEntries(columns) as C, rows: rows.length };
}

function selectColumn(column: Column, rows: ArrayLike<number>): Column {
  if (column instanceof Float64Array) return Float64Array.from(rows, (row) => column[row]!);
  if (column instanceof Int32Array) return Int32Array.from(rows, (row) => column[row]!);
  return Array.from(rows, (row) => column[row]!);
}

/**
 * The first `limit` rows.
 *
 * @param dataset Any dataset.
 * @param limit How many rows at most.
 * @returns Its beginning.
 */
export function firstRows<C extends Columns>(dataset: Dataset<C>, limit: number): Dataset<C> {
  return limit >= dataset.rows ? dataset : selectRows(dataset, Array.from({ length: limit }, (_, row) => row));
}

/**
 * Keeps the first of rows that are equal.
 *
 * @param dataset Any dataset.
 * @param names Columns that are compared. Default: all.
 * @returns What is left, and how many rows were dropped.
 *
 * @example
 * ```ts
 * import { datasetOf, dedupe } from "@kindred/kindred/data";
 * import assert from "node:assert/strict";
 * const pairs = datasetOf({ anchor: ["a", "a", "b"], positive: ["x", "y", "x"] });
 * assert.deepEqual(dedupe(pairs, ["anchor"]).dataset.columns, { anchor: ["a", "b"], positive: ["x", "x"] });
 * ```
 */
export function dedupe<C extends Columns>(
  dataset: Dataset<C>,
  names: readonly (keyof C & string)[] = Object.keys(dataset.columns),
): { readonly dataset: Dataset<C>; readonly dropped: number } {
  const columns = names.map((name) => dataset.columns[name]!);
  const seen = new Set<string>();
  const kept: number[] = [];
  for (let row = 0; row < dataset.rows; row++) {
    const key = JSON.stringify(columns.map((column) => column[row]));
    if (seen.has(key)) continue;
    seen.add(key);
    kept.push(row);
  }
  const dropped = dataset.rows - kept.length;
  return { dataset: dropped === 0 ? dataset : selectRows(dataset, kept), dropped };
}
