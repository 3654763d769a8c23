/**
 * load: files, or the sample that ships inside, as typed columns.
 *
 * @module
 */
import { Effect } from "effect";
import { attempt } from "../../attempt.ts";
import {
  asLabelledPairs,
  asPairsOrTriplets,
  asScoredPairs,
  type ColumnMapping,
  texts as textsOf,
} from "../../data/columns.ts";
import type { Dataset, LabelledPairs, Pairs, ScoredPairs, Triplets } from "../../data/dataset.ts";
import type { Columns } from "../../data/rows.ts";
import { sampleNli, sampleSts, sampleTexts } from "../../data/sample/mod.ts";
import { readTable, type Table, type TableOptions } from "../../data/table.ts";
import { DatasetError, type KindredError } from "../../error.ts";
import { type CountedDataset, datasetFormat, writeDataset } from "../artifact.ts";
import { source, type SourceFiles, sourceFormat } from "../roots.ts";
import { type Artifact, defineStage, note, type Services } from "../stage.ts";

/** A column of texts. */
export type Texts = {
  /** The texts. */
  readonly text: readonly string[];
};

/**
 * What rows shall become. The last two take rows that are ready for a loss as they are, and NLI pairs otherwise: a stage
 * after this one makes rows of the loss of them.
 */
const KINDS = {
  "labelled-pairs": (table: Table, mapping: ColumnMapping) => asLabelledPairs(table, mapping),
  "scored-pairs": (table: Table, mapping: ColumnMapping) => counted(asScoredPairs(table, mapping)),
  "texts": (table: Table, mapping: ColumnMapping) => {
    const text = textsOf(table, "text", mapping);
    return counted<Texts>({ columns: { text }, rows: text.length });
  },
  "pairs-or-nli": (table: Table, mapping: ColumnMapping) =>
    isLabelled(table, mapping) ? asLabelledPairs(table, mapping) : counted(asPairsOrTriplets(table, mapping)),
  "scores-or-nli": (table: Table, mapping: ColumnMapping) =>
    table.names.includes("score") || "score" in mapping
      ? counted(cosineScores(asScoredPairs(table, mapping), table))
      : asLabelledPairs(table, mapping),
} as const;

/** Names of the kinds. */
export type RowKind = keyof typeof KINDS;

const isLabelled = (table: Table, mapping: ColumnMapping) => table.names.includes("label") || "label" in mapping;

const counted = <C extends Columns>(dataset: Dataset<C>) => ({ dataset, dropped: 0 });

/** The cosine loss wants its scores as they are. */
function cosineScores(pairs: Dataset<ScoredPairs>, table: Table): Dataset<ScoredPairs> {
  pairs.columns.score.forEach((score, row) => {
    if (score >= -1 && score <= 1) return;
    throw new DatasetError("the cosine loss wants scores between −1 and 1", {
      where: table.where(row),
      expected: "scores in [−1, 1]",
      found: `${score}`,
      hint: "divide them by the highest grade",
    });
  });
  return pairs;
}

/** The parts of the sample. */
const SAMPLES = {
  nli: (rows: number) => sampleNli({ rows: Math.min(rows, 20_000) }),
  sts: (rows: number) => sampleSts({ rows: Math.min(rows, 1500) }),
  texts: (rows: number) => {
    const text = sampleTexts({ rows: Math.min(rows, 40_000) });
    return { columns: { text }, rows: text.length };
  },
} as const;

/** Settings of the stage. */
export interface LoadParameters {
  /** What rows shall become. */
  readonly kind: RowKind;
  /** Which part of the sample, where there is no source. */
  readonly sample?: keyof typeof SAMPLES | undefined;
  /** Names of columns in the file, by ours. */
  readonly columns?: ColumnMapping | undefined;
  /** Rows at most. */
  readonly limit?: number | undefined;
  /** Counts rows that cannot be read instead of failing. */
  readonly skipBadRows?: boolean | undefined;
}

const load = defineStage<LoadParameters, { source?: SourceFiles }, CountedDataset<Columns>>({
  name: "load",
  version: 1,
  inputs: { source: sourceFormat },
  output: datasetFormat<Columns>(),
  run: ({ parameters, inputs, scratch }) =>
    attempt(async () => {
      const { kind, sample, columns = {}, limit, skipBadRows } = parameters;
      if (inputs.source === undefined) {
        return await writeDataset(scratch, SAMPLES[sample!](limit ?? Infinity), { dropped: 0 });
      }
      const table = await readTables(await inputs.source.read(), { limit, skipBadRows });
      const { dataset, dropped } = KINDS[kind](table, columns);
      await writeDataset(scratch, dataset, { dropped: dropped + table.dropped });
    }),
});

/** Options of the loaders. */
export interface LoadOptions extends Omit<LoadParameters, "kind"> {
  /** A file, a folder or a dataset of the hub; without one, the sample. */
  readonly from?: string | undefined;
}

const loader = <C extends Columns>(kind: RowKind, sample: keyof typeof SAMPLES) =>
  Effect.fnUntraced(function* ({ from, ...options }: LoadOptions) {
    yield* note("loading");
    const files = from === undefined ? undefined : yield* source(from);
    const parameters: LoadParameters = from === undefined
      ? { kind, sample: options.sample ?? sample, limit: options.limit }
      : { ...options, kind };
    return (yield* load(files === undefined ? {} : { source: files }, parameters)) as Artifact<CountedDataset<C>>;
  });

/** A function that loads rows of one kind. */
export type Loader<C extends Columns> = (
  options: LoadOptions,
) => Effect.Effect<Artifact<CountedDataset<C>>, KindredError, Services>;

/** Pairs with an NLI class. */
export const loadLabelledPairs: Loader<LabelledPairs> = loader<LabelledPairs>("labelled-pairs", "nli");
/** Pairs with a similarity. */
export const loadScoredPairs: Loader<ScoredPairs> = loader<ScoredPairs>("scored-pairs", "sts");
/** Texts. */
export const loadTexts: Loader<Texts> = loader<Texts>("texts", "texts");
/** Pairs or triplets where the file has them, NLI pairs otherwise. */
export const loadPairsOrNli: Loader<LabelledPairs | Pairs | Triplets> = loader<LabelledPairs | Pairs | Triplets>(
  "pairs-or-nli",
  "nli",
);
/** Pairs with a score where the file has one, NLI pairs otherwise. */
export const loadScoresOrNli: Loader<LabelledPairs | ScoredPairs> = loader<LabelledPairs | ScoredPairs>(
  "scores-or-nli",
  "nli",
);

/** Several files as one table. */
async function readTables(paths: readonly string[], options: TableOptions): Promise<Table> {
  if (paths.length === 1) return await readTable(paths[0]!, options);
  const tables: Table[] = [];
  let rows = 0;
  for (const path of paths) {
    const left = options.limit === undefined ? undefined : options.limit - rows;
    if (left === 0) break;
    tables.push(await readTable(path, { ...options, limit: left }));
    rows += tables.at(-1)!.rows;
  }
  const names = tables[0]!.names;
  return {
    names,
    columns: new Map(names.map((name) => [name, tables.flatMap((table) => table.columns.get(name) ?? [])])),
    rows,
    dropped: tables.reduce((sum, table) => sum + table.dropped, 0),
    where: (row) => {
      const at = tables.findIndex((table) => (row < table.rows) || (row -= table.rows, false));
      return tables[Math.max(0, at)]!.where(row);
    },
  };
}
