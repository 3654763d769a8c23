/**
 * From flags to a search: corpus, queries, and both ways of comparing.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { parseArgs } from "node:util";
import { attempt, attemptSync } from "../attempt.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Engine } from "../engine/engine.ts";
import { type KindredError, UsageError } from "../error.ts";
import { nearest, type Neighbors } from "../embed/nearest.ts";
import { type OutputPrecision, quantizeEmbeddings } from "../embed/quantize.ts";
import { nearestQuantized, recallOf } from "../embed/quantized_search.ts";
import { type Role, roleEncoder, rolePrompts } from "../embed/roles.ts";
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
import { type BiEncoder, keptWidth } from "../model/bi_encoder.ts";
import { promptOf } from "../model/prompts.ts";
import { openBiEncoder, openCrossEncoder } from "../stage/models.ts";
import { type CountedDataset, type ModelFolder, summaryOf } from "../stage/artifact.ts";
import { lengthLimit } from "./card.ts";
import type { FlagValues, Invocation } from "./flags.ts";
import { TensorEngine } from "../stage/engine.ts";
import { reportBase } from "./report_base.ts";
import type { QuantizedSearchReport, SearchReport } from "./search_report.ts";
import { checkOwnModel, columnOf, optional, text } from "./settings.ts";
import { phase } from "../stage/progress.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import { loadScoredPairs, loadTexts, type Texts } from "./stages/load.ts";
import { type EmbedCorpusParameters, type EmbeddedCorpus, flattenPairs } from "./stages/search.ts";

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
    if (given.some((value) => value.trim() === "")) {
      return yield* Effect.fail(new UsageError("--query is empty", { expected: "a text to search for" }));
    }
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
  /** How the corpus was embedded: longest text in tokens, features of an embedding. */
  readonly embedding: EmbedCorpusParameters;
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
  const precision = (text(values, "corpus-precision") ?? "float32") as CorpusPrecision;
  const multiplier = optional(values, "rescore-multiplier");
  const judge = task.crossEncoder && (yield* openCrossEncoder(task.crossEncoder, { requireHead: true }));
  const encoder = yield* openBiEncoder(task.model, task.embedding);
  const prompts = rolePrompts(encoder);
  const promptOfRole = (role: Role) => promptOf(encoder, prompts[role]) ?? null;
  return yield* attempt(async (): Promise<SearchReport> => {
    const rerank = judge && pairScorer(engine, judge);
    const none: Found<never> = { found: new Array<never>(), comparing: NOTHING, reranking: NOTHING };
    const pairs = closest === undefined ? none : await similarPairs(engine, corpus, { k: closest, rerank });
    const k = optional(values, "top-k") ?? 5;
    const asked = queries.length === 0
      ? undefined
      : await answer(engine, encoder, queries, corpus, { k, rerank, precision, multiplier });
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
      max_seq_length: lengthLimit(encoder),
      width: keptWidth(encoder),
      prompts: { query: promptOfRole("query"), document: promptOfRole("document") },
      ...(asked?.quantized !== undefined && { quantized: asked.quantized }),
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

/** How a corpus can be searched. */
type CorpusPrecision = "float32" | "float16" | "int8" | "binary" | "binary+int8";

/** What the recall of a search is measured at. */
const RECALL_AT = 10;
/** Of bits, so many times the hits are compared with the query itself, if nothing is said. */
const RESCORE_MULTIPLIER = 4;

/** Flags of a quantised corpus that nothing would look at. */
export function checkCorpusPrecision(values: FlagValues, queries: number): void {
  const precision = text(values, "corpus-precision") ?? "float32";
  if (precision !== "float32" && queries === 0) {
    throw new UsageError("--corpus-precision is how queries are answered, and there are none", {
      hint: "name one with --query; closest pairs are found in float32",
    });
  }
  if (values["rescore-multiplier"] === undefined || precision.startsWith("binary")) return;
  throw new UsageError("--rescore-multiplier is for a corpus of bits", {
    expected: "--corpus-precision binary, or binary+int8",
    found: `--corpus-precision ${precision}`,
  });
}

/** A corpus in other precisions: what is searched, and what its hits are compared by. */
function quantized(corpus: EmbeddedTexts, precision: Exclude<CorpusPrecision, "float32">) {
  const { embeddings } = corpus;
  const [searched, compared] = precision.split("+").map((name) => name === "binary" ? "ubinary" : name);
  // A single text has no ranges of its own: its code is then the least, and its range no step wide.
  const ranges = embeddings.rows > 1 ? undefined : { min: embeddings.data, max: embeddings.data };
  const [found, rescoreWith] = [searched, compared].map((name) =>
    name === undefined ? undefined : quantizeEmbeddings(embeddings, name as OutputPrecision, { ranges })
  );
  const bytes = found!.data.byteLength + (rescoreWith?.data.byteLength ?? 0);
  return { corpus: { texts: corpus.texts, embeddings: found! }, rescoreWith, bytes };
}

/** Embeds the queries, with the model's prompt for them if it has one, and looks for each. */
async function answer(
  engine: Engine,
  encoder: BiEncoder,
  queries: readonly string[],
  corpus: EmbeddedTexts,
  { k, rerank, precision, multiplier }: {
    readonly k: number;
    readonly rerank: PairScorer | undefined;
    readonly precision: CorpusPrecision;
    readonly multiplier: number | undefined;
  },
): Promise<
  Found<readonly Hit[]> & {
    readonly cost: NonNullable<SearchReport["query_cost"]>;
    readonly quantized: SearchReport["quantized"];
  }
> {
  const started = performance.now();
  const embeddings = await roleEncoder(engine, encoder)(queries, "query");
  const embedding = { inferences: queries.length, seconds: (performance.now() - started) / 1000 };
  const asked = { texts: queries, embeddings };
  const rescoreMultiplier = multiplier ?? RESCORE_MULTIPLIER;
  const other = precision === "float32" ? undefined : quantized(corpus, precision);
  const found = other === undefined
    ? await searchCorpus(engine, asked, corpus, { k, rerank })
    : await searchCorpus(engine, asked, other.corpus, {
      k,
      rerank,
      rescoreMultiplier,
      rescoreWith: other.rescoreWith,
    });
  const { biEncoder, crossEncoder } = searchCost(0, embedding, found);
  const pairs = queries.length * corpus.texts.length;
  const allPairs = crossEncoder.inferences === 0
    ? undefined
    : { inferences: pairs, seconds: pairs * crossEncoder.seconds / crossEncoder.inferences };
  return {
    ...found,
    cost: { queries: queries.length, pairs, biEncoder, crossEncoder, allPairs },
    quantized: other && await compared(),
  };

  /** The search in the quantised corpus and the one in float32, side by side. */
  async function compared(): Promise<QuantizedSearchReport> {
    const { corpus: { embeddings: bytes }, rescoreWith } = other!;
    const timed = async (search: () => Promise<Neighbors>) => {
      const started = performance.now();
      const neighbors = await search();
      return { neighbors, seconds: (performance.now() - started) / 1000 };
    };
    const quick = await timed(() =>
      nearestQuantized(engine, embeddings, bytes, { k: RECALL_AT, rescoreMultiplier, rescoreWith })
    );
    const exact = await timed(() => nearest(engine, embeddings, corpus.embeddings, { k: RECALL_AT }));
    return {
      precision,
      bytes: other!.bytes,
      float32_bytes: corpus.embeddings.data.byteLength,
      rescore_multiplier: precision.startsWith("binary") ? rescoreMultiplier : null,
      "recall@10": recallOf(quick.neighbors, exact.neighbors),
      seconds: quick.seconds,
      float32_seconds: exact.seconds,
    };
  }
}
