/**
 * Measuring a model on rows that come some at a time: of rows that have passed, only numbers are kept.
 *
 * @module
 */
import type { ColumnMapping } from "../data/column_names.ts";
import { asPairsOrTriplets, asScoredPairs } from "../data/columns.ts";
import type { Table } from "../data/table_builder.ts";
import { type Embeddings, pairwiseSimilarities, SIMILARITIES, type Similarity } from "../embed/pairwise.ts";
import { UsageError } from "../error.ts";
import { thresholdsOf } from "../evaluate/binary.ts";
import {
  type Resampled,
  resampledAveragePrecision,
  resampledCorrelations,
  resampledMeans,
} from "../evaluate/bootstrap.ts";
import { correlationsOf } from "../evaluate/similarity.ts";
import { tripletCounter } from "../evaluate/triplet.ts";
import type { Values } from "../numeric/correlation.ts";
import { giveBack } from "../numeric/give_back.ts";
import { type GrowingNumbers, growingNumbers } from "../numeric/growing.ts";
import type { Metrics } from "../train/record.ts";

/** Texts and cosines of rows, by column. */
export type ScoreColumns = Readonly<Record<string, ArrayLike<string | number>>>;

/** A measurement that goes on. */
export interface PairEvaluation {
  /** Measures further rows; returns their texts and cosines, of which nothing is kept. */
  readonly add: (table: Table) => Promise<ScoreColumns>;
  /** The metrics of all rows so far. */
  readonly metrics: () => Metrics;
  /** The same of rows that are drawn anew. */
  readonly resampled: () => Resampled;
}

/** What is measured of rows that need not be known all at once. */
export type PairTask = "triplet" | "similarity" | "binary";

type Embed = (texts: readonly string[]) => Promise<Embeddings>;

/** Begins a measurement. */
export function pairEvaluation(task: PairTask, embed: Embed, mapping: ColumnMapping): PairEvaluation {
  if (task === "triplet") return tripletEvaluation(embed, mapping);
  return task === "binary"
    ? scoredEvaluation(embed, mapping, thresholdsOf, resampledAveragePrecision)
    : scoredEvaluation(embed, mapping, correlationsOf, resampledCorrelations);
}

function tripletEvaluation(embed: Embed, mapping: ColumnMapping): PairEvaluation {
  const counter = tripletCounter();
  /** Of each triplet, one bit for every similarity by which its positive is nearer. */
  const hits = growingNumbers();
  return {
    async add(table) {
      const { columns } = asPairsOrTriplets(table, mapping);
      if (!("negative" in columns)) {
        throw new UsageError("triplets have a negative", { found: table.names.join(", ") });
      }
      const { anchor, positive, negative } = columns;
      const [anchors, positives, negatives] = [await embed(anchor), await embed(positive), await embed(negative)];
      const near = pairwiseSimilarities(anchors, positives);
      const far = pairwiseSimilarities(anchors, negatives);
      giveBack(anchors.data, positives.data, negatives.data);
      counter.add(near, far);
      const isHit = (kind: Similarity, row: number) => near[kind][row]! > far[kind][row]!;
      hits.append(
        Array.from(anchor, (_, row) => SIMILARITIES.reduce((bits, k) => 2 * bits + Number(isHit(k, row)), 0)),
      );
      return { anchor, positive, negative, positive_cosine: near.cosine, negative_cosine: far.cosine };
    },
    metrics: counter.metrics,
    resampled: () => {
      const bits = hits.values();
      const bit = (place: number) => 2 ** (SIMILARITIES.length - 1 - place);
      const values = SIMILARITIES.map((kind, place) =>
        [`${kind}_accuracy`, bits.map((code) => Math.floor(code / bit(place)) % 2)] as const
      );
      return resampledMeans([Object.fromEntries(values)]);
    },
  };
}

/** Four similarities and a score, 40 bytes, are kept of a row: correlations and thresholds need all of them at once. */
function scoredEvaluation(
  embed: Embed,
  mapping: ColumnMapping,
  measure: (similarities: Readonly<Record<Similarity, Values>>, scores: Values) => Metrics,
  resample: (similarities: Readonly<Record<Similarity, Values>>, scores: Values) => Resampled,
): PairEvaluation {
  const scores = growingNumbers();
  const kept: Readonly<Record<Similarity, GrowingNumbers>> = {
    cosine: growingNumbers(),
    dot: growingNumbers(),
    euclidean: growingNumbers(),
    manhattan: growingNumbers(),
  };
  const similarities = () => {
    const { cosine, dot, euclidean, manhattan } = kept;
    return {
      cosine: cosine.values(),
      dot: dot.values(),
      euclidean: euclidean.values(),
      manhattan: manhattan.values(),
    };
  };
  return {
    async add(table) {
      const { sentence1, sentence2, score } = asScoredPairs(table, mapping).columns;
      const [first, second] = [await embed(sentence1), await embed(sentence2)];
      const similarities = pairwiseSimilarities(first, second);
      giveBack(first.data, second.data);
      for (const kind of SIMILARITIES) kept[kind].append(similarities[kind]);
      scores.append(score);
      return { sentence1, sentence2, score, cosine: similarities.cosine };
    },
    metrics: () => measure(similarities(), scores.values()),
    resampled: () => resample(similarities(), scores.values()),
  };
}
