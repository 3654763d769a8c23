/**
 * What a page shows of lists that a judge was tested on: where relevant documents stand, and which lists are worst.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt } from "../attempt.ts";
import type { Dataset, RankedDocuments } from "../data/dataset.ts";
import { listOffsets } from "../data/lists.ts";
import type { Columns } from "../data/rows.ts";
import type { KindredError } from "../error.ts";
import { ndcgOfScores, rankByScore } from "../evaluate/ranking.ts";
import { histogramOf } from "../numeric/histogram.ts";
import type { CountedDataset } from "../stage/artifact.ts";
import { type Artifact, valueOf } from "../stage/stage.ts";
import type { Metrics } from "../train/record.ts";
import { rangeOf } from "./axis.ts";
import { histogramChart } from "./charts.ts";
import { htmlTable, section } from "./page.ts";
import { scoresOfLists } from "./stages/judge_metrics.ts";

/** Lists that are shown. */
const SHOWN = 10;

/** Sections of the page for lists that were tested; none where no lists were. */
export const listSections: (
  validation: Artifact<CountedDataset<Columns>> | undefined,
  after: Artifact<Metrics> | undefined,
  before?: Artifact<Metrics>,
) => Effect.Effect<readonly string[], KindredError> = Effect.fnUntraced(function* (validation, after, before) {
  if (validation === undefined || after === undefined) return [];
  const scores = yield* attempt(() => scoresOfLists(after));
  if (scores === undefined) return [];
  const was = before && (yield* attempt(() => scoresOfLists(before)));
  return sectionsOf((yield* valueOf(validation)) as Dataset<Columns> as Dataset<RankedDocuments>, scores, was);
});

function sectionsOf(
  lists: Dataset<RankedDocuments>,
  scores: readonly number[],
  was: readonly number[] | undefined,
): readonly string[] {
  const { query, document, relevance } = lists.columns;
  const offsets = listOffsets(lists);
  const places = Array.from(
    { length: offsets.length - 1 },
    (_, l) => Array.from({ length: offsets[l + 1]! - offsets[l]! }, (_, i) => offsets[l]! + i),
  );
  const of = (values: ArrayLike<number>, list: readonly number[]) => list.map((place) => values[place]!);
  const best = (list: readonly number[]) =>
    list.reduce((most, place) => relevance[place]! > relevance[most]! ? place : most);
  const isBest = places.flatMap((list) => list.map((place) => relevance[place] === relevance[best(list)]));
  const range = rangeOf([...scores]);
  const spread = (wanted: boolean) => histogramOf(scores.filter((_, place) => isBest[place] === wanted), { range });

  /** Where the first of the most relevant documents of each list stands. */
  const ranksOf = (said: readonly number[]) =>
    places.map((list) => {
      const order = rankByScore(of(said, list), { ties: "last" });
      return 1 + order.findIndex((i) => relevance[list[i]!] === relevance[best(list)]);
    });
  const ranks = { after: ranksOf(scores), before: was && ranksOf(was) };
  const deepest = Math.min(SHOWN, Math.max(...places.map((list) => list.length)));
  const at = (found: readonly number[] | undefined, rank: number) => found?.filter((each) => each === rank).length;
  const table = Array.from({ length: deepest }, (_, i) => [i + 1, at(ranks.before, i + 1), at(ranks.after, i + 1)]);
  const ndcg = places.map((list) =>
    ndcgOfScores(of(relevance, list).map((gain) => Math.max(gain, 0)), of(scores, list), { k: 10 })
  );
  const worst = [...places.keys()].filter((l) => ndcg[l]! < 1).sort((a, b) => ndcg[a]! - ndcg[b]!).slice(0, SHOWN);
  return [
    section(
      "How lists are ranked",
      histogramChart({ title: "Scores of documents", across: "score", up: "% of documents" }, [
        { name: "the most relevant of their list", histogram: spread(true) },
        { name: "others", histogram: spread(false) },
      ]),
      htmlTable("Where the most relevant document of a list stands", ["place", "lists before", "lists after"], table),
    ),
    ...(worst.length === 0 ? [] : [section(
      "Lists that are ranked worst",
      htmlTable(
        "The lowest NDCG@10",
        ["query", "NDCG@10", "stands first", "is most relevant"],
        worst.map((l) => [
          query[offsets[l]!],
          ndcg[l],
          document[places[l]![rankByScore(of(scores, places[l]!))[0]!]!],
          document[best(places[l]!)],
        ]),
      ),
    )]),
  ];
}
