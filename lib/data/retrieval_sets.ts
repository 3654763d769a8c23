/**
 * Sets of queries, documents and judgements as the rows of one dataset, so that stages keep them and pass them on as they
 * do any others.
 *
 * @module
 */
import type { Dataset } from "./dataset.ts";

/** Queries, a corpus, and which documents of it are relevant to which query. */
export interface RetrievalSet {
  /** What keys begin with, such as NanoNQ; empty where there is one set. */
  readonly name: string;
  /** Queries, each with something relevant. */
  readonly queries: readonly string[];
  /** The corpus, in the order of its ids: of equal scores the lower id is found first. */
  readonly documents: readonly string[];
  /** Rows of the relevant documents, by query. */
  readonly relevant: readonly Int32Array[];
}

/** What a row is. */
const [SET, QUERY, DOCUMENT, JUDGEMENT] = [0, 1, 2, 3];

/** Sets, row by row: a set's name, its queries, its documents, its judgements; then the next set. */
export type RetrievalRows = {
  /** A name, a query or a document; empty in a judgement. */
  readonly text: readonly string[];
  /** 0: a set begins; 1: a query; 2: a document; 3: a judgement. */
  readonly part: Int32Array;
  /** Of a judgement: the query's number in its set; 0 otherwise. */
  readonly query: Int32Array;
  /** Of a judgement: the relevant document's number in its set; 0 otherwise. */
  readonly document: Int32Array;
};

/** Sets as rows. */
export function retrievalRows(sets: readonly RetrievalSet[]): Dataset<RetrievalRows> {
  const rows = sets.reduce(
    (sum, { queries, documents, relevant }) =>
      sum + 1 + queries.length + documents.length + relevant.reduce((count, { length }) => count + length, 0),
    0,
  );
  const text: string[] = [];
  const [part, query, document] = [new Int32Array(rows), new Int32Array(rows), new Int32Array(rows)];
  const add = (what: number, words: string) => {
    part[text.length] = what;
    text.push(words);
  };
  for (const { name, queries, documents, relevant } of sets) {
    add(SET!, name);
    for (const words of queries) add(QUERY!, words);
    for (const words of documents) add(DOCUMENT!, words);
    relevant.forEach((right, number) => {
      for (const row of right) {
        query[text.length] = number;
        document[text.length] = row;
        add(JUDGEMENT!, "");
      }
    });
  }
  return { columns: { text, part, query, document }, rows };
}

/** The sets of such rows. */
export function retrievalSets(
  { columns: { text, part, query, document }, rows }: Dataset<RetrievalRows>,
): RetrievalSet[] {
  const sets: { name: string; queries: string[]; documents: string[]; right: number[][] }[] = [];
  for (let row = 0; row < rows; row++) {
    if (part[row] === SET) sets.push({ name: text[row]!, queries: [], documents: [], right: [] });
    const set = sets.at(-1)!;
    if (part[row] === DOCUMENT) set.documents.push(text[row]!);
    if (part[row] === QUERY) {
      set.queries.push(text[row]!);
      set.right.push([]);
    }
    if (part[row] === JUDGEMENT) set.right[query[row]!]!.push(document[row]!);
  }
  return sets.map(({ right, ...set }) => ({ ...set, relevant: right.map((rows) => Int32Array.from(rows)) }));
}

/** The queries of all sets. */
export function queriesOf({ columns: { text, part } }: Dataset<RetrievalRows>): string[] {
  return text.filter((_, row) => part[row] === QUERY);
}

/** Whether these are the columns of sets. */
export function isRetrievalRows(columns: readonly string[]): boolean {
  return ["text", "part", "query", "document"].every((name) => columns.includes(name));
}
