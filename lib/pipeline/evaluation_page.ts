/**
 * What a page shows of evaluation rows: cosines beside gold scores, maps, neighbours, the worst rows, leaks.
 *
 * @module
 */
import { counted } from "../counted.ts";
import type { Dataset, ScoredPairs } from "../data/dataset.ts";
import type { Columns } from "../data/rows.ts";
import type { Embeddings } from "../embed/pairwise.ts";
import { ranks } from "../numeric/correlation.ts";
import { histogramOf } from "../numeric/histogram.ts";
import type { Evaluation } from "../stage/artifact.ts";
import { escapeHtml, rangeOf } from "./axis.ts";
import { histogramChart, scatterPlot } from "./charts.ts";
import type { Leaks } from "./leaks.ts";
import { pairMap, retrievalMap } from "./maps.ts";
import { beside, htmlTable, section } from "./page.ts";
import { type EvaluationKind, sentencesOf } from "./stages/evaluate_rows.ts";

/** What the page shows beyond the report. */
export interface PageData {
  /** Evaluation rows. */
  readonly rows: Dataset<Columns>;
  /** Before training. */
  readonly before: Evaluation;
  /** After it. */
  readonly after: Evaluation;
  /** Embeddings of the distinct sentences before training. */
  readonly beforeEmbeddings: Embeddings;
  /** And after it. */
  readonly afterEmbeddings: Embeddings;
  /** Evaluation rows and texts that occur in the training data. */
  readonly leaks: Leaks;
}

/**
 * What models make of evaluation rows before and after: maps, neighbours, where they are furthest off, and what of it was
 * trained on. `of` names the rows, where there are several kinds.
 */
export function evaluationSections(kind: EvaluationKind, data: PageData, of = ""): readonly string[] {
  // Of corpora no embeddings are kept; labelled texts are no pairs.
  const isPairs = data.afterEmbeddings.rows > 0 && kind !== "labels";
  const { first, sentences } = isPairs ? sentencesOf(data.rows) : { first: new Int32Array(), sentences: [] };
  return [
    ...(kind === "similarity" ? similaritySections(data, sentences, of) : []),
    ...(kind === "retrieval" ? retrievalSections(data, sentences, of) : []),
    ...(isPairs
      ? [
        section(
          `Nearest neighbours${of}`,
          neighbourTable(data, sentences, 1 + first.reduce((a, b) => Math.max(a, b), 0)),
        ),
      ]
      : []),
    section(`Leak check${of}`, leakTable(data.leaks)),
  ];
}

/** Points of a scatter plot: of more pairs, so many are drawn. */
const MOST_POINTS = 2000;

/** Cosines against gold scores, how they are spread, the pairs on a map, and those that are furthest off. */
function similaritySections(data: PageData, sentences: readonly string[], of: string): readonly string[] {
  const { first, second } = sentencesOf(data.rows);
  const { sentence1, sentence2, score } = data.rows.columns as ScoredPairs;
  const cosines = rangeOf([...data.before.similarities, ...data.after.similarities]) ?? [0, 1];
  const count = score.length;
  const shown = Array.from(
    { length: Math.min(count, MOST_POINTS) },
    (_, i) => Math.floor(i * Math.max(1, count / MOST_POINTS)),
  );
  const few = shown.length < count ? ` (${shown.length} of ${count} pairs, evenly spread)` : "";
  const scatter = (title: string, { similarities }: Evaluation) =>
    scatterPlot(
      { title: title + few, across: "gold score", up: "cosine" },
      shown.map((i) => [score[i]!, similarities[i]!] as const),
      { x: rangeOf(score) ?? [0, 1], y: cosines },
    );
  const spread = ({ similarities }: Evaluation) => histogramOf(similarities, { range: cosines });
  const map = (title: string, embeddings: Embeddings) =>
    pairMap(title, embeddings, { first, second, score, sentences });
  return [
    section(
      `Predicted and gold similarity${of}`,
      beside(scatter("Before training", data.before), scatter("After training", data.after)),
      histogramChart({ title: "Cosines of the evaluation pairs", across: "cosine", up: "% of pairs" }, [
        { name: "before", histogram: spread(data.before) },
        { name: "after", histogram: spread(data.after) },
      ]),
    ),
    section(
      `Maps of evaluation pairs${of}`,
      beside(map("Before training", data.beforeEmbeddings), map("After training", data.afterEmbeddings)),
    ),
    section(`Worst predicted pairs${of}`, worstTable(data, sentence1, sentence2, score)),
  ];
}

/** Where anchors find their positives: on maps, and those whose positive stands furthest down after training. */
function retrievalSections(data: PageData, sentences: readonly string[], of: string): readonly string[] {
  const { first, second } = sentencesOf(data.rows);
  const row = new Map<number, number>(); // the first of each anchor
  first.forEach((anchor, i) => row.has(anchor) || row.set(anchor, i));
  const rows = [...row.values()];
  const placesOf = ({ ranks }: Evaluation) => rows.map((_, query) => ranks![query]! || Infinity);
  const [before, after] = [placesOf(data.before), placesOf(data.after)];
  const pairs = { first: Int32Array.from(rows, (i) => first[i]!), second: Int32Array.from(rows, (i) => second[i]!) };
  const hardest = [...rows.keys()].sort((a, b) => after[a] === after[b] ? 0 : after[a]! < after[b]! ? 1 : -1);
  const shown = (place: number) => place === Infinity ? "not among 100" : `${place}`;
  return [
    section(
      `Maps of anchors and positives${of}`,
      beside(
        retrievalMap("Before training", data.beforeEmbeddings, { ...pairs, sentences, places: before }),
        retrievalMap("After training", data.afterEmbeddings, { ...pairs, sentences, places: after }),
      ),
    ),
    section(
      `Hardest anchors${of}`,
      htmlTable(
        "Anchors whose positive stands furthest down",
        ["anchor", "positive", "place before", "place after"],
        hardest.slice(0, 10).map((query) => [
          sentences[pairs.first[query]!]!,
          sentences[pairs.second[query]!]!,
          shown(before[query]!),
          shown(after[query]!),
        ]),
      ),
    ),
  ];
}

/** Leaked sentences that are shown. */
const LEAKS = 20;

function leakTable({ rows, of, texts, distinct }: Leaks): string {
  const told = `<p>${rows} of ${counted(of, "evaluation row")} and ${texts.length} of ${
    counted(distinct, "evaluation text")
  } occur in the training data.</p>`;
  if (texts.length === 0) return told;
  const items = texts.slice(0, LEAKS).map((text) => `<li>${escapeHtml(text)}</li>`).join("");
  const more = texts.length > LEAKS ? `<p>and ${texts.length - LEAKS} more</p>` : "";
  return `${told}<ul>${items}</ul>${more}`;
}

/** The pairs whose rank among the cosines is farthest from the rank of their gold score. */
function worstTable(
  data: PageData,
  sentence1: readonly string[],
  sentence2: readonly string[],
  score: Float64Array,
): string {
  const [gold, predicted] = [ranks(score), ranks(data.after.similarities)];
  const gap = (i: number) => Math.abs(gold[i]! - predicted[i]!);
  const worst = Array.from(gold, (_, i) => i).sort((a, b) => gap(b) - gap(a)).slice(0, 10);
  return htmlTable(
    "Pairs whose place by cosine is farthest from their place by gold score",
    ["first", "second", "gold", "cosine before", "cosine after"],
    worst.map((i) => [
      sentence1[i]!,
      sentence2[i]!,
      Number(score[i]!.toFixed(3)),
      data.before.similarities[i]!,
      data.after.similarities[i]!,
    ]),
    { digits: 3 },
  );
}

/** Ten of the first `spread` sentences, evenly spread, and the nearest other one of all before and after. */
function neighbourTable(data: PageData, sentences: readonly string[], spread: number): string {
  const count = Math.min(10, spread);
  const rows = Array.from({ length: count }, (_, i) => {
    const row = Math.floor(i * spread / count);
    const [before, after] = [nearestTo(data.beforeEmbeddings, row), nearestTo(data.afterEmbeddings, row)];
    const told = ({ row, cosine }: { row: number; cosine: number }) =>
      row < 0 ? "" : `${sentences[row]} (${cosine.toFixed(2)})`;
    return [sentences[row]!, told(before), told(after)];
  });
  return htmlTable("The other sentence with the highest cosine", ["sentence", "nearest before", "nearest after"], rows);
}

function nearestTo({ data, rows, width }: Embeddings, row: number): { row: number; cosine: number } {
  const own = data.subarray(row * width, (row + 1) * width);
  const best = { row: -1, cosine: -Infinity };
  for (let other = 0; other < rows; other++) {
    if (other === row) continue;
    let [dot, a, b] = [0, 0, 0];
    for (let i = 0; i < width; i++) {
      const [x, y] = [own[i]!, data[other * width + i]!];
      dot += x * y;
      a += x * x;
      b += y * y;
    }
    const cosine = dot / (Math.sqrt(a * b) || 1);
    if (cosine > best.cosine) Object.assign(best, { row: other, cosine });
  }
  return best;
}
