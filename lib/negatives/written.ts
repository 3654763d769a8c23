/**
 * Negatives written by a language model: texts that look like an answer and are not one.
 *
 * @module
 */
import type { Dataset, Pairs } from "../data/dataset.ts";
import { EvaluationError } from "../error.ts";
import { expectWholeNumber } from "../expect.ts";
import type { GenerateRequest } from "../generate/generator.ts";
import { withoutThoughts } from "../generate/reply.ts";
import { type Candidates, indexPairs } from "./candidates.ts";
import { type Generate, generateEach, type Relation, RELATIONS } from "./judge.ts";

/** Why a text was not taken. */
export type Rejection = "empty" | "cut" | "severalLines" | "talk" | "copyOfAnchor" | "copyOfPositive" | "repeated";

/** Options of {@linkcode writtenNegatives}. */
export interface WrittenOptions {
  /** Negatives of an anchor. Default 1. */
  readonly negatives?: number;
  /** What a positive does for its anchor. Default answer. */
  readonly relation?: Relation;
  /** How often a text that was not taken is asked for again. Default 2. */
  readonly retries?: number;
  /** Default 1: likeliest answers alone would be alike. */
  readonly temperature?: number;
  /** Most tokens of a text. Default 256. */
  readonly maxTokens?: number;
  /**
   * Of the first request for an anchor; each further one has the next. What is asked for one anchor so depends on no other,
   * and not on how many negatives are wanted. Default 42.
   */
  readonly seed?: number;
}

/** Negatives and how they came about. */
export interface WrittenResult {
  /** The negatives of every anchor. Nobody has scored them: their scores are not numbers, see `scoreAgain`. */
  readonly negatives: Candidates;
  /** Texts that were asked for. */
  readonly asked: number;
  /** Texts that were not taken, by reason. */
  readonly rejected: Readonly<Partial<Record<Rejection, number>>>;
}

/** The prompt for one negative. Texts stand in it as JSON, so that none of them can pass for a line of the prompt. */
export function writePrompt(anchor: string, positive: string, relation: Relation = "answer"): string {
  const words = RELATIONS[relation];
  const what = words.candidate.toLowerCase();
  return [
    `${words.anchor}: ${JSON.stringify(anchor)}`,
    `${words.positive}: ${JSON.stringify(positive)}`,
    "",
    `Write another ${
      what.replace(/^other /, "")
    } that ${words.doesNot}, but looks as if it did: about the same things, ` +
    "in similar words, about as long.",
    "Write it on one line, without quotes, and nothing else.",
  ].join("\n");
}

/** What a model says around a text although it was told not to. */
const TALK =
  /^((sure|certainly|of course|okay)([,!. ]|$)|here('s| is| are) (a|an|the|one|another)\b.*:|i('m| am) (sorry|unable to (write|help|assist))|i can('t|not) (write|help|assist|do that)|as an ai\b)/i;

/** Reads a written text, or why it is not taken. */
export function parseWritten(
  answer: { readonly text: string; readonly finish: string },
  anchor: string,
  positives: readonly string[],
): { readonly text: string } | { readonly rejected: Rejection } {
  if (answer.finish === "length") return { rejected: "cut" };
  const lines = withoutThoughts(answer.text).split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== "");
  if (lines.length > 1) return { rejected: "severalLines" };
  const text = (lines[0] ?? "").replace(/^(["'“*`])(.*)(["'”*`])$/, "$2").trim();
  if (plain(text) === "") return { rejected: "empty" };
  if (TALK.test(text.replaceAll("’", "'"))) return { rejected: "talk" };
  if (plain(text) === plain(anchor)) return { rejected: "copyOfAnchor" };
  if (positives.some((positive) => plain(text) === plain(positive))) return { rejected: "copyOfPositive" };
  return { text };
}

/** A text by its letters and digits: copies differ in case, spaces and full stops. */
function plain(text: string): string {
  return text.normalize("NFKC").toLowerCase().replaceAll(/[^\p{L}\p{M}\p{N}]+/gu, " ").trim();
}

/**
 * Has a language model write negatives for every anchor. Copies of the anchor, of a positive or of one another are not
 * taken, nor is what is no single text; all this is counted, and asked for again. Whether the text really is no answer
 * is for {@linkcode scoreAgain} or {@linkcode judgedNegatives} to say.
 *
 * @param pairs Anchors and their positives.
 * @param generate Answers prompts: what `generateFunction` gives, or a function of your own.
 * @param options How many, how often to ask again, and the settings of the model.
 * @returns The negatives, not scored yet, and what was not taken.
 * @throws {UsageError} A number that is not a whole number from 1.
 * @throws {EvaluationError} No text at all can be used.
 *
 * @example
 * ```ts
 * import { writtenNegatives } from "@kindred/kindred/negatives";
 * import assert from "node:assert/strict";
 * const pairs = { columns: { anchor: ["where do penguins live"], positive: ["penguins live on ice"] }, rows: 1 };
 * const { negatives, rejected } = await writtenNegatives(pairs, (requests) =>
 *   Promise.resolve(requests.map(({ seed }) => ({
 *     text: seed! < 44 ? "Penguins live on ice." : "Penguins eat fish on the ice.",
 *     finish: "stop",
 *   }))));
 * assert.equal(negatives.documents[negatives.indices[0]!], "Penguins eat fish on the ice.");
 * assert.deepEqual(rejected, { copyOfPositive: 2 });
 * ```
 */
export async function writtenNegatives(
  pairs: Dataset<Pairs>,
  generate: Generate,
  options: WrittenOptions = {},
): Promise<WrittenResult> {
  const { negatives: wanted = 1, relation = "answer", retries = 2, temperature = 1, maxTokens = 256 } = options;
  expectWholeNumber("negatives", wanted);
  const index = indexPairs(pairs);
  const { anchors, offsets, positives } = index;
  const documents = new Map(index.documents.map((text, row) => [text, row]));
  const positivesOf = (i: number) =>
    Array.from(positives.subarray(offsets[i]!, offsets[i + 1]!), (row) => index.documents[row]!);
  const indices = new Int32Array(anchors.length * wanted).fill(-1);
  const scores = new Float32Array(anchors.length * wanted).fill(-Infinity);
  const counts = new Int32Array(anchors.length);
  const taken = anchors.map(() => new Set<string>());
  const rejected: Partial<Record<Rejection, number>> = {};
  const reject = (why: Rejection) => rejected[why] = (rejected[why] ?? 0) + 1;
  let asked = 0;
  const { seed = 42 } = options;
  /** Requests for each anchor so far. */
  const requested = new Int32Array(anchors.length);
  let example = "";

  for (let round = 0; round <= retries; round++) {
    const missing = anchors.flatMap((_, i) => Array<number>(wanted - counts[i]!).fill(i));
    if (missing.length === 0) break;
    const requests = missing.map((i): GenerateRequest => ({
      messages: [
        { role: "system", content: "You write texts that train a search model. You answer with one text." },
        { role: "user", content: writePrompt(anchors[i]!, positivesOf(i)[0]!, relation) },
      ],
      temperature,
      maxTokens,
      seed: seed + requested[i]!++,
    }));
    const answers = await generateEach(generate, requests);
    asked += answers.length;
    answers.forEach((answer, request) => {
      const i = missing[request]!;
      const parsed = parseWritten(answer, anchors[i]!, positivesOf(i));
      if ("rejected" in parsed) {
        example ||= answer.text;
        reject(parsed.rejected);
      } else if (taken[i]!.has(plain(parsed.text))) reject("repeated");
      else {
        taken[i]!.add(plain(parsed.text));
        if (!documents.has(parsed.text)) documents.set(parsed.text, documents.size);
        const at = i * wanted + counts[i]!++;
        indices[at] = documents.get(parsed.text)!;
        scores[at] = NaN;
      }
    });
  }
  if (counts.every((count) => count === 0)) {
    throw new EvaluationError("no text that was written can be used", {
      expected: "single texts that are no copies",
      found: `${Object.entries(rejected).map(([why, count]) => `${why} ${count}`).join(", ")}, such as ${
        JSON.stringify(example.slice(0, 120))
      }`,
      hint: "look at what the model says: it may be too small for the task",
    });
  }
  const negatives: Candidates = {
    ...index,
    documents: [...documents.keys()],
    positiveScores: new Float32Array(positives.length).fill(NaN),
    indices,
    scores,
    counts,
    width: wanted,
  };
  return { negatives, asked, rejected };
}
