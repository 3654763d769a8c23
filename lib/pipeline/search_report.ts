/**
 * What a search found, and what each way of finding it took.
 *
 * @module
 */
import { lengthInWords } from "./card.ts";
import { sentenceLines, tableLines, textLines } from "./table_lines.ts";
import { counted } from "../counted.ts";
import { csvText } from "../data/csv_text.ts";
import type { Effort, SearchCost } from "../embed/search.ts";
import { fileLines, type ReportBase, type ReportTable } from "./report.ts";

/** A text of the corpus. */
export interface FoundText {
  /** Its row in the file, from 0. */
  readonly row: number;
  /** The text. */
  readonly text: string;
}

/** Scores of something found. */
export interface FoundScores {
  /** Cosine of the embeddings. */
  readonly similarity: number;
  /** What the cross-encoder says. */
  readonly score?: number;
}

/** A search in a quantised corpus beside the one in float32, for the same queries. */
export interface QuantizedSearchReport {
  /** How the corpus was searched. */
  readonly precision: string;
  /** Of the corpus's embeddings. */
  readonly bytes: number;
  /** Of them as they were computed. */
  readonly float32_bytes: number;
  /** So many times the hits were compared with the query itself; null: all texts were. */
  readonly rescore_multiplier: number | null;
  /** The share of the ten nearest texts by float32 that are among the ten found, mean over queries. */
  readonly "recall@10": number;
  /** Of finding ten texts for every query. */
  readonly seconds: number;
  /** Of the same by float32. */
  readonly float32_seconds: number;
}

/** What `--json` holds. */
export interface SearchReport extends ReportBase {
  /** Version of this shape. */
  readonly schema: "kindred-search/1";
  /** The bi-encoder. */
  readonly model: string;
  /** The cross-encoder, if there is one. */
  readonly cross_encoder: string | null;
  /** Where the texts are from, how many, and how many different ones. */
  readonly corpus: { readonly source: string; readonly texts: number; readonly distinct: number };
  /** Longest text in tokens; longer ones were cut. null: any length. */
  readonly max_seq_length: number | null;
  /** Features of an embedding. */
  readonly width: number;
  /** What went before queries and texts; null: nothing. */
  readonly prompts: { readonly query: string | null; readonly document: string | null };
  /** How queries were answered where the corpus was quantised. */
  readonly quantized?: QuantizedSearchReport;
  /** Closest pairs, best first. */
  readonly pairs: readonly (FoundScores & { readonly first: FoundText; readonly second: FoundText })[];
  /** Answers to queries. */
  readonly queries: readonly { readonly query: string; readonly hits: readonly (FoundScores & FoundText)[] }[];
  /** What finding the closest pairs takes by either way. */
  readonly cost: SearchCost;
  /** What answering the queries takes; undefined without queries. */
  readonly query_cost?: Omit<SearchCost, "texts"> & { readonly queries: number };
}

const seconds = (value: number) => value >= 100 ? value.toFixed(0) : value.toFixed(2);

/** Both ways side by side. */
function costTable(title: string, cost: Omit<SearchCost, "texts">): ReportTable {
  const row = (way: string, { inferences, seconds: time }: Effort, how: string) =>
    [way, inferences, seconds(time), how] as const;
  return {
    title,
    columns: ["", "inferences", "seconds", ""],
    rows: [
      row("bi-encoder", cost.biEncoder, "measured"),
      ...(cost.allPairs === undefined
        ? [["cross-encoder, all pairs", cost.pairs, "", "needs --cross-encoder"] as const]
        : [
          row("cross-encoder, what was found", cost.crossEncoder, "measured"),
          row("cross-encoder, all pairs", cost.allPairs, "extrapolated"),
        ]),
    ],
  };
}

/** What finding the pairs took, and the answers, where either was looked for. */
export function costTables({ pairs, cost, query_cost: queries }: SearchReport): readonly ReportTable[] {
  return [
    ...(pairs.length === 0 ? [] : [costTable(`the closest of n = ${counted(cost.texts, "text")}`, cost)]),
    ...(queries === undefined ? [] : [costTable(`${counted(queries.queries, "query")} over them`, queries)]),
  ];
}

/** What quantising the corpus saved and cost, in a sentence; nothing where it was not. */
export function quantizedSentence({ quantized }: SearchReport): string | undefined {
  if (quantized === undefined) return undefined;
  const { precision, bytes, float32_bytes, rescore_multiplier: times, seconds, float32_seconds } = quantized;
  const how = times === null ? "" : `, the best ${times} times as many compared again`;
  return `searched in ${precision}${how}: ${bytes} bytes instead of ${float32_bytes}, recall@10 ${
    quantized["recall@10"].toFixed(4)
  } of the search in float32, ${seconds.toFixed(4)} s instead of ${float32_seconds.toFixed(4)} s`;
}

/** What was put before the texts, and where they were cut, in a sentence. */
export function readingSentence({ max_seq_length, width, prompts }: SearchReport): string {
  const before = (prompt: string | null) => prompt === null ? "nothing" : JSON.stringify(prompt);
  return `texts of ${lengthInWords(max_seq_length)}, embeddings of ${counted(width, "feature")}; before queries ${
    before(prompts.query)
  }, before texts ${before(prompts.document)}`;
}

/** The report in lines for the terminal. */
export function searchSummary(report: SearchReport): string {
  const { corpus, pairs, queries } = report;
  const scored = report.cross_encoder !== null;
  const scores = ({ similarity, score }: FoundScores) =>
    `${similarity.toFixed(4)}${scored ? `  ${(score ?? NaN).toFixed(4)}` : ""}`;
  const heading = scored ? "cosine  cross-encoder" : "cosine";
  return [
    `${report.pipeline} (${report.preset}): ${counted(corpus.texts, "text")}, ${corpus.distinct} of them different`,
    ...(pairs.length === 0 ? [] : [`  closest pairs (${heading})`]),
    ...pairs.flatMap((pair) => [
      ...textLines(`    ${scores(pair)}  `, pair.first.text),
      ...textLines(`    ${" ".repeat(scores(pair).length)}  `, pair.second.text),
    ]),
    ...queries.flatMap(({ query, hits }) => [
      ...textLines("  ", query, ` (${heading})`),
      ...hits.flatMap((hit) => textLines(`    ${scores(hit)}  `, hit.text)),
    ]),
    ...costTables(report).flatMap(tableLines),
    ...sentenceLines(readingSentence(report)),
    ...(report.quantized === undefined ? [] : sentenceLines(quantizedSentence(report)!)),
    ...report.warnings.map((warning) => `  warning: ${warning}`),
    ...fileLines(report),
  ].join("\n");
}

/** What was found as tables that other programs read: `pairs.csv` and `answers.csv`. */
export function searchFiles(report: SearchReport): Record<string, string> {
  const pairs = report.pairs.map(({ first, second, similarity, score }) =>
    [first.row, first.text, second.row, second.text, similarity, score] as const
  );
  const answers = report.queries.flatMap(({ query, hits }) =>
    hits.map(({ row, text, similarity, score }, i) => [query, i + 1, row, text, similarity, score] as const)
  );
  return {
    ...(pairs.length > 0 && {
      "pairs.csv": csvText(["first_row", "first", "second_row", "second", "similarity", "score"], pairs),
    }),
    ...(answers.length > 0 && {
      "answers.csv": csvText(["query", "rank", "row", "text", "similarity", "score"], answers),
    }),
  };
}
