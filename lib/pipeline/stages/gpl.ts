/**
 * queries, passages, merge-candidates, margins, query-corpus: what GPL makes of plain passages before a model is trained.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt, attemptSync } from "../../attempt.ts";
import { passageQueries, writtenQueries } from "../../augment/passage_queries.ts";
import type { Dataset, MarginRows, Pairs } from "../../data/dataset.ts";
import { type RetrievalRows, retrievalRows } from "../../data/retrieval_sets.ts";
import type { PairScorer } from "../../embed/search.ts";
import type { Engine } from "../../engine/engine.ts";
import { DatasetError, UsageError } from "../../error.ts";
import { pairRetrieval } from "../../evaluate/information_retrieval.ts";
import { predict } from "../../evaluate/cross_encoder.ts";
import type { CrossEncoder } from "../../model/cross_encoder.ts";
import { type Candidates, mergeCandidates, scoreAgain, selectNegatives, toMargins } from "../../negatives/mod.ts";
import {
  type CountedDataset,
  datasetFormat,
  type ModelFolder,
  modelFormat,
  writeDataset,
} from "../../stage/artifact.ts";
import { TensorEngine } from "../../stage/engine.ts";
import { openCrossEncoder } from "../../stage/models.ts";
import { phase } from "../../stage/progress.ts";
import { defineStage, type Stage } from "../../stage/stage.ts";
import { generateBy, type GeneratorParameters } from "./generator.ts";
import type { Texts } from "./load.ts";
import { candidatesFormat, writeCandidates } from "./negatives.ts";

/** Where the queries of passages come from. */
export type QueryParameters =
  /** The passages' own titles, first sentences or words. */
  | { readonly by: "text"; readonly seed: number }
  /** A language model, which writes so many for each passage. */
  | {
    readonly by: "language-model";
    readonly generator: GeneratorParameters;
    readonly queriesPerPassage: number;
    readonly seed: number;
  };

/** Queries for passages: pairs of a query and the passage that it shall find. */
export const makeQueries: Stage<QueryParameters, { texts: Dataset<Texts> }, CountedDataset<Pairs>> = defineStage<
  QueryParameters,
  { texts: Dataset<Texts> },
  CountedDataset<Pairs>
>({
  name: "queries",
  version: 1,
  inputs: { texts: datasetFormat<Texts>() },
  output: datasetFormat<Pairs>(),
  how: ["generator.tokenBudget", "generator.concurrency"],
  draws: true,
  run: Effect.fnUntraced(function* ({ parameters, inputs, scratch, answers }) {
    yield* phase("making queries");
    const { seed } = parameters;
    const { text } = (yield* attempt(() => inputs.texts.read())).columns;
    const { dataset, counts } = parameters.by === "text"
      ? passageQueries(text, { seed })
      : yield* Effect.scoped(Effect.gen(function* () {
        const generate = yield* generateBy(parameters.generator, answers);
        return yield* attempt(() => writtenQueries(text, generate, { queries: parameters.queriesPerPassage, seed }));
      }));
    if (dataset.rows === 0) {
      return yield* Effect.fail(
        new DatasetError("no passage has a query", {
          expected: "a title above a text, several sentences, or one of three words or more",
          found: JSON.stringify((text[0] ?? "").slice(0, 80)),
          hint: "a language model can write them: --generator-url URL --generator-model NAME",
        }),
      );
    }
    yield* attempt(() => writeDataset(scratch, dataset, counts));
  }),
});

/** The passages that queries shall find, each once. */
export const passagesOf: Stage<object, { pairs: Dataset<Pairs> }, CountedDataset<Texts>> = defineStage<
  object,
  { pairs: Dataset<Pairs> },
  CountedDataset<Texts>
>({
  name: "passages",
  version: 1,
  inputs: { pairs: datasetFormat<Pairs>() },
  output: datasetFormat<Texts>(),
  run: ({ inputs, scratch }) =>
    attempt(async () => {
      const text = [...new Set((await inputs.pairs.read()).columns.positive)];
      await writeDataset(scratch, { columns: { text }, rows: text.length });
    }),
});

/** What one encoder found and what another one found, best of each first. */
export const joinCandidates: Stage<object, { first: Candidates; second: Candidates }, Candidates> = defineStage<
  object,
  { first: Candidates; second: Candidates },
  Candidates
>({
  name: "merge-candidates",
  version: 1,
  inputs: { first: candidatesFormat, second: candidatesFormat },
  output: candidatesFormat,
  run: ({ inputs, scratch }) =>
    attempt(async () =>
      await writeCandidates(scratch, mergeCandidates(await inputs.first.read(), await inputs.second.read()))
    ),
});

/** What margins are differences of: the cross-encoder's logits, as in the paper, or its probabilities. */
export type MarginScale = "logit" | "probability";

/** Settings of {@linkcode labelMargins}. */
export interface MarginParameters {
  /** Negatives of a query, drawn from its candidates. */
  readonly negatives: number;
  /** Negatives of a row, each with its margin. Default 1. */
  readonly perRow?: number | undefined;
  /** What margins are differences of. */
  readonly scale: MarginScale;
  /** Which are drawn. */
  readonly seed: number;
}

/** Scores of pairs as the scale has them: of two classes, by how much the second is likelier. */
export function marginScorer(engine: Engine, model: CrossEncoder, scale: MarginScale): PairScorer {
  if (model.labels > 2) {
    throw new UsageError("margins are differences of scores, and this model gives classes", {
      expected: "a cross-encoder of 1 label, or of 2 classes of which the second means yes",
      found: `${model.labels} labels`,
    });
  }
  return async (pairs) => {
    const [first, second] = [pairs.map(([text]) => text), pairs.map(([, text]) => text)];
    const { data, width, rows } = await predict(engine, model, first, second, { activation: "identity" });
    const logits = width === 1 ? data : Float32Array.from({ length: rows }, (_, i) => data[2 * i + 1]! - data[2 * i]!);
    return scale === "logit" ? logits : logits.map((logit) => 1 / (1 + Math.exp(-logit)));
  };
}

/** Negatives drawn from candidates, and by how much a cross-encoder prefers the passage of the query to each of them. */
export const labelMargins: Stage<
  MarginParameters,
  { candidates: Candidates; judge: ModelFolder },
  CountedDataset<MarginRows>
> = defineStage<MarginParameters, { candidates: Candidates; judge: ModelFolder }, CountedDataset<MarginRows>>({
  name: "margins",
  version: 2,
  inputs: { candidates: candidatesFormat, judge: modelFormat },
  output: datasetFormat<MarginRows>(),
  computes: true,
  draws: true,
  run: Effect.fnUntraced(function* ({ parameters: { negatives: wanted, perRow, scale, seed }, inputs, scratch }) {
    yield* phase("labelling");
    const candidates = yield* attempt(() => inputs.candidates.read());
    const engine = yield* (yield* TensorEngine).open;
    const model = yield* openCrossEncoder(inputs.judge, { requireHead: true });
    const score = yield* attemptSync(() => marginScorer(engine, model, scale));
    yield* attempt(async () => {
      const { negatives } = selectNegatives(candidates, { negatives: wanted, sampling: "random", seed });
      // A margin below zero is a negative that answers better than the passage that the query was made for.
      const { dataset, counts } = toMargins(await scoreAgain(negatives, score), perRow);
      await writeDataset(scratch, dataset, counts);
    });
  }),
});

/** Queries that were held out, with all passages as the corpus to find theirs in. */
export const queryCorpus: Stage<
  object,
  { heldOut: Dataset<Pairs>; passages: Dataset<Texts> },
  CountedDataset<RetrievalRows>
> = defineStage<object, { heldOut: Dataset<Pairs>; passages: Dataset<Texts> }, CountedDataset<RetrievalRows>>({
  name: "query-corpus",
  version: 1,
  inputs: { heldOut: datasetFormat<Pairs>(), passages: datasetFormat<Texts>() },
  output: datasetFormat<RetrievalRows>(),
  run: ({ inputs, scratch }) =>
    attempt(async () => {
      const documents = (await inputs.passages.read()).columns.text;
      const rowOf = new Map(documents.map((text, row) => [text, row]));
      const { queries, documents: own, relevant } = pairRetrieval((await inputs.heldOut.read()).columns);
      const right = relevant.map((rows) => rows.map((row) => rowOf.get(own[row]!)!).sort());
      await writeDataset(scratch, retrievalRows([{ name: "", queries, documents, relevant: right }]), {
        dropped: 0,
        named: 0,
        sets: 1,
        queries: queries.length,
        documents: documents.length,
        judgements: right.reduce((all, { length }) => all + length, 0),
      });
    }),
});
