/**
 * Corpus, queries and relevance of a retrieval task, in the parts that the hub's datasets and BEIR's folders have.
 *
 * @module
 */
import { DatasetError } from "../../error.ts";
import {
  type Columns,
  numbersOf,
  readSplit,
  type RetrievalData,
  type TaskFiles,
  textListsOf,
  textsOf,
} from "./data.ts";
import { splitFiles } from "./files.ts";
import type { RetrievalTask } from "./task.ts";

/**
 * Reads a split of a subset: parts `corpus`, `queries`, `qrels` (or `default`) and, for reranking, `top_ranked`. Queries
 * that nothing is judged for are left out, as in mteb.
 */
export async function readRetrieval(
  task: RetrievalTask,
  files: TaskFiles,
  subset: string,
  split: string,
): Promise<RetrievalData> {
  const prefix = subset === "default" ? "" : `${subset}-`;
  const has = (part: string): boolean =>
    task.files?.[prefix + part] !== undefined ||
    (files.folder !== undefined && splitFiles(files.folder, prefix + part, split) !== undefined);
  const read = (part: string): Promise<Columns> =>
    task.files?.[prefix + part] !== undefined
      ? readSplit(task, files, "default", prefix + part)
      : readSplit(task, files, prefix + part, split);

  const corpus = documentsOf(await read("corpus"), true);
  const asked = documentsOf(await read("queries"), false);
  const relevance = relevanceOf(has("qrels") ? await read("qrels") : await readSplit(task, files, subset, split));
  const kept = asked.ids.flatMap((id, i) => relevance.has(id) ? [i] : []);
  if (kept.length === 0) {
    throw new DatasetError("no query has a relevant document", {
      where: `${task.name}, ${split}`,
      expected: `queries among the ${relevance.size} that documents are judged for`,
      found: asked.ids.slice(0, 3).join(", "),
    });
  }
  const documents = new Set(corpus.ids);
  const queries = { ids: kept.map((i) => asked.ids[i]!), texts: kept.map((i) => asked.texts[i]!) };
  if (task.type !== "Reranking" && !has("top_ranked")) return { corpus, queries, relevance };
  if (!has("top_ranked")) {
    throw new DatasetError("a reranking task lists the documents of each query", {
      where: task.name,
      expected: "a part top_ranked with columns query-id, corpus-ids",
    });
  }
  const listed = await read("top_ranked");
  const lists = textListsOf(listed, "corpus-ids");
  const topRanked = new Map(
    idsOf(listed, "query-id").map((id, row) => {
      const unknown = lists[row]!.find((document) => !documents.has(document));
      if (unknown !== undefined) {
        throw new DatasetError("a listed document is not in the corpus", { where: listed.where(row), found: unknown });
      }
      return [id, lists[row]!];
    }),
  );
  return { corpus, queries, relevance, topRanked };
}

function idsOf(columns: Columns, name: string): readonly string[] {
  return columns.get(name).map((value, row) => {
    if (typeof value === "string" || typeof value === "number" || typeof value === "bigint") return `${value}`;
    throw new DatasetError(`${name} is not an id`, { where: columns.where(row), found: JSON.stringify(value) });
  });
}

/** Documents are read as `title text`, queries as `text`; ids must differ. */
function documentsOf(columns: Columns, withTitle: boolean): { ids: readonly string[]; texts: readonly string[] } {
  const ids = idsOf(columns, columns.find("_id") === undefined ? "id" : "_id");
  const first = new Map<string, number>();
  ids.forEach((id, row) => {
    const before = first.get(id);
    if (before !== undefined) {
      throw new DatasetError("an id occurs twice", {
        where: columns.where(row),
        found: `${id}, as at ${columns.where(before)}`,
        hint: "every document and every query has its own id",
      });
    }
    first.set(id, row);
  });
  const texts = textsOf(columns, "text");
  if (!withTitle) return { ids, texts };
  const titles = columns.find("title");
  return { ids, texts: texts.map((text, row) => `${titles?.[row] ?? ""} ${text}`.trim()) };
}

function relevanceOf(columns: Columns): Map<string, Map<string, number>> {
  const [queries, documents] = [idsOf(columns, "query-id"), idsOf(columns, "corpus-id")];
  const grades = numbersOf(columns, "score");
  const relevance = new Map<string, Map<string, number>>();
  queries.forEach((query, row) => {
    const own = relevance.get(query);
    if (own === undefined) relevance.set(query, new Map([[documents[row]!, grades[row]!]]));
    else own.set(documents[row]!, grades[row]!);
  });
  return relevance;
}
