/**
 * teacher-scores: what a cross-encoder, or another bi-encoder, says of the documents of each row, for losses that learn
 * scores.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt, attemptSync } from "../../attempt.ts";
import { readCrossEncoderFolder } from "../../checkpoint/cross_encoder.ts";
import type { Dataset, MarginRows, Pairs, Triplets } from "../../data/dataset.ts";
import { pairwiseSimilarities } from "../../embed/pairwise.ts";
import { roleEncoder } from "../../embed/roles.ts";
import type { Engine } from "../../engine/engine.ts";
import { DatasetError } from "../../error.ts";
import type { BiEncoder } from "../../model/bi_encoder.ts";
import {
  type CountedDataset,
  datasetFormat,
  type ModelFolder,
  modelFormat,
  writeDataset,
} from "../../stage/artifact.ts";
import { TensorEngine } from "../../stage/engine.ts";
import { openBiEncoder, openCrossEncoder } from "../../stage/models.ts";
import { phase } from "../../stage/progress.ts";
import { defineStage, type Stage } from "../../stage/stage.ts";
import { type MarginScale, marginScorer } from "./gpl.ts";

/** Settings of {@linkcode teacherScores}. */
export interface TeacherScoreParameters {
  /** What a cross-encoder's scores are. Default logit. */
  readonly scale?: MarginScale | undefined;
}

/** Scores the documents of one column for the queries of another, row by row. */
type ColumnScorer = (queries: readonly string[], documents: readonly string[]) => Promise<ArrayLike<number>>;

/** The cosine, or the dot product of a model that was made for it; queries and documents have their prompts. */
function similarityScorer(engine: Engine, model: BiEncoder): ColumnScorer {
  const encode = roleEncoder(engine, model);
  const by = model.similarity === "dot" ? "dot" : "cosine";
  let asked: { readonly texts: readonly string[]; readonly embeddings: ReturnType<typeof encode> } | undefined;
  return async (queries, documents) => {
    if (asked?.texts !== queries) asked = { texts: queries, embeddings: encode(queries, "query") };
    return pairwiseSimilarities(await asked.embeddings, await encode(documents, "document"))[by];
  };
}

/**
 * Rows with a score of the teacher for the positive and each negative, in `score`, `score_2`, …: a cross-encoder judges the
 * pairs, any other model embeds them.
 */
export const teacherScores: Stage<
  TeacherScoreParameters,
  { teacher: ModelFolder; rows: Dataset<Pairs | Triplets> },
  CountedDataset<MarginRows>
> = defineStage<
  TeacherScoreParameters,
  { teacher: ModelFolder; rows: Dataset<Pairs | Triplets> },
  CountedDataset<MarginRows>
>({
  name: "teacher-scores",
  version: 1,
  inputs: { teacher: modelFormat, rows: datasetFormat<Pairs | Triplets>() },
  output: datasetFormat<MarginRows>(),
  computes: true,
  run: Effect.fnUntraced(function* ({ parameters: { scale = "logit" }, inputs, scratch }) {
    yield* phase("scoring by the teacher");
    yield* attempt(async () => {
      const names = Object.entries((await inputs.rows.read()).columns).filter(([, column]) => Array.isArray(column));
      if (names.length > 2) return;
      throw new DatasetError("a teacher prefers one document to another, and each row has one alone", {
        expected: "anchor, positive and one or more negatives",
        found: names.map(([name]) => name).join(", "),
        hint: "--negatives semi-hard mines them, as pipelines/hard_negatives.ts does",
      });
    });
    const engine = yield* (yield* TensorEngine).open;
    const { isClassifier } = yield* attempt(async () => readCrossEncoderFolder((await inputs.teacher.read()).folder));
    let score: ColumnScorer;
    if (isClassifier) {
      const model = yield* openCrossEncoder(inputs.teacher, { requireHead: true });
      const judge = yield* attemptSync(() => marginScorer(engine, model, scale));
      score = (queries, documents) => judge(queries.map((query, row) => [query, documents[row]!] as const));
    } else score = similarityScorer(engine, yield* openBiEncoder(inputs.teacher));
    yield* attempt(async () => {
      const { columns, rows } = await inputs.rows.read();
      const texts = Object.entries(columns).filter((entry): entry is [string, readonly string[]] =>
        Array.isArray(entry[1])
      );
      const scored: Record<string, readonly string[] | Float64Array> = Object.fromEntries(texts);
      const [[, queries], ...documents] = texts as [typeof texts[number], ...typeof texts];
      for (const [place, [, column]] of documents.entries()) {
        scored[place === 0 ? "score" : `score_${place + 1}`] = Float64Array.from(await score(queries, column));
      }
      await writeDataset(scratch, { columns: scored, rows });
    });
  }),
});
