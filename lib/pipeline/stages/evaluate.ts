/**
 * evaluate: how well a model knows graded pairs, finds what belongs together, or classifies pairs.
 *
 * @module
 */
import { Effect } from "effect";
import { dirname, join } from "node:path";
import { attempt } from "../../attempt.ts";
import { openTensors } from "../../checkpoint/safetensors.ts";
import type { Dataset, LabelledPairs, LabelledTexts, ScoredPairs } from "../../data/dataset.ts";
import type { Columns } from "../../data/rows.ts";
import type { Engine } from "../../engine/engine.ts";
import { encodeTexts } from "../../embed/encode.ts";
import { type Embeddings, pairwiseSimilarities, rowsOf } from "../../embed/pairwise.ts";
import { type Role, roleEncoder } from "../../embed/roles.ts";
import type { NearestSimilarity } from "../../embed/nearest.ts";
import { type RetrievalRows, retrievalSets } from "../../data/retrieval_sets.ts";
import { evaluateRetrievalSets } from "../../evaluate/retrieval_sets.ts";
import { evaluateRetrieval, pairRetrieval, type RetrievalColumns } from "../../evaluate/information_retrieval.ts";
import { evaluateLabels } from "../../evaluate/label_metrics.ts";
import { classAccuracy } from "../../evaluate/pair_classes.ts";
import { similarityMetrics } from "../../evaluate/similarity.ts";
import { lossOf, type LossSpec } from "../../loss/named.ts";
import type { BiEncoder } from "../../model/bi_encoder.ts";
import type { Metrics } from "../../train/record.ts";
import {
  datasetFormat,
  type Evaluation,
  evaluationFormat,
  type ModelFolder,
  modelFormat,
  type ModelShape,
  writeEmbeddings,
  writeJson,
} from "../../stage/artifact.ts";
import { TensorEngine } from "../../stage/engine.ts";
import { openBiEncoder } from "../../stage/models.ts";
import { phase } from "../../stage/progress.ts";
import { type Artifact, defineStage, type Services, type Stage } from "../../stage/stage.ts";
import type { KindredError } from "../../error.ts";

/**
 * What a model is asked: the similarity of graded pairs; to find each anchor's positives among all; to find what is relevant
 * to queries in a corpus, or in those of NanoBEIR; the class of pairs, with the head that was trained with it; the label of
 * texts, by their neighbours.
 */
export type EvaluationKind = "similarity" | "retrieval" | "corpus" | "nanobeir" | "classes" | "labels";

/** The metric that stands for each kind: the higher the better. */
export const PRIMARY_METRIC: Readonly<Record<EvaluationKind, string>> = {
  similarity: "spearman_cosine",
  retrieval: "cosine_ndcg@10",
  corpus: "cosine_ndcg@10",
  nanobeir: "NanoBEIR_mean_cosine_ndcg@10",
  classes: "accuracy",
  labels: "knn_accuracy_cosine",
};

/** How rows are evaluated. */
export interface EvaluateParameters {
  /** What is asked. */
  readonly kind: EvaluationKind;
  /** For classes: the loss whose head tells them. */
  readonly loss?: LossSpec | undefined;
  /** For labels: how many neighbours vote. Default 10. */
  readonly neighbors?: number | undefined;
}

/** The head of a softmax loss, on the host. */
type Head = Readonly<Record<string, Float32Array>>;

/** The head that was trained beside a model, if there is one. */
async function readHead(folder: string): Promise<Head | undefined> {
  const path = join(dirname(folder), "head.safetensors");
  if (!await Deno.stat(path).then(({ isFile }) => isFile, () => false)) return undefined;
  const reader = await openTensors(path);
  try {
    const head: Record<string, Float32Array> = {};
    for (const name of reader.tensors.keys()) head[name] = await reader.readF32(name);
    return head;
  } finally {
    reader.close();
  }
}

/** The head as training begins with it. */
function newHead(loss: LossSpec, width: number, seed: number): Head {
  return Object.fromEntries(
    Object.entries(lossOf(loss).head?.(width, seed) ?? {}).map(([name, { data }]) => [name, data]),
  );
}

const evaluateStage = defineStage<
  ModelShape & EvaluateParameters & { readonly seed?: number | undefined },
  { model: ModelFolder; rows: Dataset<Columns> },
  Evaluation
>({
  name: "evaluate",
  version: 7, // tokens as the reference has them, to the last bit of a score
  inputs: { model: modelFormat, rows: datasetFormat<Columns>() },
  output: evaluationFormat,
  computes: true,
  draws: ({ kind }) => kind === "classes",
  run: Effect.fnUntraced(function* ({ parameters, inputs, scratch }) {
    const { kind, loss, neighbors, seed, ...shape } = parameters;
    yield* phase("evaluating");
    const engine = yield* (yield* TensorEngine).open;
    const model = yield* openBiEncoder(inputs.model, shape);
    yield* attempt(async () => {
      const { folder } = await inputs.model.read();
      const fresh = loss && newHead(loss, model.width, seed ?? 0);
      const trained = fresh && (await readHead(folder));
      const fits = Object.entries(fresh ?? {}).every(([name, { length }]) => trained?.[name]?.length === length);
      const head = fits ? trained : fresh;
      const rows = await inputs.rows.read();
      const { embeddings, similarities, ranks, metrics } = await evaluateRows(engine, model, rows, {
        kind,
        loss,
        neighbors,
        head,
      });
      await writeJson(join(scratch, "metrics.json"), {
        metrics,
        similarities: [...similarities],
        ...(ranks !== undefined && { ranks: [...ranks] }),
      });
      await writeEmbeddings(scratch, embeddings);
    });
  }),
});

/** The metrics of a model on rows of a kind, the cosine of every pair, and the embeddings of the texts. */
export const evaluateModel: (
  inputs: { readonly model: Artifact<ModelFolder>; readonly rows: Artifact<Dataset<Columns>> },
  parameters: ModelShape & EvaluateParameters & {
    /** Of the head that training begins with. */
    readonly seed?: number | undefined;
  },
  as?: string,
) => Effect.Effect<Artifact<Evaluation>, KindredError, Services> = Effect.fnUntraced(
  function* (inputs, { loss, seed, ...parameters }, as) {
    const classes = parameters.kind === "classes" ? { loss, seed } : {};
    return yield* evaluateStage(inputs, { ...parameters, ...classes }, as);
  },
);

/** The ten similarity metrics of graded pairs, every pair's cosine, and the embeddings of the sentences. */
export const evaluateSimilarity: Stage<ModelShape, { model: ModelFolder; pairs: Dataset<ScoredPairs> }, Evaluation> =
  Effect.fnUntraced(function* ({ model, pairs }, shape, as) {
    const rows = pairs as Artifact<Dataset<Columns>>;
    return yield* evaluateModel({ model, rows }, { kind: "similarity", ...shape }, as);
  });

/** The distinct texts of the first two columns, in order of first occurrence, and the place of each row's among them. */
export function sentencesOf({ columns }: Dataset<Columns>): {
  readonly sentences: readonly string[];
  readonly first: Int32Array;
  readonly second: Int32Array;
} {
  const places = new Map<string, number>();
  const placeOf = (text: string) => {
    const known = places.get(text);
    if (known !== undefined) return known;
    places.set(text, places.size);
    return places.size - 1;
  };
  const [one, two] = Object.values(columns) as (readonly string[])[];
  const first = Int32Array.from(one!, placeOf);
  const second = Int32Array.from(two!, placeOf);
  return { sentences: [...places.keys()], first, second };
}

/** What {@linkcode evaluateRows} gives. */
export interface EvaluatedRows {
  /** By sentence-transformers' names. */
  readonly metrics: Metrics;
  /** Cosine of every pair. */
  readonly similarities: Float64Array;
  /** Of a retrieval: where each query's first relevant document stands. */
  readonly ranks?: Int32Array | undefined;
  /** Of a retrieval of pairs: [queries] by metric. */
  readonly values?: Readonly<Record<string, Float64Array>> | undefined;
  /** Of the distinct texts. */
  readonly embeddings: Embeddings;
}

/** The metrics of a model that is loaded already. Every distinct text is embedded once. */
export async function evaluateRows(
  engine: Engine,
  model: BiEncoder,
  rows: Dataset<Columns>,
  { kind, loss, neighbors, head }: EvaluateParameters & { readonly head?: Head | undefined },
): Promise<EvaluatedRows> {
  if (kind === "labels") {
    const { text, label } = rows.columns as LabelledTexts;
    const embeddings = await encodeTexts(engine, model, text);
    const { metrics } = await evaluateLabels(engine, embeddings, label, { k: neighbors ?? 10 });
    return { metrics: { ...metrics }, similarities: new Float64Array(), embeddings };
  }
  if (kind === "retrieval") return await retrieve(engine, model, rows);
  if (kind === "corpus" || kind === "nanobeir") return await retrieveSets(engine, model, rows);
  const { sentences, first, second } = sentencesOf(rows);
  const embeddings = await encodeTexts(engine, model, sentences);
  const [a, b] = [rowsOf(embeddings, first), rowsOf(embeddings, second)];
  const similarities = pairwiseSimilarities(a, b).cosine;
  if (kind === "similarity") {
    const { score } = rows.columns as ScoredPairs;
    return { metrics: similarityMetrics(a, b, score), similarities, embeddings };
  }
  const { multiplication = false } = lossOf(loss!).options as { multiplication?: boolean };
  const { "classifier.weight": weight, "classifier.bias": bias } = head!;
  const classifier = { weight: weight!, bias: bias!, multiplication };
  const { label } = rows.columns as LabelledPairs;
  return { metrics: classAccuracy(a, b, label, classifier), similarities, embeddings };
}

/** Queries look for what is relevant to them in the corpus of their set, of which no embeddings are kept. */
async function retrieveSets(engine: Engine, model: BiEncoder, rows: Dataset<Columns>): Promise<EvaluatedRows> {
  const sets = retrievalSets(rows as Dataset<RetrievalRows>);
  const similarities = similaritiesOf(model);
  const { metrics, ranks } = await evaluateRetrievalSets(engine, blockEncoder(engine, model), sets, { similarities });
  const embeddings = { data: new Float32Array(0), width: model.width, rows: 0 };
  return { metrics, ranks, similarities: new Float64Array(), embeddings };
}

/**
 * Embeds queries and blocks of documents, and gives back the memory of each block as the next one is asked for: a
 * collection of garbage sees that blocks are small, and lets them wait. `prefixOf`: what goes before the texts of a set
 * instead of the model's prompt.
 */
export function blockEncoder(
  engine: Engine,
  model: BiEncoder,
  prefixOf: (role: Role, set: string) => string | undefined = () => undefined,
): (texts: readonly string[], role: Role, set: string) => Promise<Embeddings> {
  let last: Embeddings | undefined;
  return async (texts, role, set) => {
    if (last !== undefined) (last.data.buffer as ArrayBuffer).transfer(0);
    last = undefined;
    const prefix = prefixOf(role, set);
    const encode = roleEncoder(engine, model, prefix === undefined ? {} : { [role]: { prefix } });
    const embeddings = await encode(texts, role);
    if (role === "document") last = embeddings;
    return embeddings;
  };
}

/** How a model's retrieval is measured: by cosine, and by dot product where the model was made for it. */
export const similaritiesOf = ({ similarity }: Pick<BiEncoder, "similarity">): readonly NearestSimilarity[] =>
  similarity === "dot" ? ["cosine", "dot"] : ["cosine"];

/** Anchors look for their positives; what is looked for and what is found have the prompts of their roles. */
async function retrieve(engine: Engine, model: BiEncoder, rows: Dataset<Columns>): Promise<EvaluatedRows> {
  const columns = rows.columns as RetrievalColumns;
  const { queries, documents, relevant } = pairRetrieval(columns);
  const encode = roleEncoder(engine, model);
  const [asked, held] = [await encode(queries, "query"), await encode(documents, "document")];
  const { metrics, ranks, values } = await evaluateRetrieval(engine, asked, held, relevant, {
    similarities: similaritiesOf(model),
  });
  const [queryAt, documentAt] = [placesOf(queries), placesOf(documents)];
  const first = rowsOf(asked, Int32Array.from(columns.anchor, (text) => queryAt.get(text)!));
  const second = rowsOf(held, Int32Array.from(columns.positive, (text) => documentAt.get(text)!));
  const { sentences } = sentencesOf(rows);
  const { width } = asked;
  const embeddings = { data: new Float32Array(sentences.length * width), width, rows: sentences.length };
  sentences.forEach((text, i) => {
    const [from, at] = queryAt.has(text) ? [asked, queryAt.get(text)!] : [held, documentAt.get(text)!];
    embeddings.data.set(from.data.subarray(at * width, (at + 1) * width), i * width);
  });
  return { metrics, ranks, values, similarities: pairwiseSimilarities(first, second).cosine, embeddings };
}

const placesOf = (texts: readonly string[]): ReadonlyMap<string, number> =>
  new Map(texts.map((text, place) => [text, place]));
