/**
 * GPL, generative pseudo-labelling: an encoder learns to search a corpus from its passages alone. Queries are made for them,
 * encoders find negatives, and a cross-encoder says by how much each passage is the better answer.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt, attemptSync } from "../lib/attempt.ts";
import type { Columns } from "../lib/data/rows.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { cut, type EvaluationSet, givenEvaluation } from "../lib/pipeline/evaluation.ts";
import { finish } from "../lib/pipeline/finish.ts";
import { GENERATING, MATRYOSHKA, TRAINING } from "../lib/pipeline/flags.ts";
import { gplRows, marginScaleOf, trainOnMargins } from "../lib/pipeline/gpl.ts";
import { gplModelsOf, gplRowsOf, queriesOf } from "../lib/pipeline/gpl_settings.ts";
import { matryoshkaOf } from "../lib/pipeline/matryoshka.ts";
import { outputFolder } from "../lib/pipeline/report_base.ts";
import { summary } from "../lib/pipeline/report.ts";
import { modelShape, promptsOf, text, trainingPresets, trainSettings, trainSource } from "../lib/pipeline/settings.ts";
import { makeQueries, passagesOf, queryCorpus } from "../lib/pipeline/stages/gpl.ts";
import { loadFlatTexts } from "../lib/pipeline/stages/load.ts";
import { beforeAndAfter } from "../lib/pipeline/training.ts";
import { type CountedDataset, summaryOf } from "../lib/stage/artifact.ts";
import { model } from "../lib/stage/roots.ts";
import type { Artifact } from "../lib/stage/stage.ts";

const { chapter: { "eval-steps": _, "limit": __, ...chapter }, ...presets } = trainingPresets({
  sample: { "train": "sample:passages", "limit": 3000, "epochs": 1 },
  // One of the paper's corpora, with its models.
  chapter: {
    "model": "GPL/msmarco-distilbert-margin-mse",
    "train": "BeIR/scifact/corpus#corpus",
    "eval": "beir:BeIR/scifact",
    "miner": "sentence-transformers/msmarco-distilbert-base-v3,sentence-transformers/msmarco-MiniLM-L6-v3",
    "cross-encoder": "cross-encoder/ms-marco-MiniLM-L6-v2",
    "learning-rate": 2e-5,
  },
  test: { "train": "sample:passages", "limit": 200, "num-negatives": 2 },
  own: { "learning-rate": 2e-5 },
});

/** The command: load → queries → hold out → candidates → margins → train → evaluate. */
export const command: Command = {
  name: "gpl",
  summary:
    "learns to search a corpus from its passages alone: queries are made for them, a cross-encoder labels negatives",
  flags: [...TRAINING, ...GENERATING, ...MATRYOSHKA, "prompts"],
  meanings: {
    "train": "the passages: a file, a folder, or a dataset of the hub; a title stands in the first line of its passage",
    "columns": "the column of the passages: text=answer",
    "limit": "use no more passages",
    "eval": "what to evaluate on, instead of queries that are held out; as for evaluate",
    "hold-out": "queries, or a share of them, that are kept for evaluation; default: a tenth, 1,000 at most",
    "miner": "encoders that negatives are looked for with, with commas between; default: the model to be trained",
    "num-negatives": "negatives of each query, drawn from the nearest passages; default 5, or the next whole row",
    "range-max": "nearest passages of a query that negatives are drawn from, of each encoder; default 50",
    "cross-encoder": "whose margins are learned; the sample trains one",
  },
  presets: { ...presets, chapter },
  run: Effect.fnUntraced(function* (invocation) {
    const { values } = invocation;
    const output = yield* outputFolder(invocation);
    const base = yield* model(text(values, "model"));
    const [settings, shape] = [yield* attemptSync(() => trainSettings(values)), modelShape(values)];
    const prompts = yield* attemptSync(() => promptsOf(values));
    const matryoshka = yield* matryoshkaOf(values, base);
    const queries = yield* attemptSync(() => queriesOf(values));
    const drawn = yield* attemptSync(() => gplRowsOf(values));
    const models = yield* gplModelsOf(invocation, base, "train");
    const texts = yield* loadFlatTexts(trainSource(invocation));
    const all = yield* makeQueries({ texts }, queries);
    const passages = yield* passagesOf({ pairs: all }, {});
    const given = text(values, "eval") === undefined ? undefined : yield* givenEvaluation(invocation, "retrieval");
    const parts = given === undefined ? yield* cut(invocation, all) : { train: all, heldOut: undefined, warnings: [] };
    const evaluation: EvaluationSet | undefined = given ?? (parts.heldOut && {
      kind: "corpus",
      rows: (yield* queryCorpus({ heldOut: parts.heldOut, passages }, {})) as Artifact<
        unknown
      > as Artifact<CountedDataset<Columns>>,
      source: text(values, "train") ?? "sample",
      heldOut: true,
    });
    const run = yield* beforeAndAfter(evaluation, base, shape, {
      dimensions: matryoshka?.dimensions,
      keepBest: settings.keepBest,
    });
    const rows = yield* gplRows({ ...models, pairs: parts.train, passages }, drawn);
    const trained = yield* trainOnMargins({ model: base, rows, eval: evaluation?.rows }, {
      settings,
      prompts,
      freeze: text(values, "freeze"),
      matryoshka,
      ...shape,
      ...(evaluation && { evaluation: { kind: evaluation.kind } }),
    });
    const { counts: made, rows: count } = yield* attempt(() => summaryOf(all));
    const { counts: { better = 0, left = 0 } } = yield* attempt(() => summaryOf(rows));
    const by = queries.by === "text" ? "the passages' own words" : queries.generator.model;
    return yield* finish(invocation, output, {
      data: rows as Artifact<unknown> as Artifact<CountedDataset<Columns>>,
      evaluation,
      warnings: parts.warnings,
      runs: { main: yield* run(trained) },
      details: {
        "queries": count,
        "queries are by": by,
        ...(made["title"] !== undefined && {
          "queries that are titles": made["title"],
          "queries that are first sentences": made["sentence"] ?? 0,
          "queries that are words of a sentence": made["words"] ?? 0,
        }),
        "passages without a query": made["none"] ?? 0,
        "margins are of": drawn.scale ?? (yield* marginScaleOf(base)),
        "negatives that the judge prefers to the query's passage": better,
        "negatives too few to fill a row": left,
      },
      loss: "margin_mse of generated pseudo-labels (GPL, Wang et al. 2022, arXiv 2112.07577)",
      facts: { "queries by": by },
    });
  }),
  print: summary,
};

if (import.meta.main) await main(command);
