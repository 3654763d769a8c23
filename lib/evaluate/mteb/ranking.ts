/**
 * Retrieval, reranking and bitext mining: the nearest rows of a corpus.
 *
 * @module
 */
import { nearest } from "../../embed/nearest.ts";
import { accuracy, precisionRecallF1 } from "../classification.ts";
import { type Embeddings, rowsOf } from "../../embed/pairwise.ts";
import { type FoundDocuments, RETRIEVAL_CUTS, retrievalMetrics } from "../retrieval.ts";
import { turnTaker } from "../../numeric/turn.ts";
import { type Columns, type RetrievalData, textsOf } from "./data.ts";
import { type Embedder, similarityTable } from "./embedder.ts";
import type { TaskScores } from "./result.ts";
import type { RetrievalTask } from "./task.ts";

/** Documents that are embedded at once: a corpus need not fit into memory as embeddings. */
const CHUNK = 50_000;

/** Documents found for each query that count: the longest cut. */
const DEPTH = Math.max(...RETRIEVAL_CUTS);

/** trec_eval's measures, MRR and nAUC over all queries. */
export async function evaluateRetrieval(
  embedder: Embedder,
  task: RetrievalTask,
  data: RetrievalData,
): Promise<TaskScores> {
  const { corpus, queries, relevance, topRanked } = data;
  const asked = await embedder.embed(queries.texts, "query");
  const found = topRanked === undefined
    ? await search(embedder, asked, data)
    : await rerank(embedder, asked, data, topRanked);
  const byQuery = new Map(queries.ids.map((id, query) => {
    const { rows, scores } = found[query]!;
    const entry: FoundDocuments = { documents: Array.from(rows, (row) => corpus.ids[row]!), scores };
    return [id, entry];
  }));
  return await retrievalMetrics(byQuery, relevance, { ignoreIdenticalIds: task.ignore_identical_ids === true });
}

/** Rows of the corpus and their scores. */
interface Hits {
  readonly rows: Int32Array;
  readonly scores: Float32Array;
}

/** The best of the whole corpus, which is embedded in pieces. */
async function search(embedder: Embedder, asked: Embeddings, { corpus }: RetrievalData): Promise<readonly Hits[]> {
  const pieces = async function* () {
    for (let start = 0; start < corpus.texts.length; start += CHUNK) {
      yield await embedder.embed(corpus.texts.slice(start, start + CHUNK), "document");
    }
  };
  const { similarity } = embedder;
  if (similarity === "cosine" || similarity === "dot") {
    const { indices, scores, counts, k } = await nearest(embedder.engine, asked, pieces(), { k: DEPTH, similarity });
    return Array.from({ length: asked.rows }, (_, query) => ({
      rows: indices.slice(query * k, query * k + counts[query]!),
      scores: scores.slice(query * k, query * k + counts[query]!),
    }));
  }
  let hits: Hits[] = Array.from(
    { length: asked.rows },
    () => ({ rows: new Int32Array(0), scores: new Float32Array(0) }),
  );
  let start = 0;
  const turn = turnTaker();
  for await (const piece of pieces()) {
    for (let query = 0; query < asked.rows; query++) {
      await turn();
      const table = similarityTable(rowsOf(asked, [query]), piece, similarity);
      const old = hits[query]!;
      const rows = [...old.rows, ...Array.from(table, (_, row) => start + row)];
      const scores = Float32Array.of(...old.scores, ...table);
      const best = rows.map((_, i) => i).sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, DEPTH);
      hits = hits.with(query, {
        rows: Int32Array.from(best, (i) => rows[i]!),
        scores: Float32Array.from(best, (i) => scores[i]!),
      });
    }
    start += piece.rows;
  }
  return hits;
}

/** The listed documents of each query; each document of the corpus is embedded once. */
async function rerank(
  embedder: Embedder,
  asked: Embeddings,
  { corpus, queries }: RetrievalData,
  listed: ReadonlyMap<string, readonly string[]>,
): Promise<readonly Hits[]> {
  const row = new Map(corpus.ids.map((id, i) => [id, i]));
  const documents = await embedder.embed(corpus.texts, "document");
  const turn = turnTaker();
  const hits: Hits[] = [];
  for (const [query, id] of queries.ids.entries()) {
    await turn();
    const rows = Int32Array.from(listed.get(id) ?? [], (document) => row.get(document)!);
    const scores = similarityTable(rowsOf(asked, [query]), rowsOf(documents, rows), embedder.similarity);
    hits.push({ rows, scores: Float32Array.from(scores) });
  }
  return hits;
}

/** For every sentence of the first language the nearest of the second: the right one has the same row. */
export async function evaluateBitextMining(embedder: Embedder, columns: Columns): Promise<TaskScores> {
  const first = await embedder.embed(textsOf(columns, "sentence1"));
  const second = await embedder.embed(textsOf(columns, "sentence2"));
  const { similarity } = embedder;
  let found: Int32Array;
  if (similarity === "cosine" || similarity === "dot") {
    found = (await nearest(embedder.engine, first, second, { k: 1, similarity })).indices;
  } else {
    const turn = turnTaker();
    found = new Int32Array(first.rows);
    for (let row = 0; row < first.rows; row++) {
      await turn();
      const table = similarityTable(rowsOf(first, [row]), second, similarity);
      found[row] = table.reduce((best, value, i) => value > table[best]! ? i : best, 0);
    }
  }
  const gold = Int32Array.from({ length: first.rows }, (_, row) => row);
  return { ...precisionRecallF1(gold, found, "weighted"), accuracy: accuracy(gold, found) };
}
