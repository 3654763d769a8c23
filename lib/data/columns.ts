/**
 * From a table to the typed columns that a loss or an evaluation wants.
 *
 * @module
 */
import { DatasetError, UsageError } from "../error.ts";
import type { Dataset, LabelledPairs, LabelledTexts, Pairs, ScoredPairs, Triplets } from "./dataset.ts";
import type { Cell, Table } from "./table.ts";

/** From the names we use to those of the file. */
export type ColumnMapping = Readonly<Record<string, string>>;

/** Names under which a column is looked for, in this order. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  premise: ["premise", "sentence1", "anchor", "sentence_A", "1"],
  hypothesis: ["hypothesis", "sentence2", "positive", "sentence_B", "2"],
  sentence1: ["sentence1", "premise", "sentence_A", "1"],
  sentence2: ["sentence2", "hypothesis", "sentence_B", "2"],
  anchor: ["anchor", "query", "question", "sentence1", "1"],
  positive: ["positive", "answer", "passage", "sentence2", "2"],
  negative: ["negative", "3"],
  text: ["text", "sentence", "title", "1"],
  label: ["label", "gold_label", "3"],
  class: ["label", "class", "category", "2"],
  score: ["score", "similarity_score", "label", "3"],
};

/** Reads `anchor=question,positive=answer`; `1=sentence1` names the first column of a file without a header. */
export function parseColumns(text: string): ColumnMapping {
  return Object.fromEntries(
    text.split(",").map((part) => {
      const [left, right, more] = part.split("=").map((side) => side.trim());
      if (!left || !right || more !== undefined) {
        throw new UsageError("--columns cannot be read", { expected: "name=column,…", found: part });
      }
      return /^\d+$/.test(left) ? [right, left] : [left, right];
    }),
  );
}

function find(table: Table, name: string, mapping: ColumnMapping): readonly Cell[] | undefined {
  const mapped = mapping[name];
  if (mapped !== undefined) {
    const column = table.columns.get(mapped);
    if (column === undefined) throw missing(table, name, mapped);
    return column;
  }
  for (const alias of ALIASES[name] ?? [name]) {
    const column = table.columns.get(alias);
    if (column !== undefined) return column;
  }
  return undefined;
}

function missing(table: Table, name: string, wanted = (ALIASES[name] ?? [name]).join(" or ")): DatasetError {
  return new DatasetError(`there is no column for ${name}`, {
    where: table.where(0).replace(/:\d+$/, ""),
    expected: wanted,
    found: table.names.join(", "),
    hint: `map one with --columns ${name}=NAME`,
  });
}

/** A cell in an error: cut, and with the integers that JSON does not know. */
function shown(value: Cell): string {
  const isNumber = typeof value === "bigint" || typeof value === "number"; // NaN too
  const text = isNumber ? `${value}` : JSON.stringify(value) ?? "nothing";
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** A column of texts; every row must have one. */
export function texts(table: Table, name: string, mapping: ColumnMapping = {}): readonly string[] {
  const column = find(table, name, mapping);
  if (column === undefined) throw missing(table, name);
  column.forEach((value, row) => {
    if (typeof value !== "string") {
      throw new DatasetError(`${name} is not a text`, {
        where: table.where(row),
        found: shown(value),
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

/** Pairs with an NLI class. Rows with label −1 (not annotated) are left out and counted. */
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

/** Pairs with a similarity. */
export function asScoredPairs(table: Table, mapping: ColumnMapping = {}): Dataset<ScoredPairs> {
  const columns = {
    sentence1: texts(table, "sentence1", mapping),
    sentence2: texts(table, "sentence2", mapping),
    score: numbers(table, "score", mapping),
  };
  return { columns, rows: table.rows };
}

/** Columns that say something about a row of texts. */
const JUDGEMENTS = new Set([...ALIASES["label"]!, ...ALIASES["score"]!].filter((name) => !/^\d+$/.test(name)));

/**
 * Pairs, or triplets where there is a column of negatives; further ones, `negative_2` and so on, come behind it. A label
 * or a score would be ignored, and is an error.
 */
export function asPairsOrTriplets(table: Table, mapping: ColumnMapping = {}): Dataset<Pairs> | Dataset<Triplets> {
  const anchor = texts(table, "anchor", mapping);
  const positive = texts(table, "positive", mapping);
  const negative = find(table, "negative", mapping);
  const more = table.names.filter((name) => /^negative_\d+$/.test(name));
  const unused = mapping["label"] ?? mapping["score"] ??
    table.names.find((name) => JUDGEMENTS.has(name) && !Object.values(mapping).includes(name)) ??
    // Without a header, a third column of numbers is no text.
    (mapping["negative"] === undefined && !table.columns.has("negative") && negative?.every(isNumeric)
      ? "3"
      : undefined);
  if (unused !== undefined) {
    throw new DatasetError(`the loss has no use for the column ${unused}`, {
      where: table.where(0),
      expected: "anchor, positive and perhaps negative",
      found: table.names.join(", "),
      hint:
        "multiple negatives ranking takes every pair as a positive: choose the rows first, or a loss that uses labels",
    });
  }
  const [first, ...others] = [...negative === undefined ? [] : ["negative"], ...more];
  if (first === undefined) return { columns: { anchor, positive }, rows: table.rows };
  const rest = Object.fromEntries(others.map((name) => [name, texts(table, name, mapping)]));
  return { columns: { anchor, positive, negative: texts(table, first, mapping), ...rest }, rows: table.rows };
}

function isNumeric(value: Cell): boolean {
  return typeof value !== "string" ? typeof value !== "object" : value.trim() !== "" && Number.isFinite(Number(value));
}

/**
 * Texts with a class each, and the names of the classes: numbers or words as the file has them, in ascending order.
 * `known` are classes that have their numbers already; others come behind them.
 */
export function asLabelledTexts(
  table: Table,
  mapping: ColumnMapping = {},
  known: readonly string[] = [],
): { readonly dataset: Dataset<LabelledTexts>; readonly classes: readonly string[] } {
  const text = texts(table, "text", mapping);
  const mapped = mapping["label"] === undefined ? {} : { class: mapping["label"] };
  const column = find(table, "class", mapped);
  if (column === undefined) throw missing(table, "label", ALIASES["class"]!.join(" or "));
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
