/**
 * Names of columns: ours, and those under which files have them.
 *
 * @module
 */
/** From the names we use to those of the file. */
export type ColumnMapping = Readonly<Record<string, string>>;

/** What a column is to a loss or an evaluation. */
export type ColumnRole =
  | "premise"
  | "hypothesis"
  | "sentence1"
  | "sentence2"
  | "anchor"
  | "positive"
  | "negative"
  | "text"
  | "label"
  | "class"
  | "score"
  | "query"
  | "documents"
  | "labels";

/**
 * Names under which a column is looked for, in this order; capitals, spaces and underscores do not count. The number is
 * that of the column in a file without names.
 */
const ALIASES: Readonly<Record<ColumnRole, readonly [number | undefined, ...string[]]>> = {
  premise: [1, "premise", "sentence1", "anchor", "sentence_A"],
  hypothesis: [2, "hypothesis", "sentence2", "positive", "sentence_B"],
  sentence1: [1, "sentence1", "premise", "sentence_A", "text1"],
  sentence2: [2, "sentence2", "hypothesis", "sentence_B", "text2"],
  anchor: [1, "anchor", "query", "question", "sentence1"],
  positive: [2, "positive", "answer", "passage", "sentence2"],
  negative: [3, "negative", "negative_1"],
  text: [1, "text", "sentence", "title"],
  label: [3, "label", "gold_label"],
  class: [2, "label", "class", "category"],
  score: [3, "score", "similarity_score", "label"],
  query: [1, "query", "anchor", "question", "premise", "sentence1"],
  documents: [2, "documents", "document", "docs", "passages", "passage", "answers", "hypothesis", "sentence2"],
  labels: [3, "labels", "label", "relevance", "scores", "score", "grade"],
};

const normal = (name: string) => name.normalize("NFC").toLowerCase().replace(/[\s_-]/g, "");
/** What lists have, which only losses over lists use. */
export const LIST_ROLES: readonly ColumnRole[] = ["query", "documents", "labels"];
const isRole = (name: string): name is ColumnRole => Object.hasOwn(ALIASES, name);
/** Further columns of negatives: `negative_2` and so on. */
const isFurtherNegative = (name: string) => /^negative_\d+$/.test(name);
/** What looks alike is one name: letters with their marks apart, and spaces around it. */
const alike = (name: string) => name.normalize("NFC").trim();

const KNOWN = new Set(Object.values(ALIASES).flatMap(([, ...names]) => names.map(normal)));

/** Names of a file's columns. */
export interface NamedColumns {
  /** The names, in file order. */
  readonly names: readonly string[];
  /** Whether the names are the file's own; otherwise columns are numbered from 1. */
  readonly header: boolean;
}

/** Names under which a column is looked for. */
export function namesOf(role: string): readonly string[] {
  return isRole(role) ? ALIASES[role].slice(1) as string[] : [role];
}

/** The file's name of a column, as the file spells it; undefined if it has none. Numbers are for files without names. */
export function findName({ names, header }: NamedColumns, role: string): string | undefined {
  const wanted = namesOf(role);
  const exact = wanted.find((name) => names.includes(name));
  if (exact !== undefined) return exact;
  if (!header) {
    const number = isRole(role) ? `${ALIASES[role][0]}` : role;
    return names.includes(number) ? number : undefined;
  }
  for (const name of wanted) {
    const found = names.find((own) => normal(own) === normal(name));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The file's name for one of ours: the one that is mapped to it, as the file spells it, else one that is known. */
export function nameFor(columns: NamedColumns, role: string, mapping: ColumnMapping = {}): string | undefined {
  const mapped = Object.hasOwn(mapping, role) ? mapping[role] : undefined;
  if (mapped === undefined) return findName(columns, role);
  if (columns.names.includes(mapped)) return mapped;
  return columns.names.find((name) => alike(name) === alike(mapped)) ?? mapped;
}

/** Ours of further negatives, without the first: those that the file has under these names, and those that are mapped. */
export function furtherNegatives(columns: NamedColumns, mapping: ColumnMapping = {}): readonly string[] {
  const mapped = Object.keys(mapping).filter(isFurtherNegative);
  const used = new Set(["negative", ...mapped].map((role) => nameFor(columns, role, mapping)));
  return [...columns.names.filter((name) => isFurtherNegative(name) && !used.has(name)), ...mapped];
}

/** Whether the file itself names such a column. */
export function isNamed(columns: NamedColumns, role: ColumnRole): boolean {
  return columns.header && findName(columns, role) !== undefined;
}

/**
 * The columns' names from a first row that holds them, or undefined if that row is data already.
 *
 * @param first The first row.
 * @param mapping Names that are looked for.
 * @param isHeader Whether it holds names; default: if it has one that is mapped, or looks so.
 */
export function headerOf(
  first: readonly string[],
  mapping: ColumnMapping = {},
  isHeader: boolean = hasMapped(first, mapping) || looksLikeHeader(first),
): string[] | undefined {
  return isHeader ? first.map((name, i) => name.trim() || `Unnamed: ${i}`) : undefined; // pandas' name for no name
}

/** Whether a row has a name that is mapped; numbers are those of columns without names. */
function hasMapped(first: readonly string[], mapping: ColumnMapping): boolean {
  const wanted = Object.values(mapping).filter((name) => name !== "" && !/^\d+$/.test(name)).map(alike);
  return first.some((cell) => wanted.includes(alike(cell)));
}

/**
 * Whether a first row is a header: it has a name that we know, or counts columns from 0 as pandas does for want of names,
 * or has only short cells that are no numbers. The first cell may be empty, as pandas leaves that of its row numbers, and
 * the last one, behind a separator at the end of the line.
 */
function looksLikeHeader(first: readonly string[]): boolean {
  if (first.some((cell) => KNOWN.has(normal(cell)))) return true;
  const named = first.filter((cell, i) => cell.trim() !== "" || (i > 0 && i < first.length - 1));
  if (named.length === 0) return false;
  if (first[0] === "" && named.every((cell, i) => cell === `${i}`)) return true;
  if (named.length > 1 && named.every((cell, i) => cell === `${i}`)) return true;
  return !named.some((cell) =>
    cell.trim() === "" || /^[\d.,+-]+(e[+-]?\d+)?$/i.test(cell.trim()) || cell.length > 40 || /\s\S+\s/.test(cell)
  );
}

/** Names of columns that one row of data may have, but those of lists. */
export const USUAL: readonly string[] = Object.keys(ALIASES).filter((role) => !LIST_ROLES.includes(role as ColumnRole));

/** Whether one of our columns has this name; `ours` are further ones. */
export const isColumn = (name: string, ours: readonly string[] = []): boolean =>
  USUAL.includes(name) || isFurtherNegative(name) || ours.includes(name);
