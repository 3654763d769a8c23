/**
 * lists, hold-out-lists: lists of documents made of other rows, and lists that are held out.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt } from "../../attempt.ts";
import type { Dataset, Pairs, RankedDocuments, Triplets } from "../../data/dataset.ts";
import { type DocumentList, holdOutLists, listOffsets, rankedDocuments } from "../../data/lists.ts";
import type { Columns } from "../../data/rows.ts";
import type { KindredError } from "../../error.ts";
import { type CountedDataset, datasetFormat, writeDataset } from "../../stage/artifact.ts";
import { type Artifact, defineStage, type Services, valueOf } from "../../stage/stage.ts";
import type { Made } from "./rows.ts";

/** How many texts of other rows a positive is ranked among, where its row has no negatives. */
const OTHERS = 9;

/**
 * Pairs, triplets and tuples as lists, to rank: each anchor with its positive, its negatives, and where it has none the
 * next positives of other rows. Relevance is 1 or 0.
 *
 * @param rows Anchors, positives, and perhaps negatives.
 * @returns One list for each row.
 */
function listsOfRows({ columns, rows }: Dataset<Columns>): Dataset<RankedDocuments> {
  const { anchor, positive } = columns as Pairs;
  const negatives = Object.entries(columns).flatMap(([name, column]) =>
    /^negative(_\d+)?$/.test(name) ? [column as readonly string[]] : []
  );
  const belonging = new Map<string, Set<string>>();
  anchor.forEach((text, row) => {
    const own = belonging.get(text) ?? new Set();
    belonging.set(text, own.add(positive[row]!));
  });
  const lists: DocumentList[] = anchor.map((query, row) => {
    const documents = new Set<string>([positive[row]!]);
    for (const column of negatives) documents.add(column[row]!);
    for (let step = 1; negatives.length === 0 && step < rows && documents.size <= OTHERS; step++) {
      const other = positive[(row + step) % rows]!;
      if (!belonging.get(query)!.has(other)) documents.add(other);
    }
    return { query, documents: [...documents], labels: Int32Array.from(documents, (_, i) => i === 0 ? 1 : 0) };
  });
  return rankedDocuments(lists);
}

const lists = defineStage<Record<never, never>, { rows: Dataset<Columns> }, CountedDataset<RankedDocuments>>({
  name: "lists",
  version: 1,
  inputs: { rows: datasetFormat<Columns>() },
  output: datasetFormat<RankedDocuments>(),
  run: ({ inputs, scratch }) => attempt(async () => await writeDataset(scratch, listsOfRows(await inputs.rows.read()))),
});

/**
 * Pairs, triplets and tuples as lists to rank: each anchor with its positive, and its negatives or the positives of other
 * rows.
 *
 * @param rows Anchors, positives, and perhaps negatives.
 * @returns An effect that gives the lists, made or found.
 */
export function asLists(rows: Artifact<Dataset<Pairs | Triplets>>): Made<RankedDocuments> {
  return lists({ rows: rows as Artifact<Dataset<Columns>> }, {});
}

const holdOutStage = defineStage<
  { readonly part: "train" | "heldOut"; readonly rows?: number | undefined; readonly seed: number },
  { data: CountedDataset<RankedDocuments> },
  CountedDataset<RankedDocuments>
>({
  name: "hold-out-lists",
  version: 1,
  draws: true,
  inputs: { data: datasetFormat<RankedDocuments>() },
  output: datasetFormat<RankedDocuments>(),
  run: ({ parameters: { part, rows, seed }, inputs, scratch }) =>
    attempt(async () => {
      const { counts, ...data } = await inputs.data.read();
      await writeDataset(scratch, holdOutLists(data, { rows, seed })[part], part === "train" ? counts : {});
    }),
});

/** Lists to train on and lists that are held out by their queries, see `holdOutLists`. */
export const holdOutListsOf: (
  data: Artifact<CountedDataset<RankedDocuments>>,
  parameters: { readonly rows?: number | undefined; readonly seed: number },
) => Effect.Effect<
  {
    readonly train: Artifact<CountedDataset<RankedDocuments>>;
    readonly heldOut: Artifact<CountedDataset<RankedDocuments>>;
  },
  KindredError,
  Services
> = Effect.fnUntraced(function* (data, parameters) {
  return {
    train: yield* holdOutStage({ data }, { part: "train", ...parameters }),
    heldOut: yield* holdOutStage({ data }, { part: "heldOut", ...parameters }),
  };
});

/** How many lists there are. */
export const countLists = (
  data: Artifact<CountedDataset<RankedDocuments>>,
): Effect.Effect<number, KindredError> => Effect.map(valueOf(data), (dataset) => listOffsets(dataset).length - 1);
