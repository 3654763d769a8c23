/**
 * What a model says of evaluation rows: texts become embeddings, and these metrics, whole or cut to their first numbers.
 *
 * @module
 */
import type { Dataset, LabelledPairs, LabelledTexts, ScoredPairs } from "../../data/dataset.ts";
import { type RetrievalRows, retrievalSets } from "../../data/retrieval_sets.ts";
import type { Columns } from "../../data/rows.ts";
import { encodeTexts } from "../../embed/encode.ts";
import type { NearestSimilarity } from "../../embed/blocks.ts";
import { type Embeddings, firstFeatures, pairwiseSimilarities, rowsOf } from "../../embed/pairwise.ts";
import { type Role, roleEncoder } from "../../embed/roles.ts";
import type { Engine } from "../../engine/engine.ts";
import {
  evaluateRetrieval,
  informationRetrievalMetrics,
  pairRetrieval,
  type RetrievalColumns,
} from "../../evaluate/information_retrieval.ts";
import { evaluateLabels } from "../../evaluate/label_metrics.ts";
import { classAccuracy } from "../../evaluate/pair_classes.ts";
import { evaluateRetrievalSets } from "../../evaluate/retrieval_sets.ts";
import { correlationsOf, similarityMetrics } from "../../evaluate/similarity.ts";
import { evaluateMse, evaluateTranslation } from "../../evaluate/translation.ts";
import { lossOf, type LossSpec } from "../../loss/named.ts";
import { type BiEncoder, keptWidth } from "../../model/bi_encoder.ts";
import { giveBack } from "../../numeric/give_back.ts";
import { startNumbering } from "../../numbering.ts";
import type { CutMetrics } from "../../stage/artifact.ts";
import type { Metrics } from "../../train/record.ts";

/**
 * What a model is asked: the similarity of graded pairs; to find each anchor's positives among all; to find what is relevant
 * to queries in a corpus, or in those of NanoBEIR; the class of pairs, with the head that was trained with it; the label of
 * texts, by their neighbours; how far its embeddings are from a teacher's; and whether translations lie nearest to each other.
 */
export type EvaluationKind =
  | "similarity"
  | "retrieval"
  | "corpus"
  | "nanobeir"
  | "classes"
  | "labels"
  | "imitation"
  | "translation";

/** The metric that stands for each kind: the higher the better. */
export const PRIMARY_METRIC: Readonly<Record<EvaluationKind, string>> = {
  similarity: "spearman_cosine",
  retrieval: "cosine_ndcg@10",
  corpus: "cosine_ndcg@10",
  nanobeir: "NanoBEIR_mean_cosine_ndcg@10",
  classes: "accuracy",
  labels: "knn_accuracy_cosine",
  imitation: "negative_mse",
  translation: "mean_accuracy",
};

/** Metrics that a kind of evaluation gives whatever the rows are: a name among them need not be tried. */
export function surelyMeasured(kind: EvaluationKind): readonly string[] {
  if (kind === "similarity") {
    const two = [0, 1];
    return Object.keys(correlationsOf({ cosine: two, dot: two, euclidean: two, manhattan: two }, two));
  }
  if (kind === "retrieval" || kind === "corpus") return Object.keys(informationRetrievalMetrics([[0]], [[0]]));
  return [PRIMARY_METRIC[kind]];
}

/** How rows are evaluated. */
export interface EvaluateParameters {
  /** What is asked. */
  readonly kind: EvaluationKind;
  /** For classes: the loss whose head tells them. */
  readonly loss?: LossSpec | undefined;
  /** For labels: how many neighbours vote. Default 10. */
  readonly neighbors?: number | undefined;
  /** Measures embeddings cut to so many of their first numbers as well, each length for itself. Default: none. */
  readonly dimensions?: readonly number[] | undefined;
}

/** What a measurement may want beside model and rows. */
interface EvaluationAids {
  /** The head of a softmax loss. */
  readonly head?: Head | undefined;
  /** A teacher's embeddings of the first column of texts, for imitation and translation. */
  readonly taught?: Embeddings | undefined;
}

/** The head of a softmax loss, on the host. */
export type Head = Readonly<Record<string, Float32Array>>;

/** The distinct texts of the first two columns, in order of first occurrence, and the place of each row's among them. */
export function sentencesOf({ columns }: Dataset<Columns>): {
  readonly sentences: readonly string[];
  readonly first: Int32Array;
  readonly second: Int32Array;
} {
  const { numberOf, texts } = startNumbering();
  const [one, two] = Object.values(columns) as (readonly string[])[];
  const first = Int32Array.from(one!, numberOf);
  const second = Int32Array.from(two!, numberOf);
  return { sentences: texts(), first, second };
}

/** What {@linkcode evaluateRows} gives. */
export interface EvaluatedRows {
  /** By sentence-transformers' names. */
  readonly metrics: Metrics;
  /** The same of embeddings that were cut, one entry for each length that was asked for. */
  readonly cut?: readonly CutMetrics[] | undefined;
  /** Cosine of every pair. */
  readonly similarities: Float64Array;
  /** Of a retrieval: where each query's first relevant document stands. */
  readonly ranks?: Int32Array | undefined;
  /** Of a retrieval of pairs: [queries] by metric. */
  readonly values?: Readonly<Record<string, Float64Array>> | undefined;
  /** Of the distinct texts. */
  readonly embeddings: Embeddings;
}

/** What embeds texts: in a role, or behind the model's default prompt. */
type Encode = (texts: readonly string[], role?: Role) => Promise<Embeddings>;

/** The metrics of a model that is loaded already. Every distinct text is embedded once, also for several lengths. */
export async function evaluateRows(
  engine: Engine,
  model: BiEncoder,
  rows: Dataset<Columns>,
  { dimensions, ...asked }: EvaluateParameters & EvaluationAids,
): Promise<EvaluatedRows> {
  const known = new Map<Role | undefined, Promise<Embeddings>>();
  const whole: Encode = (texts, role) => {
    const before = known.get(role);
    if (before !== undefined) return before; // the same rows have the same texts in a role
    const uncut = { ...model, truncateDim: undefined };
    const made = role === undefined ? encodeTexts(engine, uncut, texts) : roleEncoder(engine, uncut)(texts, role);
    known.set(role, made);
    return made;
  };
  const at = (width: number) =>
    measureRows(
      engine,
      { ...model, truncateDim: width },
      rows,
      asked,
      async (texts, role) => firstFeatures(await whole(texts, role), width),
    );
  const result = await at(keptWidth(model));
  if (dimensions === undefined) return result;
  const cut: CutMetrics[] = [];
  for (const width of dimensions) cut.push({ dimensions: width, metrics: (await at(width)).metrics });
  return { ...result, cut };
}

/** One measurement, of embeddings as they come. */
async function measureRows(
  engine: Engine,
  model: BiEncoder,
  rows: Dataset<Columns>,
  { kind, loss, neighbors, head, taught }: EvaluateParameters & EvaluationAids,
  encode: Encode,
): Promise<EvaluatedRows> {
  if (kind === "imitation" || kind === "translation") return await imitate(engine, model, rows, taught, encode);
  if (kind === "labels") {
    const { text, label } = rows.columns as LabelledTexts;
    const embeddings = await encode(text);
    const { metrics } = await evaluateLabels(engine, embeddings, label, { k: neighbors ?? 10 });
    return { metrics: { ...metrics }, similarities: new Float64Array(), embeddings };
  }
  if (kind === "retrieval") return await retrieve(engine, model, rows, encode);
  // No embeddings of a corpus are kept: for each length it is embedded anew.
  if (kind === "corpus" || kind === "nanobeir") return await retrieveSets(engine, model, rows);
  const { sentences, first, second } = sentencesOf(rows);
  const embeddings = await encode(sentences);
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
 * Embeds queries and blocks of documents, and gives back the memory of each block as the next one is asked for.
 * `prefixOf`: what goes before the texts of a set instead of the model's prompt.
 */
export function blockEncoder(
  engine: Engine,
  model: BiEncoder,
  prefixOf: (role: Role, set: string) => string | undefined = () => undefined,
): (texts: readonly string[], role: Role, set: string) => Promise<Embeddings> {
  let last: Embeddings | undefined;
  return async (texts, role, set) => {
    if (last !== undefined) giveBack(last.data);
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

/**
 * How far the embeddings of texts are from a teacher's; of translations, those of the second column from the teacher's of the
 * first, and whether a text's translation lies nearest to it. As in sentence-transformers no other prompt stands before
 * texts than the model's default one.
 */
async function imitate(
  engine: Engine,
  { width: whole, truncateDim: width = whole }: BiEncoder,
  rows: Dataset<Columns>,
  taught: Embeddings | undefined,
  encode: Encode,
): Promise<EvaluatedRows> {
  const [source, target] = Object.values(rows.columns).filter((column) => Array.isArray(column));
  const distance = (student: Embeddings) =>
    // Embeddings that are cut are compared with the teacher's cut ones; those of another width cannot be compared.
    taught?.width === whole ? evaluateMse(firstFeatures(taught, width), student).metrics : undefined;
  if (target === undefined) {
    const embeddings = await encode(source!);
    const none = { data: new Float32Array(0), width, rows: 0 }; // single texts have no place on the page
    return { metrics: { ...distance(embeddings) }, similarities: new Float64Array(), embeddings: none };
  }
  const { sentences, first, second } = sentencesOf(rows);
  const embeddings = await encode(sentences);
  const [a, b] = [rowsOf(embeddings, first), rowsOf(embeddings, second)];
  const { metrics } = await evaluateTranslation(
    engine,
    { texts: source!, embeddings: a },
    { texts: target, embeddings: b },
  );
  return { metrics: { ...metrics, ...distance(b) }, similarities: pairwiseSimilarities(a, b).cosine, embeddings };
}

/** Anchors look for their positives; what is looked for and what is found have the prompts of their roles. */
async function retrieve(
  engine: Engine,
  model: BiEncoder,
  rows: Dataset<Columns>,
  encode: Encode,
): Promise<EvaluatedRows> {
  const columns = rows.columns as RetrievalColumns;
  const { queries, documents, relevant } = pairRetrieval(columns);
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
