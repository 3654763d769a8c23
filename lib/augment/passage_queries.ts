/**
 * Queries for passages that nobody asked for yet: from the passages' own words, or written by a language model.
 *
 * @module
 */
import type { Dataset, Pairs } from "../data/dataset.ts";
import { randomPurpose, randomStream } from "../engine/philox.ts";
import { EvaluationError } from "../error.ts";
import { expectWholeNumber } from "../expect.ts";
import type { GenerateRequest } from "../generate/generator.ts";
import { type Generate, generateEach } from "../negatives/judge.ts";
import { parseWritten, type Rejection } from "../negatives/written.ts";

/** Words of a line that is a title, and not the first line of prose. */
const LONGEST_TITLE = 20;

/** Words of a query at least. */
const FEWEST_WORDS = 2;

/** Where a query was found: a title or heading above the passage, its first sentence, or some of its words. */
export type QueryOrigin = "title" | "sentence" | "words";

/** A query, what is left of the passage for it to find, and where the query was. */
export interface PassageQuery {
  /** The query. */
  readonly query: string;
  /** The passage without it; the whole passage where the query is some of its words. */
  readonly passage: string;
  /** Where it was. */
  readonly origin: QueryOrigin;
}

/** Options of {@linkcode passageQueries}. */
export interface PassageQueryOptions {
  /** Which words become the query of a single sentence. Default 42. */
  readonly seed?: number;
}

/** Pairs of a query and its passage, and how they came about. */
export interface PassageQueries {
  /** A query as anchor, its passage as positive. */
  readonly dataset: Dataset<Pairs>;
  /** Pairs by what their queries are; `none`: passages without a query. */
  readonly counts: Readonly<Record<string, number>>;
}

/**
 * Queries from the passages' own words, where no language model writes any. A title or heading in the first line asks for
 * what stands below it; of several sentences the first asks for the others (the inverse cloze task); of a single sentence,
 * half of the words, drawn and in their order, ask for the sentence. A query is no part of the passage that it shall find,
 * but for the last kind.
 *
 * @param passages Passages, each once.
 * @param options The seed of what is drawn.
 * @returns Queries with their passages, and how many are of which kind.
 *
 * @example
 * ```ts
 * import { passageQueries } from "@kindred/kindred/augment";
 * import assert from "node:assert/strict";
 * const { dataset } = passageQueries(["# Cats\nThey sleep by day.", "Dogs bark. They guard the house."]);
 * assert.deepEqual(dataset.columns, {
 *   anchor: ["Cats", "Dogs bark."],
 *   positive: ["They sleep by day.", "They guard the house."],
 * });
 * ```
 */
export function passageQueries(passages: readonly string[], options: PassageQueryOptions = {}): PassageQueries {
  const { seed = 42 } = options;
  const anchor: string[] = [];
  const positive: string[] = [];
  const counts: Record<QueryOrigin | "none", number> = { title: 0, sentence: 0, words: 0, none: 0 };
  passages.forEach((text, row) => {
    const found = titleOf(text) ?? firstSentenceOf(text) ?? someWordsOf(text, seed, row);
    counts[found?.origin ?? "none"]++;
    if (found === undefined) return;
    anchor.push(found.query);
    positive.push(found.passage);
  });
  return { dataset: { columns: { anchor, positive }, rows: anchor.length }, counts };
}

const wordsOf = (text: string) => text.split(/\s+/).filter((word) => word !== "");

/** A first line that is short and ends as no sentence does, or a heading of Markdown; an underline below it goes too. */
function titleOf(text: string): PassageQuery | undefined {
  const [first = "", ...rest] = text.trim().split(/\r?\n/);
  if (rest[0] !== undefined && /^\s*([=~^"'*#+-])\1{2,}\s*$/.test(rest[0])) rest.shift();
  const passage = rest.join("\n").trim();
  const isHeading = /^#{1,6}\s/.test(first);
  const query = first.replace(/^#{1,6}\s+/, "").replace(/\s+#+\s*$/, "").trim();
  const words = wordsOf(query).length;
  if (passage === "" || words === 0 || words > LONGEST_TITLE || (!isHeading && /[.!,;]$/.test(query))) return undefined;
  return { query, passage, origin: "title" };
}

/** The first of several sentences. */
function firstSentenceOf(text: string): PassageQuery | undefined {
  const [, query, passage] = /^(\S[\s\S]*?[.!?…。！？]["'”’)]*)\s+(\S[\s\S]*)$/.exec(text.trim()) ?? [];
  if (query === undefined || passage === undefined) return undefined;
  const isShort = wordsOf(query).length < FEWEST_WORDS || wordsOf(passage).length < FEWEST_WORDS;
  return isShort ? undefined : { query, passage, origin: "sentence" };
}

/** Half of the words, rounded up, in their order. */
function someWordsOf(text: string, seed: number, row: number): PassageQuery | undefined {
  const words = wordsOf(text);
  const count = Math.max(FEWEST_WORDS, Math.ceil(words.length / 2));
  if (words.length <= count) return undefined;
  const places = Int32Array.from(words.keys());
  randomStream(seed, randomPurpose("sample", 1), row).shuffle(places);
  const query = Array.from(places.subarray(0, count).sort(), (place) => words[place]!).join(" ");
  return { query, passage: text, origin: "words" };
}

/** Options of {@linkcode writtenQueries}. */
export interface WrittenQueryOptions {
  /** Queries of a passage. Default 3. */
  readonly queries?: number;
  /** How often a text that was not taken is asked for again. Default 1. */
  readonly retries?: number;
  /** Default 1: likeliest answers alone would be alike. */
  readonly temperature?: number;
  /** Most tokens of a query. Default 64. */
  readonly maxTokens?: number;
  /** Of the first request for a passage; each further one has the next. Default 42. */
  readonly seed?: number;
}

/** Letters of a passage that the prompt shows. */
const LONGEST_PASSAGE = 4000;

/** The prompt for one query. The passage stands in it as JSON, so that it cannot pass for a line of the prompt. */
export function queryPrompt(passage: string): string {
  return [
    `Text: ${JSON.stringify(passage.slice(0, LONGEST_PASSAGE))}`,
    "",
    "Write a query that somebody would type into a search engine and that this text answers. It must make sense to " +
    "somebody who does not see the text.",
    "Write it on one line, without quotes, and nothing else.",
  ].join("\n");
}

/**
 * Has a language model write queries that passages answer. Copies of the passage or of one another are not taken, nor is
 * what is no single text; all this is counted, and asked for again.
 *
 * @param passages Passages, each once.
 * @param generate Answers prompts: what `generateFunction` gives, or a function of your own.
 * @param options How many, how often to ask again, and the settings of the model.
 * @returns Queries with their passages, and what was asked and not taken.
 * @throws {UsageError} A number that is not a whole number from 1.
 * @throws {EvaluationError} No text at all can be used.
 *
 * @example
 * ```ts
 * import { writtenQueries } from "@kindred/kindred/augment";
 * import assert from "node:assert/strict";
 * const { dataset, counts } = await writtenQueries(["Penguins live on ice."], (requests) =>
 *   Promise.resolve(requests.map(() => ({ text: "where do penguins live", finish: "stop" }))), { queries: 2 });
 * assert.deepEqual(dataset.columns.anchor, ["where do penguins live"]); // the second was the same
 * assert.equal(counts.repeated, 2);
 * ```
 */
export async function writtenQueries(
  passages: readonly string[],
  generate: Generate,
  options: WrittenQueryOptions = {},
): Promise<PassageQueries> {
  const { queries: wanted = 3, retries = 1, temperature = 1, maxTokens = 64, seed = 42 } = options;
  expectWholeNumber("queries", wanted);
  const taken = passages.map(() => new Set<string>());
  const requested = new Int32Array(passages.length);
  const counts: Partial<Record<Rejection | "asked" | "none", number>> = { asked: 0 };
  let example = "";
  for (let round = 0; round <= retries; round++) {
    const missing = passages.flatMap((_, i) => Array<number>(wanted - taken[i]!.size).fill(i));
    if (missing.length === 0) break;
    const requests = missing.map((i): GenerateRequest => ({
      messages: [
        { role: "system", content: "You write queries that train a search model. You answer with one query." },
        { role: "user", content: queryPrompt(passages[i]!) },
      ],
      temperature,
      maxTokens,
      seed: seed + requested[i]!++,
    }));
    const answers = await generateEach(generate, requests);
    counts.asked! += answers.length;
    answers.forEach((answer, request) => {
      const i = missing[request]!;
      const parsed = parseWritten(answer, "", [passages[i]!]);
      const why = "rejected" in parsed ? parsed.rejected : taken[i]!.has(parsed.text) ? "repeated" : undefined;
      if (why === undefined) taken[i]!.add((parsed as { text: string }).text);
      else {
        example ||= answer.text;
        counts[why] = (counts[why] ?? 0) + 1;
      }
    });
  }
  const anchor = taken.flatMap((texts) => [...texts]);
  const positive = taken.flatMap((texts, i) => Array<string>(texts.size).fill(passages[i]!));
  if (anchor.length === 0) {
    throw new EvaluationError("no query that was written can be used", {
      expected: "single lines that are no copies",
      found: `${JSON.stringify(counts)}, such as ${JSON.stringify(example.slice(0, 120))}`,
      hint: "look at what the model says: it may be too small for the task",
    });
  }
  counts.none = taken.filter((texts) => texts.size === 0).length;
  return { dataset: { columns: { anchor, positive }, rows: anchor.length }, counts };
}
