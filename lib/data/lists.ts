/**
 * Lists of documents by query: from tables to rows, and from rows back to lists.
 *
 * @module
 */
import { counted } from "../counted.ts";
import { DatasetError } from "../error.ts";
import { type ColumnMapping, nameFor } from "./column_names.ts";
import { numbers, texts, usedColumns } from "./columns.ts";
import type { Dataset, RankedDocuments } from "./dataset.ts";
import { holdOut, type HoldOutOptions } from "./hold_out.ts";
import { selectRows } from "./rows.ts";
import type { Cell, Table } from "./table_builder.ts";

/** A query with its documents, and how relevant each is. */
export interface DocumentList {
  /** What is asked. */
  readonly query: string;
  /** What may answer it. */
  readonly documents: readonly string[];
  /** One for each document: more is better. */
  readonly labels: ArrayLike<number>;
}

/**
 * Lists as rows, one for each document.
 *
 * @param lists Queries with documents and labels; none is empty.
 * @returns The rows, list by list.
 * @throws {DatasetError} A list has no documents, or another number of labels, or a label is not a number.
 *
 * @example
 * ```ts
 * import { rankedDocuments } from "@kindred/kindred/data";
 * import assert from "node:assert/strict";
 * const { columns, rows } = rankedDocuments([{ query: "hot", documents: ["warm", "cold"], labels: [1, 0] }]);
 * assert.equal(rows, 2);
 * assert.deepEqual(columns.query, ["hot", "hot"]);
 * ```
 */
export function rankedDocuments(lists: readonly DocumentList[]): Dataset<RankedDocuments> {
  return rowsOf(lists, (list) => `list ${list + 1}`);
}

function rowsOf(lists: readonly DocumentList[], where: (list: number) => string): Dataset<RankedDocuments> {
  const list: number[] = [];
  const query: string[] = [];
  const document: string[] = [];
  const relevance: number[] = [];
  lists.forEach(({ query: asked, documents, labels }, i) => {
    if (documents.length === 0 || documents.length !== labels.length) {
      throw new DatasetError("a list wants documents, and a label for each", {
        where: where(i),
        expected: `${documents.length || "at least 1"} labels`,
        found: `${counted(documents.length, "document")}, ${counted(labels.length, "label")}`,
      });
    }
    documents.forEach((text, place) => {
      if (!Number.isFinite(labels[place])) {
        throw new DatasetError("a label is not a number", { where: where(i), found: `${labels[place]}` });
      }
      list.push(i);
      query.push(asked);
      document.push(text);
      relevance.push(labels[place]!);
    });
  });
  const columns = { list: Int32Array.from(list), query, document, relevance: Float64Array.from(relevance) };
  return { columns, rows: list.length };
}

/**
 * A table as lists. Its rows are either lists already, a query with a list of documents and a list of labels, as
 * `hard_negatives --rows labeled-list` and sentence-transformers write them; or documents, a query, a document and a label
 * each, which are gathered by query in the order of the file.
 *
 * @param table From {@linkcode readTable}.
 * @param mapping Which columns are meant. Default: those with names that are known, such as query, documents, labels.
 * @returns One row for each document, list by list.
 * @throws {DatasetError} A column is missing, a value is not of its type, or documents and labels of a row do not match:
 *   it names file and line.
 *
 * @example
 * ```ts
 * import { asRankedDocuments, readTable } from "@kindred/kindred/data";
 * import assert from "node:assert/strict";
 * const path = await Deno.makeTempFile({ suffix: ".csv" });
 * await Deno.writeTextFile(path, "query,document,label\nhot,warm,1\nwet,dry,0\nhot,cold,0\n");
 * const { columns } = asRankedDocuments(await readTable(path));
 * assert.deepEqual(columns.document, ["warm", "cold", "dry"]);
 * assert.deepEqual([...columns.list], [0, 0, 1]);
 * await Deno.remove(path);
 * ```
 */
export function asRankedDocuments(table: Table, mapping: ColumnMapping = {}): Dataset<RankedDocuments> {
  const query = texts(table, "query", mapping);
  const name = nameFor(table, "documents", mapping);
  const documents = name === undefined ? undefined : table.columns.get(name);
  if (documents?.some((cell) => isList(cell))) {
    const labelName = nameFor(table, "labels", mapping);
    const labels = labelName === undefined ? undefined : table.columns.get(labelName);
    if (labels === undefined) throw noLabels(table);
    const lists = query.map((asked, row): DocumentList => ({
      query: asked,
      documents: listIn(table, row, name!, documents[row], isText, "a list of texts") as string[],
      labels: listIn(table, row, labelName!, labels[row], isNumber, "a list of numbers").map(Number),
    }));
    return rowsOf(lists, table.where);
  }
  const document = texts(table, "documents", mapping);
  const label = numbers(table, "labels", mapping);
  const gathered = new Map<
    string,
    { readonly query: string; readonly documents: string[]; readonly labels: number[] }
  >();
  query.forEach((asked, row) => {
    let list = gathered.get(asked);
    if (list === undefined) gathered.set(asked, list = { query: asked, documents: [], labels: [] });
    list.documents.push(document[row]!);
    list.labels.push(label[row]!);
  });
  return rankedDocuments([...gathered.values()]);
}

/** The file's columns that {@linkcode asRankedDocuments} reads, by our names. */
export function usedListColumns(table: Table, mapping: ColumnMapping): Readonly<Record<string, string>> {
  return usedColumns(table, ["query", "documents", "labels"], mapping);
}

const isList = (cell: unknown): cell is readonly unknown[] => Array.isArray(cell);
const isText = (value: unknown) => typeof value === "string";
const isNumber = (value: unknown) =>
  typeof value === "bigint" || typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value));

function listIn(
  table: Table,
  row: number,
  name: string,
  cell: Cell | readonly unknown[],
  holds: (value: unknown) => boolean,
  expected: string,
): readonly unknown[] {
  const wrong = isList(cell) ? cell.find((value) => !holds(value)) : cell;
  if (isList(cell) && cell.every(holds)) return cell;
  throw new DatasetError(`${name} is not ${expected}`, {
    where: table.where(row),
    expected,
    found: wrong === undefined || wrong === null ? "nothing" : `${wrong}`.slice(0, 80),
  });
}

function noLabels(table: Table): DatasetError {
  return new DatasetError("there is no column of labels", {
    where: table.where(0).replace(/:\d+$/, ""),
    expected: "how relevant each document is: labels, scores or relevance",
    found: table.names.join(", "),
    hint: "map one with --columns labels=NAME",
  });
}

/**
 * Where lists begin and end in rows of documents.
 *
 * @param dataset Rows, list by list.
 * @returns [L + 1] list l has the rows offsets[l] … offsets[l + 1] − 1.
 */
export function listOffsets(dataset: Dataset<RankedDocuments>): Int32Array {
  const { columns, rows } = dataset;
  const starts: number[] = [];
  for (let row = 0; row < rows; row++) if (row === 0 || columns.list[row] !== columns.list[row - 1]) starts.push(row);
  return Int32Array.from([...starts, rows]);
}

/**
 * Rows of documents as lists.
 *
 * @param dataset Rows, list by list.
 * @returns The lists.
 */
export function documentLists(dataset: Dataset<RankedDocuments>): DocumentList[] {
  const { query, document, relevance } = dataset.columns;
  const offsets = listOffsets(dataset);
  return Array.from({ length: offsets.length - 1 }, (_, l) => ({
    query: query[offsets[l]!]!,
    documents: document.slice(offsets[l], offsets[l + 1]),
    labels: relevance.subarray(offsets[l], offsets[l + 1]),
  }));
}

/**
 * Holds out lists: all lists of a query fall on one side. Documents may be on both, as those of one corpus are.
 *
 * @param dataset Rows of documents, list by list.
 * @param options How many lists, and which.
 * @returns Lists to train on, and lists to measure by.
 * @throws {DatasetError} So many cannot be held out.
 *
 * @example
 * ```ts
 * import { holdOutLists, rankedDocuments } from "@kindred/kindred/data";
 * import assert from "node:assert/strict";
 * const list = (query: string) => ({ query, documents: ["x", "y"], labels: [1, 0] });
 * const { train, heldOut } = holdOutLists(rankedDocuments(["a", "b", "a"].map(list)), { rows: 1, seed: 1 });
 * assert.deepEqual([...heldOut.columns.query], ["b", "b"]); // both lists of a hang together
 * assert.equal(train.rows, 4);
 * ```
 */
export function holdOutLists(
  dataset: Dataset<RankedDocuments>,
  options: Omit<HoldOutOptions, "columns">,
): { readonly train: Dataset<RankedDocuments>; readonly heldOut: Dataset<RankedDocuments> } {
  const offsets = listOffsets(dataset);
  const lists = offsets.length - 1;
  const columns = {
    query: Array.from({ length: lists }, (_, l) => dataset.columns.query[offsets[l]!]!),
    place: Int32Array.from({ length: lists }, (_, l) => l),
  };
  const sides = holdOut({ columns, rows: lists }, { ...options, columns: ["query"] });
  const rowsOfLists = (places: Int32Array) =>
    Int32Array.from(
      Array.from(places, (l) => Array.from({ length: offsets[l + 1]! - offsets[l]! }, (_, i) => offsets[l]! + i))
        .flat(),
    );
  return {
    train: selectRows(dataset, rowsOfLists(sides.train.columns.place)),
    heldOut: selectRows(dataset, rowsOfLists(sides.heldOut.columns.place)),
  };
}
