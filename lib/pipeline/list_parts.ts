/**
 * Lists that are held out of a training, and what is known of them beside a model's metrics.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attemptSync } from "../attempt.ts";
import { counted } from "../counted.ts";
import type { Dataset, RankedDocuments } from "../data/dataset.ts";
import { FEWEST_ROWS, heldOutCount, type HoldOutOptions } from "../data/hold_out.ts";
import { listOffsets } from "../data/lists.ts";
import type { Columns } from "../data/rows.ts";
import type { KindredError } from "../error.ts";
import { listRanking } from "../evaluate/cross_encoder_metrics.ts";
import { jaccard } from "../evaluate/overlap.ts";
import type { CountedDataset } from "../stage/artifact.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import { blind, type Cut } from "./evaluation.ts";
import { type Leaks, leaksOf } from "./leaks.ts";
import { holdOutListsOf } from "./stages/lists.ts";

/** Holds out lists of a training's data, all of a query together: `rows` of them, or a share. */
export const cutLists: (
  data: Artifact<CountedDataset<RankedDocuments>>,
  options: Pick<HoldOutOptions, "rows" | "seed">,
) => Effect.Effect<Cut<RankedDocuments>, KindredError, Services> = Effect.fnUntraced(function* (data, options) {
  const lists = listOffsets(yield* valueOf(data)).length - 1;
  const none = (why: string) => ({ train: data, heldOut: undefined, warnings: [blind(why)] });
  if ((yield* attemptSync(() => heldOutCount(lists, options.rows))) === 0) {
    const few = options.rows === undefined ? ` of ${lists}, which are fewer than ${FEWEST_ROWS}` : "";
    return none(`no lists were held out${few}`);
  }
  const { train, heldOut } = yield* holdOutListsOf(data, options);
  if ((yield* valueOf(heldOut)).rows === 0) return none("no lists could be held out, since all are of one query");
  return { train, heldOut, warnings: [] };
});

/** What is known of lists that a judge is tested on, beside its own metrics. */
export interface ListFacts {
  /** NDCG@10 of the share of common words. */
  readonly baseline: Readonly<Record<string, number>>;
  /** How many there are, in words. */
  readonly sizes: { readonly train: string; readonly eval: string };
  /** Queries that were trained on. */
  readonly leaks: Leaks;
}

/** The facts of rows that are tested as lists; nothing where they are not. */
export const listFacts: (
  rows: {
    readonly train: Artifact<CountedDataset<Columns>>;
    readonly validation: Artifact<CountedDataset<Columns>> | undefined;
  },
  relevantFrom?: number,
) => Effect.Effect<ListFacts | undefined, KindredError> = Effect.fnUntraced(
  function* ({ train, validation }, relevantFrom) {
    if (validation === undefined) return undefined;
    const tested = yield* valueOf(validation);
    if (!("relevance" in tested.columns)) return undefined;
    const trained = yield* valueOf(train);
    const { query, document, relevance } = tested.columns as RankedDocuments;
    const offsets = listOffsets(tested as unknown as Dataset<RankedDocuments>);
    const queries = (trained.columns["query"] ?? trained.columns["anchor"]) as readonly string[];
    const only = (texts: readonly string[]) => {
      const distinct = [...new Set(texts)];
      return { columns: { query: distinct }, rows: distinct.length };
    };
    return {
      baseline: { jaccard: listRanking(offsets, relevance, jaccard(query, document), { relevantFrom })["ndcg@10"]! },
      sizes: { train: sizeOf(trained), eval: sizeOf(tested) },
      leaks: leaksOf(only(query), only(queries)),
    };
  },
);

function sizeOf(data: Dataset<Columns>): string {
  if (!("relevance" in data.columns)) return counted(data.rows, "row");
  const lists = listOffsets(data as unknown as Dataset<RankedDocuments>).length - 1;
  return `${counted(lists, "list")} of ${counted(data.rows, "document")}`;
}
