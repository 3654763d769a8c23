/**
 * What is reached without any model: by counting words, or by naming the most frequent class each time.
 *
 * @module
 */
import { buildBm25 } from "../augment/bm25.ts";
import type { Dataset, LabelledPairs, ScoredPairs } from "../data/dataset.ts";
import type { Columns } from "../data/rows.ts";
import {
  informationRetrievalMetrics,
  pairRetrieval,
  RETRIEVAL_DEPTH,
  type RetrievalColumns,
} from "../evaluate/information_retrieval.ts";
import { majorityAccuracy } from "../evaluate/label_metrics.ts";
import { jaccard, tfidfCosine } from "../evaluate/overlap.ts";
import { spearman } from "../numeric/correlation.ts";
import type { EvaluationKind } from "./stages/evaluate_rows.ts";

/** Values by the name of what reaches them; null where it gives every row the same, as happens with very few rows. */
export type Baselines = Readonly<Record<string, number | null>>;

/** What is reached without any model on rows of this kind. */
export function baselineOf(kind: EvaluationKind, { columns }: Dataset<Columns>): Baselines {
  if (kind === "similarity") {
    const { sentence1, sentence2, score } = columns as ScoredPairs;
    const orNone = (overlap: Float64Array) => {
      const correlation = spearman(overlap, score);
      return Number.isNaN(correlation) ? null : correlation;
    };
    return { jaccard: orNone(jaccard(sentence1, sentence2)), tfidf: orNone(tfidfCosine(sentence1, sentence2)) };
  }
  if (["corpus", "nanobeir", "imitation", "translation"].includes(kind)) return {};
  if (kind !== "retrieval") return { majority: majorityAccuracy((columns as LabelledPairs).label) };
  const { queries, documents, relevant } = pairRetrieval(columns as RetrievalColumns);
  const index = buildBm25(documents);
  const found = queries.map((query) => index.search(query, RETRIEVAL_DEPTH).rows);
  return { bm25: informationRetrievalMetrics(found, relevant)["cosine_ndcg@10"]! };
}

/** Names of baselines for people. */
const TITLES: Readonly<Record<string, string>> = {
  jaccard: "word overlap, Jaccard",
  tfidf: "word overlap, TF-IDF",
  bm25: "word overlap, BM25",
  majority: "the most frequent class",
};

/** Each as the first cells of a row of a table: its name, and its value; where there is none, why. */
export const baselineRows = (baselines: Baselines): readonly (readonly [string, number | "–"])[] =>
  Object.entries(baselines).map(([name, value]) => {
    const title = TITLES[name] ?? name;
    return value === null ? [`${title} (alike in all rows)`, "–"] : [title, value];
  });
