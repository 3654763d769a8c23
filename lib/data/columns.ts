/**
 * From a table to the typed columns that a loss or an evaluation wants.
 *
 * @module
 */
import { counted } from "../counted.ts";
import { DatasetError } from "../error.ts";
import { nearestName } from "../text/edits.ts";
import { columnText, listed } from "./column_mapping.ts";
import { type ColumnMapping, findName, furtherNegatives, isNamed, nameFor, namesOf } from "./column_names.ts";
import type { Dataset, LabelledPairs, LabelledTexts, Pairs, ScoredPairs, Triplets } from "./dataset.ts";
import type { Cell, Table } from "./table_builder.ts";

/** `called`: what the role is called where columns are mapped. */
function find(
  table: Table,
  role: string,
  mapping: ColumnMapping,
  called: string = role,
): readonly Cell[] | undefined {
  const name = nameFor(table, role, mapping);
  const column = name === undefined ? undefined : table.columns.get(name);
  // A name that the file lacks is one that was mapped.
  if (name !== undefined && column === undefined) {
    throw missing(table, called, columnText(name), suggestion(table, name));
  }
  return column;
}

/**
 * Names of the file's columns that are read as these of ours.
 *
 * @param table From {@linkcode readTable}.
 * @param roles Our names of columns.
 * @param mapping Which columns are meant. Default: those with names that are known.
 * @returns The file's name by ours; `column 2` where the file has no names.
 *
 * @example
 * ```ts
 * import { readTable, usedColumns } from "@kindred/kindred/data";
 * import assert from "node:assert/strict";
 * const path = await Deno.makeTempFile({ suffix: ".csv" });
 * await Deno.writeTextFile(path, "id,question,answer\n1,who?,me\n");
 * const used = usedColumns(await readTable(path), ["anchor", "positive"]);
 * assert.deepEqual(used, { anchor: "question", positive: "answer" });
 * await Deno.remove(path);
 * ```
 */
export function usedColumns(
  table: Table,
  roles: readonly string[],
  mapping: ColumnMapping = {},
): Readonly<Record<string, string>> {
  const used: Record<string, string> = {};
  for (const role of roles) {
    const name = nameFor(table, role, mapping);
    if (name !== undefined) used[role] = table.header ? name : `column ${name}`;
  }
  return used;
}

/** An error: the table has no such column; `more` is a further hint. */
export function missing(table: Table, role: string, wanted = namesOf(role).join(" or "), more = ""): DatasetError {
  const [name] = table.names;
  return new DatasetError(`there is no column for ${role}`, {
    where: table.where(0).replace(/:\d+$/, ""),
    expected: wanted,
    found: table.header
      ? listed(table.names)
      : `${counted(table.names.length, "column")} without names; the first row: ${listed(firstCells(table))}`,
    hint:
      (table.header ? `map one with --columns ${role}=NAME` : `map one by its number, with --columns ${name}=${role}`) +
      more,
  });
}

/** What stands in the first row: it may have been taken for data, and be names. */
const firstCells = (table: Table) => table.names.map((name) => `${table.columns.get(name)?.[0] ?? ""}`.slice(0, 40));

/** The column that was probably meant by a name that is none, as the end of a hint. */
function suggestion(table: Table, name: string): string {
  const names = table.header ? table.names : firstCells(table);
  const lower = name.toLowerCase();
  const meant = names.find((each) => each.toLowerCase() === lower) ?? nearestName(name, names);
  return meant === undefined ? "" : `; did you mean ${columnText(meant)}?`;
}

/** A cell in an error: cut, and with the integers that JSON does not know. */
function shown(value: Cell): string {
  const isNumber = typeof value === "bigint" || typeof value === "number"; // NaN too
  let text: string;
  try {
    text = isNumber ? `${value}` : JSON.stringify(value) ?? "nothing";
  } catch {
    text = "a nested value"; // with integers that JSON does not know
  }
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** A column of texts; every row must have one. */
export function texts(table: Table, name: string, mapping: ColumnMapping = {}): readonly string[] {
  const column = find(table, name, mapping);
  if (column === undefined) throw missing(table, name);
  column.forEach((value, row) => {
    if (typeof value !== "string") {
      const isEmpty = value === null || value === undefined;
      throw new DatasetError(isEmpty ? `${name} has no text` : `${name} is not a text`, {
        where: table.where(row),
        expected: "a text",
        found: isEmpty ? "an empty cell" : shown(value),
        hint: isEmpty ? "leave the row out of the file, or write an empty text" : "write it as text, in quotes",
      });
    }
  });
  return column as readonly string[];
}

/** A column of numbers, read from text where the file has text. */
export function numbers(table: Table, name: string, mapping: ColumnMapping = {}): Float64Array {
  const column = find(table, name, mapping);
  if (column === undefined) throw missing(table, name);
  return Float64Array.from(column, (value, row) => {
    const number = typeof value === "string" && value.trim() === "" ? NaN : Number(value ?? NaN);
    if (Number.isFinite(number)) return number;
    throw new DatasetError(`${name} is not a number`, {
      where: table.where(row),
      expected: "a number",
      found: shown(value),
      ...(typeof value === "string" && /^-?\d+,\d+$/.test(value) && { hint: "write a point: 0.5 instead of 0,5" }),
    });
  });
}

/** Names of the classes of natural-language inference. */
const NLI_CLASSES: ReadonlyMap<string, number> = new Map([
  ["entailment", 0],
  ["neutral", 1],
  ["contradiction", 2],
  ["-", -1],
]);

/**
 * A table as pairs with an NLI class. Rows with label −1 (not annotated) are left out and counted.
 *
 * @param table From {@linkcode readTable}.
 * @param mapping Which columns are meant. Default: those with names that are known, such as premise, hypothesis,
 *   label.
 * @returns The dataset, and how many rows were left out.
 * @throws {DatasetError} A column is missing, or a value is not of its type: it names file and line.
 */
export function asLabelledPairs(
  table: Table,
  mapping: ColumnMapping = {},
): { dataset: Dataset<LabelledPairs>; dropped: number } {
  const premise = texts(table, "premise", mapping);
  const hypothesis = texts(table, "hypothesis", mapping);
  const column = find(table, "label", mapping);
  if (column === undefined) throw missing(table, "label");
  const classes = column.map((value, row) => {
    const name = typeof value === "string" ? value.trim().toLowerCase() : undefined;
    // SNLI writes "-" where its annotators did not agree.
    const label = name === undefined ? Number(value ?? NaN) : name === "" ? NaN : NLI_CLASSES.get(name) ?? Number(name);
    if ([-1, 0, 1, 2].includes(label)) return label;
    throw new DatasetError("the label is not known", {
      where: table.where(row),
      expected: "0 or entailment, 1 or neutral, 2 or contradiction; −1 or - for none",
      found: shown(value),
    });
  });
  const kept = classes.flatMap((label, row) => label < 0 ? [] : [row]);
  const dataset = {
    columns: {
      premise: kept.map((row) => premise[row]!),
      hypothesis: kept.map((row) => hypothesis[row]!),
      label: Int32Array.from(kept, (row) => classes[row]!),
    },
    rows: kept.length,
  };
  if (dataset.rows === 0) throw new DatasetError("no row has a label", { where: table.where(0) });
  return { dataset, dropped: classes.length - kept.length };
}

/**
 * A table as pairs with a similarity.
 *
 * @param table From {@linkcode readTable}.
 * @param mapping Which columns are meant. Default: those with names that are known, such as sentence1, sentence2,
 *   score.
 * @returns The dataset.
 * @throws {DatasetError} A column is missing, or a value is not of its type: it names file and line.
 *
 * @example
 * ```ts
 * import { asScoredPairs, readTable } from "@kindred/kindred/data";
 * import assert from "node:assert/strict";
 * const path = await Deno.makeTempFile({ suffix: ".csv" });
 * await Deno.writeTextFile(path, "sentence1,sentence2,score\na man eats,someone eats,4.5\n");
 * const { columns } = asScoredPairs(await readTable(path));
 * assert.deepEqual([columns.sentence2[0], columns.score[0]], ["someone eats", 4.5]);
 * await Deno.remove(path);
 * ```
 */
export function asScoredPairs(table: Table, mapping: ColumnMapping = {}): Dataset<ScoredPairs> {
  const columns = {
    sentence1: texts(table, "sentence1", mapping),
    sentence2: texts(table, "sentence2", mapping),
    score: numbers(table, "score", mapping),
  };
  return { columns, rows: table.rows };
}

/**
 * A table as pairs, or as triplets where there is a column of negatives; further ones, `negative_2` and so on, come
 * behind it. A label or a score would be ignored, and is an error.
 *
 * @param table From {@linkcode readTable}.
 * @param mapping Which columns are meant. Default: those with names that are known, such as anchor, positive,
 *   negative.
 * @returns The dataset.
 * @throws {DatasetError} A column is missing, a value is not of its type, or there is a column that would be ignored.
 */
export function asPairsOrTriplets(table: Table, mapping: ColumnMapping = {}): Dataset<Pairs> | Dataset<Triplets> {
  const anchor = texts(table, "anchor", mapping);
  const positive = texts(table, "positive", mapping);
  const negative = find(table, "negative", mapping);
  const more = furtherNegatives(table, mapping);
  const unused = mapping["label"] ?? mapping["score"] ??
    judgement(table, mapping) ??
    // Without a header, a third column of numbers is no text.
    (mapping["negative"] === undefined && !table.header && negative?.every(isNumeric) ? "3" : undefined);
  if (unused !== undefined) {
    throw new DatasetError(`pairs and triplets have no use for the column ${unused}`, {
      where: table.where(0),
      expected: "anchor, positive and perhaps negative",
      found: listed(table.names),
      hint:
        "every row counts as a positive pair: choose the rows first, or a loss or a task that reads labels or scores",
    });
  }
  const [first, ...others] = [...negative === undefined ? [] : ["negative"], ...more];
  if (first === undefined) return { columns: { anchor, positive }, rows: table.rows };
  const rest = Object.fromEntries(others.map((name) => [name, texts(table, name, mapping)]));
  return { columns: { anchor, positive, negative: texts(table, first, mapping), ...rest }, rows: table.rows };
}

/** A column that says something about a row of texts. */
function judgement(table: Table, mapping: ColumnMapping): string | undefined {
  for (const role of ["label", "score"] as const) {
    const name = isNamed(table, role) ? findName(table, role) : undefined;
    if (name !== undefined && !Object.values(mapping).includes(name)) return name;
  }
  return undefined;
}

function isNumeric(value: Cell): boolean {
  return typeof value !== "string" ? typeof value !== "object" : value.trim() !== "" && Number.isFinite(Number(value));
}

/**
 * A table as texts with a class each, and the names of the classes: numbers or words as the file has them, in
 * ascending order.
 *
 * @param table From {@linkcode readTable}.
 * @param mapping Which columns are meant. Default: those with names that are known, such as text, label.
 * @param known Classes that have their numbers already; others come behind them. Default: none.
 * @returns The dataset, and the classes by number.
 * @throws {DatasetError} A column is missing, or a value is not of its type: it names file and line.
 */
export function asLabelledTexts(
  table: Table,
  mapping: ColumnMapping = {},
  known: readonly string[] = [],
): { readonly dataset: Dataset<LabelledTexts>; readonly classes: readonly string[] } {
  const text = texts(table, "text", mapping);
  const mapped: ColumnMapping = mapping["label"] === undefined ? {} : { class: mapping["label"] };
  const column = find(table, "class", mapped, "label");
  if (column === undefined) throw missing(table, "label", namesOf("class").join(" or "));
  const names = column.map((value, row) => {
    if (value !== null && value !== undefined && value !== "") return String(value);
    throw new DatasetError("the label is missing", {
      where: table.where(row),
      expected: "a word or a number",
      found: shown(value),
    });
  });
  const fresh = [...new Set(names).difference(new Set(known))];
  const numeric = fresh.every((name) => Number.isFinite(Number(name)));
  const classes = [...known, ...numeric ? fresh.sort((a, b) => Number(a) - Number(b)) : fresh.sort()];
  const numbers = new Map(classes.map((name, number) => [name, number]));
  const label = Int32Array.from(names, (name) => numbers.get(name)!);
  return { dataset: { columns: { text, label }, rows: table.rows }, classes };
}
