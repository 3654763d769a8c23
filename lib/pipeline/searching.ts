/**
 * From flags to a search: corpus, queries, and both ways of comparing.
 *
 * @module
 */
import { Effect } from "effect";
import { parseArgs } from "node:util";
import { attempt, attemptSync } from "../attempt.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Engine } from "../engine/engine.ts";
import type { KindredError } from "../error.ts";
import { roleEncoder } from "../embed/roles.ts";
import { pairScorer } from "../evaluate/cross_encoder.ts";
import {
  type EmbeddedTexts,
  type Found,
  type Hit,
  type PairScorer,
  searchCorpus,
  searchCost,
  similarPairs,
} from "../embed/search.ts";
import type { BiEncoder } from "../model/bi_encoder.ts";
import { openBiEncoder, openCrossEncoder } from "../stage/models.ts";
import { type CountedDataset, type ModelFolder, summaryOf } from "../stage/artifact.ts";
import type { Invocation } from "./flags.ts";
import { TensorEngine } from "../stage/engine.ts";
import { reportBase } from "./report_base.ts";
import type { SearchReport } from "./search_report.ts";
import { checkOwnModel, columnOf, optional, text } from "./settings.ts";
import { phase } from "../stage/progress.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import { loadScoredPairs, loadTexts, type Texts } from "./stages/load.ts";
import { type EmbeddedCorpus, flattenPairs } from "./stages/search.ts";

/** What is asked of the sample where nothing else is. */
const SAMPLE_QUERY = "the sailor buys the radio";

/** The texts to search in; without `--corpus`, the sentences of the sample's graded pairs. */
export const corpusOf: (
  invocation: Invocation,
) => Effect.Effect<Artifact<CountedDataset<Texts>>, KindredError, Services> = Effect.fnUntraced(function* (invocation) {
  const { values } = invocation;
  const from = text(values, "corpus");
  yield* attemptSync(() => checkOwnModel(invocation, ["corpus"]));
  const column = yield* attemptSync(() => columnOf(values));
  const limit = optional(values, "limit");
  if (from === undefined) return yield* flattenPairs({ pairs: yield* loadScoredPairs({ limit }) }, {});
  return yield* loadTexts({ from, limit, ...(column !== undefined && { columns: { text: column } }) });
});

/** The queries of every `--query` and of the file `--queries`. */
export const queriesOf: (invocation: Invocation) => Effect.Effect<readonly string[], KindredError, Services> = Effect
  .fnUntraced(function* ({ values, args }) {
    const { query = [] } = parseArgs({
      args: [...args],
      options: { query: { type: "string", multiple: true } },
      strict: false,
      allowPositionals: true,
    }).values;
    const given = (query as (string | boolean)[]).filter((value) => typeof value === "string");
    const file = text(values, "queries");
    const listed = file === undefined ? [] : (yield* valueOf(yield* loadTexts({ from: file }))).columns.text;
    if (given.length + listed.length > 0) return [...given, ...listed];
    return values["corpus"] === undefined && values["closest"] === undefined ? [SAMPLE_QUERY] : [];
  });

/** What a search works on. */
export interface SearchTask {
  /** The bi-encoder. */
  readonly model: Artifact<ModelFolder>;
  /** The texts as they were read. */
  readonly data: Artifact<Dataset<Texts>>;
  /** Each once, with its embedding. */
  readonly corpus: Artifact<EmbeddedCorpus>;
  /** What is searched for. */
  readonly queries: readonly string[];
  /** Judges what was found. */
  readonly crossEncoder: Artifact<ModelFolder> | undefined;
}

/** Finds the closest pairs and answers the queries. */
export const search: (
  invocation: Invocation,
  task: SearchTask,
) => Effect.Effect<SearchReport, KindredError, Services> = Effect.fnUntraced(function* (invocation, task) {
  const { values } = invocation;
  const { queries } = task;
  yield* phase("searching");
  const corpus = yield* valueOf(task.corpus);
  const engine = yield* (yield* TensorEngine).open;
  const asks = values["query"] !== undefined || values["queries"] !== undefined;
  const closest = optional(values, "closest") ?? (asks ? undefined : 10);
  const base = yield* reportBase(invocation);
  const judge = task.crossEncoder && (yield* openCrossEncoder(task.crossEncoder, { requireHead: true }));
  const encoder = queries.length === 0 ? undefined : yield* openBiEncoder(task.model);
  return yield* attempt(async (): Promise<SearchReport> => {
    const rerank = judge && pairScorer(engine, judge);
    const none: Found<never> = { found: new Array<never>(), comparing: NOTHING, reranking: NOTHING };
    const pairs = closest === undefined ? none : await similarPairs(engine, corpus, { k: closest, rerank });
    const asked = encoder &&
      await answer(engine, encoder, queries, corpus, { k: optional(values, "top-k") ?? 5, rerank });
    const told = (i: number) => ({ row: corpus.rows[i]!, text: corpus.texts[i]! });
    const n = corpus.texts.length;
    return {
      schema: "kindred-search/1",
      ...base,
      model: text(values, "model") ?? "sample",
      cross_encoder: text(values, "cross-encoder") ?? null,
      corpus: {
        source: text(values, "corpus") ?? "sample",
        texts: (await summaryOf(task.data)).rows,
        distinct: n,
      },
      pairs: pairs.found.map(({ first, second, ...scores }) => ({
        first: told(first),
        second: told(second),
        ...scores,
      })),
      queries: queries.map((query, q) => ({
        query,
        hits: asked!.found[q]!.map(({ row, ...scores }) => ({ ...told(row), ...scores })),
      })),
      cost: searchCost(n, { inferences: n, seconds: corpus.seconds }, pairs),
      ...(asked !== undefined && { query_cost: asked.cost }),
    };
  });
}, Effect.scoped);

const NOTHING = { inferences: 0, seconds: 0 };

/** Embeds the queries, with the model's prompt for them if it has one, and looks for each. */
async function answer(
  engine: Engine,
  encoder: BiEncoder,
  queries: readonly string[],
  corpus: EmbeddedTexts,
  options: { readonly k: number; readonly rerank: PairScorer | undefined },
): Promise<Found<readonly Hit[]> & { readonly cost: NonNullable<SearchReport["query_cost"]> }> {
  const started = performance.now();
  const embeddings = await roleEncoder(engine, encoder)(queries, "query");
  const embedding = { inferences: queries.length, seconds: (performance.now() - started) / 1000 };
  const found = await searchCorpus(engine, { texts: queries, embeddings }, corpus, options);
  const { biEncoder, crossEncoder } = searchCost(0, embedding, found);
  const pairs = queries.length * corpus.texts.length;
  const allPairs = crossEncoder.inferences === 0
    ? undefined
    : { inferences: pairs, seconds: pairs * crossEncoder.seconds / crossEncoder.inferences };
  return { ...found, cost: { queries: queries.length, pairs, biEncoder, crossEncoder, allPairs } };
}
