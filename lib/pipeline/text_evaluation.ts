/**
 * Evaluations for which all texts must be known at once: every text is compared with all others, or with another model's
 * embedding of it.
 *
 * @module
 */
import type { ColumnMapping } from "../data/column_names.ts";
import { findName } from "../data/column_names.ts";
import { asLabelledTexts, asPairsOrTriplets, asScoredPairs, texts } from "../data/columns.ts";
import type { Dataset, Pairs } from "../data/dataset.ts";
import type { Columns } from "../data/rows.ts";
import type { Table } from "../data/table_builder.ts";
import { encodeTexts } from "../embed/encode.ts";
import { type Embeddings, pairwiseSimilarities, rowsOf } from "../embed/pairwise.ts";
import type { Engine } from "../engine/engine.ts";
import { UsageError } from "../error.ts";
import { type Resampled, resampledMeans } from "../evaluate/bootstrap.ts";
import { evaluateLabels } from "../evaluate/label_metrics.ts";
import { evaluateParaphraseMining, paraphrases } from "../evaluate/paraphrase_mining.ts";
import { evaluateMse, evaluateTranslation } from "../evaluate/translation.ts";
import type { BiEncoder } from "../model/bi_encoder.ts";
import type { Metrics } from "../train/record.ts";
import type { ScoreColumns } from "./pair_evaluation.ts";
import { evaluateRows } from "./stages/evaluate_rows.ts";

/** What is asked of texts that are all known. */
export type TextTask = "retrieval" | "labels" | "paraphrases" | "translation" | "mse";

/** Columns of each. */
export const TEXT_ROLES: Readonly<Record<TextTask, readonly string[]>> = {
  retrieval: ["anchor", "positive"],
  labels: ["text", "label"],
  paraphrases: ["sentence1", "sentence2"],
  translation: ["anchor", "positive"],
  mse: ["anchor", "positive"],
};

/** Whether a task is one of these. */
export const isTextTask = (task: string): task is TextTask => Object.hasOwn(TEXT_ROLES, task);

/** What came of it. */
export interface TextEvaluation {
  /** By sentence-transformers' names. */
  readonly metrics: Metrics;
  /** Rows of the file, or queries. */
  readonly rows: number;
  /** What a table shows of each row. */
  readonly columns: ScoreColumns;
  /** The metrics of rows drawn anew; undefined where rows are not drawn: pairs of mined texts hang together. */
  readonly resampled?: Resampled | undefined;
}

/** Options of {@linkcode evaluateTexts}. */
export interface TextEvaluationOptions {
  /** Which columns are meant. */
  readonly mapping: ColumnMapping;
  /** Of mse: what the first texts are embedded by. */
  readonly teacher?: BiEncoder | undefined;
  /** Of labels: neighbours that vote. */
  readonly neighbors?: number | undefined;
}

/** Evaluates a bi-encoder on a table, as a whole. */
export async function evaluateTexts(
  engine: Engine,
  model: BiEncoder,
  task: TextTask,
  table: Table,
  { mapping, teacher, neighbors }: TextEvaluationOptions,
): Promise<TextEvaluation> {
  const { rows } = table;
  if (task === "labels") {
    const { dataset: { columns: { text, label } }, classes } = asLabelledTexts(table, mapping);
    const embeddings = await encodeTexts(engine, model, text);
    const { metrics, votes } = await evaluateLabels(engine, embeddings, label, { k: neighbors ?? 10 });
    const named = (numbers: Int32Array) => Array.from(numbers, (number) => classes[number]!);
    const knn_accuracy_cosine = Float64Array.from(label, (own, row) => Number(votes[row] === own));
    return {
      metrics,
      rows,
      columns: { text, label: named(label), voted: named(votes) },
      resampled: resampledMeans([{ knn_accuracy_cosine }], { unit: "text" }),
    };
  }
  if (task === "paraphrases") {
    const { first, second, same } = paraphraseRows(table, mapping);
    const { texts, pairs } = paraphrases(first, second, same);
    const embeddings = await encodeTexts(engine, model, texts);
    const place = new Map(texts.map((text, row) => [text, row]));
    const placed = (of: readonly string[]) => rowsOf(embeddings, Int32Array.from(of, (text) => place.get(text)!));
    const { cosine } = pairwiseSimilarities(placed(first), placed(second));
    return {
      metrics: await evaluateParaphraseMining(engine, embeddings, pairs),
      rows,
      columns: { sentence1: first, sentence2: second, cosine },
    };
  }
  if (task === "mse") {
    if (teacher === undefined) {
      throw new UsageError("the error to a teacher wants a teacher", { expected: "--teacher MODEL" });
    }
    const isPair = "positive" in mapping || findName(table, "positive") !== undefined;
    const source = texts(table, isPair ? "anchor" : "text", mapping);
    const target = isPair ? texts(table, "positive", mapping) : source;
    const taught = await encodeTexts(engine, teacher, source);
    const { metrics, values } = evaluateMse(taught, await encodeTexts(engine, model, target));
    return {
      metrics: { ...metrics },
      rows,
      columns: { ...(isPair && { anchor: source }), text: target, ...values },
      resampled: resampledMeans([values]),
    };
  }
  const pairs = asPairsOrTriplets(table, mapping) as Dataset<Columns>;
  const { anchor, positive } = pairs.columns as Pairs;
  if (task === "retrieval") {
    const { metrics, similarities, values } = await evaluateRows(engine, model, pairs, { kind: "retrieval" });
    return {
      metrics,
      rows,
      columns: { anchor, positive, cosine: similarities },
      resampled: resampledMeans([values!], { unit: "query" }),
    };
  }
  const embedded = async (texts: readonly string[]): Promise<{ texts: readonly string[]; embeddings: Embeddings }> => ({
    texts,
    embeddings: await encodeTexts(engine, model, texts),
  });
  const [source, target] = [await embedded(anchor), await embedded(positive)];
  const { metrics, values } = await evaluateTranslation(engine, source, target);
  const { cosine } = pairwiseSimilarities(source.embeddings, target.embeddings);
  const { src2trg_accuracy, trg2src_accuracy } = values;
  return {
    metrics: { ...metrics },
    rows,
    columns: { anchor, positive, cosine, src2trg_accuracy: src2trg_accuracy!, trg2src_accuracy: trg2src_accuracy! },
    resampled: resampledMeans([values]),
  };
}

/** Pairs that mean the same: all, or those with at least half of the highest score. */
function paraphraseRows(table: Table, mapping: ColumnMapping) {
  if (!("score" in mapping) && findName(table, "score") === undefined) {
    const { anchor, positive } = asPairsOrTriplets(table, mapping).columns;
    return { first: anchor, second: positive, same: anchor.map(() => true) };
  }
  const { sentence1, sentence2, score } = asScoredPairs(table, mapping).columns;
  const highest = score.reduce((most, value) => Math.max(most, value), 0);
  return { first: sentence1, second: sentence2, same: Array.from(score, (value) => value > 0 && value >= highest / 2) };
}
