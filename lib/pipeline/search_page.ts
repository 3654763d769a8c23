/**
 * The page of a search: answers to queries, closest pairs, and what finding them took.
 *
 * @module
 */
import { counted } from "../counted.ts";
import { facts, htmlTable, page, section } from "./page.ts";
import { costTables, type FoundScores, quantizedSentence, type SearchReport } from "./search_report.ts";

/** Queries that are shown one by one; `answers.csv` has all. */
const QUERIES = 50;
/** Pairs that are shown; `pairs.csv` has all. */
const PAIRS = 200;

/** The page. */
export function searchPage(report: SearchReport): string {
  const { corpus, pairs, queries, cost } = report;
  const judged = report.cross_encoder !== null;
  const headings = judged ? ["cosine", "cross-encoder"] : ["cosine"];
  const scores = ({ similarity, score }: FoundScores) => judged ? [similarity, score] : [similarity];
  const more = (all: number, shown: number, file: string) =>
    all > shown ? [`<p>and ${all - shown} more, in ${file}</p>`] : [];
  return page(report, {
    lead: `${counted(queries.length, "query")} and ${counted(pairs.length, "closest pair")} in ${
      counted(corpus.texts, "text")
    } of ${corpus.source}, by ${report.model}${judged ? `, judged again by ${report.cross_encoder}` : ""}.`,
    sections: [
      facts({
        "texts": corpus.texts,
        "different ones": corpus.distinct,
        "seconds to embed them": cost.biEncoder.seconds,
        "longest text, in tokens": report.max_seq_length ?? "any",
        "features of an embedding": report.width,
        "before queries": report.prompts.query ?? "nothing",
        "before texts": report.prompts.document ?? "nothing",
      }),
      ...(queries.length === 0 ? [] : [
        section(
          "Answers to queries",
          ...queries.slice(0, QUERIES).map(({ query, hits }) =>
            htmlTable(query, ["text", "row", ...headings], hits.map((hit) => [hit.text, hit.row, ...scores(hit)]))
          ),
          ...more(queries.length, QUERIES, "answers.csv"),
        ),
      ]),
      ...(pairs.length === 0 ? [] : [
        section(
          "Closest pairs",
          htmlTable(
            "Pairs of different texts, the most alike first",
            ["first", "second", ...headings],
            pairs.slice(0, PAIRS).map((pair) => [pair.first.text, pair.second.text, ...scores(pair)]),
          ),
          ...more(pairs.length, PAIRS, "pairs.csv"),
        ),
      ]),
      section(
        "What it takes",
        ...(report.quantized === undefined ? [] : [`<p>${quantizedSentence(report)}</p>`]),
        ...costTables(report).map(({ title, columns, rows }) =>
          htmlTable(title, columns, rows.map(withNumbers), { digits: 2 })
        ),
      ),
    ],
  });
}

/** Seconds come as they are shown in the terminal. */
const withNumbers = (row: readonly (string | number | null)[]) =>
  row.map((cell) => typeof cell === "string" && /^[\d.]+$/.test(cell) ? Number(cell) : cell);
