/**
 * map-labels, triplets, split, select: from NLI pairs to rows of a loss.
 *
 * @module
 */
import { counted } from "../../counted.ts";
import * as Effect from "effect/Effect";
import { attempt } from "../../attempt.ts";
import type { Dataset, LabelledPairs, Pairs, ScoredPairs, Triplets } from "../../data/dataset.ts";
import { type Columns, dedupe, firstRows, selectRows } from "../../data/rows.ts";
import { holdOut } from "../../data/hold_out.ts";
import { type NegativeKind, scoresFromNli, tripletsFromNli } from "../../negatives/nli.ts";
import { DatasetError, type KindredError } from "../../error.ts";
import { type CountedDataset, datasetFormat, summaryOf, writeDataset } from "../../stage/artifact.ts";
import { type Artifact, defineStage, type Services, type Stage } from "../../stage/stage.ts";

/** What a function of this file gives. */
export type Made<C extends Columns> = Effect.Effect<Artifact<CountedDataset<C>>, KindredError, Services>;

const mapLabels = defineStage<
  Record<never, never>,
  { pairs: Dataset<LabelledPairs> },
  CountedDataset<ScoredPairs>
>({
  name: "map-labels",
  version: 1,
  inputs: { pairs: datasetFormat<LabelledPairs>() },
  output: datasetFormat<ScoredPairs>(),
  run: ({ inputs, scratch }) =>
    attempt(async () => await writeDataset(scratch, scoresFromNli(await inputs.pairs.read()))),
});

/** Scores of pairs: entailment 1, neutral and contradiction 0, as the chapter maps them. Scored pairs pass as they are. */
export const asScores: (pairs: Artifact<Dataset<LabelledPairs | ScoredPairs>>) => Made<ScoredPairs> = Effect.fnUntraced(
  function* (pairs) {
    const { columns } = yield* attempt(() => summaryOf(pairs));
    if (columns.includes("score")) return pairs as Artifact<CountedDataset<ScoredPairs>>;
    return yield* mapLabels({ pairs: pairs as Artifact<Dataset<LabelledPairs>> }, {});
  },
);

/** Settings of the triplets stage. */
export interface TripletParameters {
  /** Where negatives come from; `every-pair` takes every pair for a positive, whatever its label. */
  readonly negatives: NegativeKind | "every-pair";
  /** Which easy negatives are drawn. */
  readonly seed: number;
}

const triplets = defineStage<
  TripletParameters,
  { pairs: Dataset<LabelledPairs> },
  CountedDataset<Pairs | Triplets>
>({
  name: "triplets",
  version: 1,
  inputs: { pairs: datasetFormat<LabelledPairs>() },
  output: datasetFormat<Pairs | Triplets>(),
  draws: ({ negatives }) => negatives === "easy" || negatives === "contradiction",
  run: ({ parameters: { negatives, seed }, inputs, scratch }) =>
    attempt(async () => {
      const pairs = await inputs.pairs.read();
      if (negatives === "every-pair") {
        const { premise, hypothesis } = pairs.columns;
        return await writeDataset(scratch, { columns: { anchor: premise, positive: hypothesis }, rows: pairs.rows });
      }
      const { dataset, counts } = tripletsFromNli(pairs, { negatives, seed });
      await writeDataset(scratch, dataset, { ...counts, dropped: pairs.rows - dataset.rows });
    }),
});

/**
 * Anchors with a positive each and, unless negatives is `none`, a negative: the entailed pairs. Pairs and triplets pass as
 * they are.
 */
export const asTriplets: (
  pairs: Artifact<Dataset<LabelledPairs | Pairs | Triplets>>,
  parameters: TripletParameters,
) => Made<Pairs | Triplets> = Effect.fnUntraced(function* (pairs, { negatives, seed }) {
  const { columns } = yield* attempt(() => summaryOf(pairs));
  if (!columns.includes("label")) return pairs as Artifact<CountedDataset<Pairs | Triplets>>;
  return yield* triplets({ pairs: pairs as Artifact<Dataset<LabelledPairs>> }, { negatives, seed });
});

/** Settings of the split stage. */
export interface SplitParameters {
  /** Which part: the first rows, or those after them. */
  readonly part: "first" | "rest";
  /** How many rows are the first. */
  readonly rows: number;
}

const split = defineStage<SplitParameters, { data: Dataset<Columns> }, CountedDataset<Columns>>({
  name: "split",
  version: 2,
  inputs: { data: datasetFormat<Columns>() },
  output: datasetFormat<Columns>(),
  run: ({ parameters: { part, rows: cut }, inputs, scratch }) =>
    attempt(async () => {
      const data = await inputs.data.read();
      if (cut <= 0 || cut >= data.rows) {
        throw new DatasetError("a split needs at least one row on each side", {
          expected: `fewer than ${counted(data.rows, "row")}, at least 1`,
          found: `${cut}`,
        });
      }
      await writeDataset(scratch, part === "first" ? firstRows(data, cut) : selectRows(data, range(cut, data.rows)));
    }),
});

const holdOutStage = defineStage<
  { readonly part: "train" | "heldOut"; readonly rows?: number | undefined; readonly seed: number },
  { data: CountedDataset<Columns> },
  CountedDataset<Columns>
>({
  name: "hold-out",
  version: 1,
  draws: true,
  inputs: { data: datasetFormat<Columns>() },
  output: datasetFormat<Columns>(),
  run: ({ parameters: { part, rows, seed }, inputs, scratch }) =>
    attempt(async () => {
      const { counts, ...data } = await inputs.data.read();
      await writeDataset(scratch, holdOut(data, { rows, seed })[part], part === "train" ? counts : {});
    }),
});

/** Rows to train on and rows that are held out, see `holdOut`. */
export const holdOutOf: <C extends Columns>(
  data: Artifact<CountedDataset<C>>,
  parameters: { readonly rows?: number | undefined; readonly seed: number },
) => Effect.Effect<
  { readonly train: Artifact<CountedDataset<C>>; readonly heldOut: Artifact<CountedDataset<C>> },
  KindredError,
  Services
> = Effect.fnUntraced(function* <C extends Columns>(
  data: Artifact<CountedDataset<C>>,
  parameters: { readonly rows?: number | undefined; readonly seed: number },
) {
  const part = (part: "train" | "heldOut") =>
    holdOutStage({ data: data as Artifact<CountedDataset<Columns>> }, { part, ...parameters }) as Made<C>;
  return { train: yield* part("train"), heldOut: yield* part("heldOut") };
});

const range = (from: number, to: number) => Int32Array.from({ length: to - from }, (_, i) => from + i);

/**
 * One part of a dataset that is cut in two where its rows stand; rows that are drawn come from {@linkcode holdOutOf}.
 *
 * @param data A dataset.
 * @param parameters Where it is cut, and which part is wanted.
 * @returns An effect that gives the part, made or found.
 */
export function splitOf<C extends Columns>(data: Artifact<Dataset<C>>, parameters: SplitParameters): Made<C> {
  return split({ data }, parameters) as Made<C>;
}

const distinct = defineStage<
  { readonly columns?: readonly string[] | undefined },
  { data: Dataset<Columns> },
  CountedDataset<Columns>
>({
  name: "deduplicate",
  version: 1,
  inputs: { data: datasetFormat<Columns>() },
  output: datasetFormat<Columns>(),
  run: ({ parameters: { columns }, inputs, scratch }) =>
    attempt(async () => {
      const { dataset, dropped } = dedupe(await inputs.data.read(), columns);
      await writeDataset(scratch, dataset, { dropped });
    }),
});

/**
 * Keeps the first of rows that are equal in the named columns.
 *
 * @param data A dataset.
 * @param columns Columns that are compared. Default: all.
 * @returns An effect that gives what is left, made or found.
 */
export function deduplicate<C extends Columns>(
  data: Artifact<Dataset<C>>,
  columns?: readonly (keyof C & string)[],
): Made<C> {
  return (distinct as Stage<object, { data: Dataset<Columns> }, CountedDataset<Columns>>)(
    { data },
    columns === undefined ? {} : { columns },
  ) as Made<C>;
}
