/**
 * evaluate-cross-encoder: how good a judge is, on pairs or on lists.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt } from "../../attempt.ts";
import type { Dataset, LabelledPairs, RankedDocuments, ScoredPairs } from "../../data/dataset.ts";
import { listOffsets } from "../../data/lists.ts";
import type { Columns } from "../../data/rows.ts";
import type { Engine } from "../../engine/engine.ts";
import type { KindredError } from "../../error.ts";
import { predict, type Scores, singleScores } from "../../evaluate/cross_encoder.ts";
import {
  crossEncoderClassification,
  crossEncoderCorrelation,
  listRanking,
} from "../../evaluate/cross_encoder_metrics.ts";
import type { CrossEncoder } from "../../model/cross_encoder.ts";
import type { Metrics } from "../../train/record.ts";
import {
  datasetFormat,
  jsonFormat,
  type ModelFolder,
  modelFormat,
  readJson,
  summaryOf,
  writeJson,
} from "../../stage/artifact.ts";
import { TensorEngine } from "../../stage/engine.ts";
import { openCrossEncoder } from "../../stage/models.ts";
import { phase } from "../../stage/progress.ts";
import { type Artifact, defineStage, type Stage, valueOf } from "../../stage/stage.ts";

/** Which documents are relevant, where labels are graded. */
export interface RelevanceParameters {
  /** The least label that MAP and MRR count as relevant. Default: half of the highest. */
  readonly relevantFrom?: number | undefined;
}

/** The metric that stands for an evaluation on these rows: the higher the better. */
export const judgeMetric: (rows: Artifact<Dataset<Columns>>) => Effect.Effect<string, KindredError> = Effect.fnUntraced(
  function* (rows) {
    const { columns } = yield* attempt(() => summaryOf(rows));
    if (columns.includes("relevance")) return "ndcg@10";
    if (columns.includes("label")) return "accuracy";
    const { score } = (yield* valueOf(rows)).columns as ScoredPairs;
    return isGraded(score) ? "spearman" : "average_precision";
  },
);

const isGraded = (score: Float64Array) => score.some((value) => value !== 0 && value !== 1);

/** What a judge is worth, and what it said. */
export interface Judged {
  /** By sentence-transformers' names. */
  readonly metrics: Metrics;
  /** Of every pair, or of every document of the lists. */
  readonly predictions: Scores;
}

/**
 * How good a judge it is. On pairs with known scores of 0 and 1: accuracy, F1 and average precision; with graded ones: the
 * correlations. On pairs with a class: accuracy and F1. On lists: MAP, MRR@10 and NDCG@10.
 */
export async function judged(
  engine: Engine,
  model: CrossEncoder,
  dataset: Dataset<Columns>,
  { relevantFrom }: RelevanceParameters,
): Promise<Judged> {
  if ("relevance" in dataset.columns) {
    const lists = dataset as Dataset<RankedDocuments>;
    const { query, document, relevance } = lists.columns;
    const said = await predict(engine, model, query, document, { softmax: true });
    const predictions = { ...said, data: singleScores(said), width: 1 };
    return { metrics: listRanking(listOffsets(lists), relevance, predictions.data, { relevantFrom }), predictions };
  }
  const [first, second] = Object.values(dataset.columns) as (readonly string[])[];
  if ("label" in dataset.columns) {
    const { label } = dataset.columns as LabelledPairs;
    const predictions = await predict(engine, model, first!, second!);
    return { metrics: crossEncoderClassification(predictions, label), predictions };
  }
  const { score } = dataset.columns as ScoredPairs;
  const graded = isGraded(score);
  const said = await predict(engine, model, first!, second!, { softmax: graded });
  const predictions = graded ? { ...said, data: singleScores(said), width: 1 } : said;
  const measure = graded ? crossEncoderCorrelation : crossEncoderClassification;
  return { metrics: measure(predictions, score), predictions };
}

/** What a model said of every document when it was evaluated on lists; nothing where it was not. */
export async function scoresOfLists(evaluation: Artifact<Metrics>): Promise<readonly number[] | undefined> {
  const path = join(evaluation.paths[0]!, "scores.json");
  return await Deno.stat(path).then(({ isFile }) => isFile, () => false) ? await readJson<number[]>(path) : undefined;
}

/** What {@linkcode evaluateCrossEncoder} takes. */
export interface EvaluateJudgeInputs {
  /** A cross-encoder. */
  readonly model: ModelFolder;
  /** Pairs with a score or a class, or lists. */
  readonly pairs: Dataset<ScoredPairs> | Dataset<LabelledPairs> | Dataset<RankedDocuments>;
}

/**
 * How good a judge it is: of pairs with known scores of 0 and 1, accuracy, F1 and average precision; of graded ones, the
 * correlations; of classes, accuracy and F1; of lists, MAP, MRR@10 and NDCG@10.
 */
export const evaluateCrossEncoder: Stage<RelevanceParameters, EvaluateJudgeInputs, Metrics> = defineStage<
  RelevanceParameters,
  EvaluateJudgeInputs,
  Metrics
>({
  name: "evaluate-cross-encoder",
  version: 6, // tokens as the reference has them, to the last bit of a score
  inputs: { model: modelFormat, pairs: datasetFormat<Columns>() as never },
  output: jsonFormat<Metrics>("metrics.json"),
  computes: true,
  run: Effect.fnUntraced(function* ({ parameters, inputs, scratch }) {
    yield* phase("evaluating the cross-encoder");
    const engine = yield* (yield* TensorEngine).open;
    const model = yield* openCrossEncoder(inputs.model);
    yield* attempt(async () => {
      const rows = await inputs.pairs.read() as Dataset<Columns>;
      const { metrics, predictions } = await judged(engine, model, rows, parameters);
      if ("relevance" in rows.columns) await writeJson(join(scratch, "scores.json"), [...predictions.data]);
      await writeJson(join(scratch, "metrics.json"), metrics);
    });
  }),
});
