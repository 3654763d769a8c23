/**
 * load: files, or the sample that ships inside, as typed columns.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt } from "../../attempt.ts";
import { type ColumnMapping, findName, isNamed } from "../../data/column_names.ts";
import {
  asLabelledPairs,
  asLabelledTexts,
  asPairsOrTriplets,
  asScoredPairs,
  texts as textsOf,
  usedColumns,
} from "../../data/columns.ts";
import type {
  Column,
  Dataset,
  LabelledPairs,
  MarginRows,
  Pairs,
  RankedDocuments,
  ScoredPairs,
  Triplets,
} from "../../data/dataset.ts";
import { checkCosineScores } from "../../data/cosine_scores.ts";
import { asRankedDocuments, usedListColumns } from "../../data/lists.ts";
import { asMarginRows } from "../../data/margins.ts";
import type { SentencePairs } from "../../augment/pairs.ts";
import type { Columns } from "../../data/rows.ts";
import {
  sampleGraded,
  sampleLists,
  sampleNextSentences,
  sampleNli,
  samplePassages,
  sampleStories,
  sampleSts,
  sampleTargetNli,
  sampleTargetSts,
  sampleTargetTexts,
  sampleTexts,
} from "../../data/sample/mod.ts";
import { distinctTexts } from "../../data/texts.ts";
import { readTable } from "../../data/table.ts";
import type { Table } from "../../data/table_builder.ts";
import { DatasetError, type KindredError, UsageError } from "../../error.ts";
import { type CountedDataset, datasetFormat, summaryOf, writeDataset } from "../../stage/artifact.ts";
import { source, type SourceFiles, sourceFormat } from "../../stage/roots.ts";
import { emit, phase } from "../../stage/progress.ts";
import { type Artifact, defineStage, type Services } from "../../stage/stage.ts";

/** A column of texts. */
export type Texts = {
  /** The texts. */
  readonly text: readonly string[];
};

/**
 * What rows shall become. The last two take rows that are ready for a loss as they are, and NLI pairs otherwise: a stage
 * after this one makes rows of the loss of them.
 */
const KINDS: Readonly<Record<RowKind, (table: Table, mapping: ColumnMapping) => Loaded>> = {
  "labelled-pairs": (table: Table, mapping: ColumnMapping) => asLabelledPairs(table, mapping),
  "scored-pairs": (table: Table, mapping: ColumnMapping) => counted(asScoredPairs(table, mapping)),
  "texts": (table: Table, mapping: ColumnMapping) => {
    const text = textsOf(table, "text", mapping);
    return counted<Texts>(textColumn(text));
  },
  "flat-texts": (table: Table, mapping: ColumnMapping) => {
    const roles = textRoles(table, mapping);
    const own: ColumnMapping = roles[0] === "text" ? mapping : Object.fromEntries(roles.map((role) => [role, role]));
    const { texts, dropped } = distinctTexts(roles.map((role) => textsOf(table, role, own)));
    return { dataset: textColumn(texts), dropped, used: usedColumns(table, roles, own) };
  },
  "sentence-pairs": (table: Table, mapping: ColumnMapping) => {
    const [sentence1, sentence2] = [textsOf(table, "sentence1", mapping), textsOf(table, "sentence2", mapping)];
    const labelled = isNamed(table, "label") || isNamed(table, "score") ? 1 : 0;
    return { dataset: { columns: { sentence1, sentence2 }, rows: table.rows }, dropped: 0, counts: { labelled } };
  },
  "pairs-or-nli": (table: Table, mapping: ColumnMapping) =>
    isLabelled(table, mapping) ? asLabelledPairs(table, mapping) : counted(asPairsOrTriplets(table, mapping)),
  "scores-or-nli": (table: Table, mapping: ColumnMapping) =>
    table.names.includes("score") || "score" in mapping || lacksLabel(table, mapping)
      ? counted(cosinePairs(table, mapping))
      : asLabelledPairs(table, mapping),
  "lists": (table: Table, mapping: ColumnMapping) => ({
    ...counted(asRankedDocuments(table, mapping)),
    used: usedListColumns(table, mapping),
  }),
  "margins": (table: Table, mapping: ColumnMapping) => counted(asMarginRows(table, mapping)),
  "evaluation-rows": (table: Table, mapping: ColumnMapping) => {
    if (isGraded(table, mapping)) return counted(asScoredPairs(table, mapping));
    if (isClassified(table, mapping)) return counted(asLabelledTexts(table, mapping).dataset as Dataset<Columns>);
    return isLabelled(table, mapping) ? asLabelledPairs(table, mapping) : counted(asPairsOrTriplets(table, mapping));
  },
};

interface Loaded {
  readonly dataset: Dataset<Columns>;
  readonly dropped: number;
  readonly counts?: Readonly<Record<string, number>>;
  /** Columns of the file, where they do not follow from those of the dataset. */
  readonly used?: Readonly<Record<string, string>>;
}

/** Names of the kinds. */
export type RowKind =
  | "labelled-pairs"
  | "scored-pairs"
  | "sentence-pairs"
  | "texts"
  | "flat-texts"
  | "pairs-or-nli"
  | "scores-or-nli"
  | "lists"
  | "margins"
  | "evaluation-rows";

/** The one column of texts, or those of pairs, which the file then names as we do. */
function textRoles(table: Table, mapping: ColumnMapping): readonly string[] {
  const names = ["premise", "hypothesis", "anchor", "positive", "negative", "sentence1", "sentence2"];
  const found = names.filter((name) => table.names.includes(name));
  return "text" in mapping || found.length === 0 ? ["text"] : found;
}

/** Whether pairs have a class of natural-language inference: a label alone may be anything else's. */
const isLabelled = (table: Table, mapping: ColumnMapping) =>
  "label" in mapping ||
  (isNamed(table, "label") && ("premise" in mapping || isNamed(table, "premise")));

/** Whether there can be no class: then there is a score by another name, or it is a score that is missing. */
const lacksLabel = (table: Table, mapping: ColumnMapping) =>
  table.header && !("label" in mapping) && !isNamed(table, "label");

/** Whether pairs have a similarity: one of its own name, or numbers called label that are not the classes of NLI pairs. */
function isGraded(table: Table, mapping: ColumnMapping): boolean {
  if ("score" in mapping) return true;
  if ("label" in mapping) return false;
  const name = findName(table, "score");
  if (name === undefined) return false;
  if (table.header && name.toLowerCase() !== "label") return true;
  const isNumeric = table.columns.get(name)!.every((value) => Number.isFinite(Number(value ?? NaN)));
  return isNumeric && !table.names.some((other) => /^(premise|hypothesis)$/i.test(other));
}

/** Whether texts stand alone, each with a class. */
export const isClassified = (table: Table, mapping: ColumnMapping) =>
  "text" in mapping || (isNamed(table, "class") && isNamed(table, "text") &&
    !(["positive", "hypothesis", "sentence2"] as const).some((role) => role in mapping || isNamed(table, role)));

const counted = <C extends Columns>(dataset: Dataset<C>) => ({ dataset, dropped: 0 });

/** Graded pairs for the cosine loss. */
function cosinePairs(table: Table, mapping: ColumnMapping): Dataset<ScoredPairs> {
  const pairs = asScoredPairs(table, mapping);
  checkCosineScores(pairs.columns.score, table.where);
  return pairs;
}

const textColumn = (text: readonly string[]) => ({ columns: { text }, rows: text.length });

/** The parts of the sample, and how many rows they have. */
const SAMPLES: Readonly<Record<SamplePart, readonly [number, (rows: number) => Dataset<Columns>]>> = {
  "nli": [20_000, (rows: number) => sampleNli({ rows })],
  "sts": [1500, (rows: number) => sampleSts({ rows })],
  "graded": [20_000, (rows: number) => sampleGraded({ rows })],
  "lists": [1200, (rows: number) => sampleLists({ rows })],
  "texts": [40_000, (rows: number) => textColumn(sampleTexts({ rows }))],
  "stories": [40_000, (rows: number) => textColumn(sampleStories({ rows }))],
  "passages": [40_000, (rows: number) => textColumn(samplePassages({ rows }))],
  "next-sentences": [100_000, (rows: number) => sampleNextSentences({ rows })],
  "target-nli": [20_000, (rows: number) => sampleTargetNli({ rows })],
  "target-sts": [1500, (rows: number) => sampleTargetSts({ rows })],
  "target-texts": [20_000, (rows: number) => textColumn(sampleTargetTexts({ rows }))],
};

/** A part of the sample: named as a source, `sample:nli`. */
export type SamplePart =
  | "nli"
  | "sts"
  | "graded"
  | "lists"
  | "texts"
  | "stories"
  | "passages"
  | "next-sentences"
  | "target-nli"
  | "target-sts"
  | "target-texts";

/** Settings of the stage. */
export interface LoadParameters {
  /** What rows shall become. */
  readonly kind: RowKind;
  /** Which part of the sample, where there is no source. */
  readonly sample?: SamplePart | undefined;
  /** Names of columns in the file, by ours. */
  readonly columns?: ColumnMapping | undefined;
  /** Rows at most. */
  readonly limit?: number | undefined;
  /** Counts rows that cannot be read instead of failing. */
  readonly skipBadRows?: boolean | undefined;
}

const load = defineStage<LoadParameters, { source?: SourceFiles }, CountedDataset<Columns>>({
  name: "load",
  version: 6, // reads further negatives that are mapped, and names each column of texts
  inputs: { source: sourceFormat },
  output: datasetFormat<Columns>(),
  run: ({ parameters, inputs, scratch }) =>
    attempt(async () => {
      const { kind, sample, columns = {}, limit, skipBadRows } = parameters;
      if (inputs.source === undefined) {
        const [rows, make] = SAMPLES[sample!];
        const made = make(Math.min(limit ?? rows, rows));
        if (kind !== "sentence-pairs") return await writeDataset(scratch, made, { dropped: 0 });
        const [sentence1, sentence2] = Object.values<Column>(made.columns);
        const pairs = { columns: { sentence1: sentence1!, sentence2: sentence2! }, rows: made.rows };
        return await writeDataset(scratch, pairs, { dropped: 0, labelled: 1 });
      }
      const table = await readTable(await inputs.source.read(), { mapping: columns, limit, skipBadRows });
      const { dataset, dropped, counts, used }: Loaded = KINDS[kind](table, columns);
      await writeDataset(scratch, dataset, { ...counts, dropped: dropped + table.dropped }, {
        columns: used ?? usedColumns(table, Object.keys(dataset.columns), columns),
        of: table.names.length,
      });
    }),
});

/** Options of the loaders. */
export interface RowsOptions extends Omit<LoadParameters, "kind"> {
  /** A file, a folder or a dataset of the hub; without one, the sample. */
  readonly from?: string | undefined;
  /** The flag that maps these columns, for errors. Default: `--columns`. */
  readonly columnsFlag?: string | undefined;
}

/** An error that names the flag by which the columns of this source are mapped. */
export function naming(flag: string, error: KindredError): KindredError {
  if (!(error instanceof DatasetError) || error.hint === undefined) return error;
  const { summary, expected, found, where, hint } = error;
  return new DatasetError(summary, {
    ...(expected !== undefined && { expected }),
    ...(found !== undefined && { found }),
    ...(where !== undefined && { where }),
    hint: hint.replaceAll("--columns ", `${flag} `),
  });
}

/** Says which columns of a file were read, also where they were read before. */
export const tellColumns: (
  source: string,
  data: Artifact<CountedDataset<Columns>>,
) => Effect.Effect<void, KindredError, Services> = Effect.fnUntraced(function* (source, data) {
  const { used } = yield* attempt(() => summaryOf(data));
  if (used !== undefined) yield* emit({ _tag: "columns", source, ...used });
});

const loader = <C extends Columns>(kind: RowKind, sample: SamplePart) =>
  Effect.fnUntraced(function* ({ from, columnsFlag = "--columns", ...options }: RowsOptions) {
    yield* phase("loading");
    const part = partOf(from) ?? options.sample ?? sample;
    if (from === undefined || from.startsWith("sample:")) {
      return (yield* load({}, { kind, sample: part, limit: options.limit })) as Artifact<CountedDataset<C>>;
    }
    const files = yield* source(from);
    const loaded = load({ source: files }, { ...options, kind });
    const data = (yield* Effect.mapError(loaded, (error) => naming(columnsFlag, error))) as Artifact<CountedDataset<C>>;
    yield* tellColumns(from, data);
    return data;
  });

function partOf(from: string | undefined): SamplePart | undefined {
  if (!from?.startsWith("sample:")) return undefined;
  const part = from.slice("sample:".length);
  if (part in SAMPLES) return part as SamplePart;
  throw new UsageError("the sample has no such part", {
    expected: Object.keys(SAMPLES).map((name) => `sample:${name}`).join(", "),
    found: from,
  });
}

/** A function that loads rows of one kind. */
export type Loader<C extends Columns> = (
  options: RowsOptions,
) => Effect.Effect<Artifact<CountedDataset<C>>, KindredError, Services>;

/** Pairs with an NLI class. */
export const loadLabelledPairs: Loader<LabelledPairs> = loader<LabelledPairs>("labelled-pairs", "nli");
/** Pairs with a similarity. */
export const loadScoredPairs: Loader<ScoredPairs> = loader<ScoredPairs>("scored-pairs", "sts");
/** Pairs without a label; one that they have is left out. */
export const loadSentencePairs: Loader<SentencePairs> = loader<SentencePairs>("sentence-pairs", "nli");
/** Texts. */
export const loadTexts: Loader<Texts> = loader<Texts>("texts", "texts");
/**
 * Distinct texts, of one column or of all columns of pairs, one column after the other. Of repeated ones the first stays.
 */
export const loadFlatTexts: Loader<Texts> = loader<Texts>("flat-texts", "texts");
/** Pairs or triplets where the file has them, NLI pairs otherwise. */
export const loadPairsOrNli: Loader<LabelledPairs | Pairs | Triplets> = loader<LabelledPairs | Pairs | Triplets>(
  "pairs-or-nli",
  "nli",
);
/** Rows to evaluate on, as their columns say: graded pairs, NLI pairs, pairs or triplets. */
export const loadEvaluationRows: Loader<ScoredPairs | LabelledPairs | Pairs | Triplets> = loader<
  ScoredPairs | LabelledPairs | Pairs | Triplets
>("evaluation-rows", "sts");
/** Pairs with a score where the file has one, NLI pairs otherwise. */
export const loadScoresOrNli: Loader<LabelledPairs | ScoredPairs> = loader<LabelledPairs | ScoredPairs>(
  "scores-or-nli",
  "nli",
);
/** Lists of documents by query, with how relevant each is: see `asRankedDocuments`. */
export const loadLists: Loader<RankedDocuments> = loader<RankedDocuments>("lists", "lists");
/** Tuples with margins: see `asMarginRows`. The sample has none. */
export const loadMargins: Loader<MarginRows> = loader<MarginRows>("margins", "nli");
