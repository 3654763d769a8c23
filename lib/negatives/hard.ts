/**
 * Hard negatives by a judge: related to the anchor, and judged not to answer it.
 *
 * Nearness alone cannot tell them from positives that nobody marked. A cross-encoder's scores can: those are candidates
 * with `score`, and `selectNegatives` with a `maxScore`.
 *
 * @module
 */
import { EvaluationError } from "../error.ts";
import { expectWholeNumber } from "../expect.ts";
import type { Candidates } from "./candidates.ts";
import type { Judge, Judgement, JudgeQuestion, Verdict } from "./judge.ts";

/** Options of {@linkcode judgedNegatives}. */
export interface JudgedOptions {
  /** Negatives of an anchor. Default 3. */
  readonly negatives?: number;
  /** Most candidates of an anchor that are judged. Default: all, until there are enough negatives. */
  readonly questions?: number | undefined;
  /** Verdicts that make a negative. Default: `negative` alone. */
  readonly accept?: readonly Exclude<Verdict, "positive" | "undecided">[];
}

/** Negatives and how they came about. */
export interface JudgedResult {
  /** The negatives of every anchor, in the order of the candidates; `width` is the number that was asked for. */
  readonly negatives: Candidates;
  /** How often each verdict was given. */
  readonly verdicts: Readonly<Record<Verdict, number>>;
}

/** Undecided questions, and none decided, after which there is no use in going on. */
const HOPELESS = 100;

/**
 * Asks a judge about the candidates of every anchor, best first, until there are enough negatives or no candidates.
 * All anchors are asked about together, round by round; no candidate is judged that is not needed. What is undecided is
 * never a negative; if the judge decides nothing at all, that is an `EvaluationError` with an example of what it said.
 *
 * @param candidates From {@linkcode findCandidates}.
 * @param judge Gives a verdict on every question: a {@linkcode languageModelJudge}, or a function of your own.
 * @param options How many, and what is accepted.
 * @returns The negatives, in the order of the candidates, and how often each verdict was given.
 * @throws {UsageError} A number that is not whole.
 * @throws {EvaluationError} Another number of verdicts than of questions, or nothing decided.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import { findCandidates, judgedNegatives } from "@kindred/kindred/negatives";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const angle: Record<string, number> = { dog: 0, hound: .1, puppy: .2, cat: .5, car: 1.5 };
 * const encode = (texts: readonly string[]) => Promise.resolve({
 *   data: Float32Array.from(texts.flatMap((text) => [Math.cos(angle[text]!), Math.sin(angle[text]!)])),
 *   width: 2,
 *   rows: texts.length,
 * });
 * const pairs = { columns: { anchor: ["dog"], positive: ["hound"] }, rows: 1 };
 * const candidates = await findCandidates(engine, pairs, encode, { corpus: ["puppy", "cat", "car"] });
 * const { negatives } = await judgedNegatives(candidates, (questions) =>
 *   Promise.resolve(questions.map(({ candidate }) => ({
 *     verdict: candidate === "puppy" ? "positive" as const : "negative" as const,
 *   }))), { negatives: 1 });
 * assert.equal(negatives.documents[negatives.indices[0]!], "cat");
 * engine.close();
 * ```
 */
export async function judgedNegatives(
  candidates: Candidates,
  judge: Judge,
  options: JudgedOptions = {},
): Promise<JudgedResult> {
  const { negatives: wanted = 3, questions: most = candidates.width, accept = ["negative"] } = options;
  expectWholeNumber("negatives", wanted);
  expectWholeNumber("questions", options.questions ?? 1);
  const { anchors, documents, offsets, positives, width } = candidates;
  const indices = new Int32Array(anchors.length * wanted).fill(-1);
  const scores = new Float32Array(anchors.length * wanted).fill(-Infinity);
  const counts = new Int32Array(anchors.length);
  const asked = new Int32Array(anchors.length); // candidates of each anchor that were judged
  const verdicts: Record<Verdict, number> = { positive: 0, negative: 0, unrelated: 0, undecided: 0 };

  for (;;) {
    const places: { i: number; c: number }[] = [];
    for (let i = 0; i < anchors.length; i++) {
      const room = Math.min(most, candidates.counts[i]!) - asked[i]!;
      const next = Math.min(wanted - counts[i]!, room);
      for (let n = 0; n < next; n++) places.push({ i, c: i * width + asked[i]!++ });
    }
    if (places.length === 0) break;
    const questions = places.map(({ i, c }): JudgeQuestion => ({
      anchor: anchors[i]!,
      positive: documents[positives[offsets[i]!]!]!,
      candidate: documents[candidates.indices[c]!]!,
    }));
    const judgements = await judge(questions);
    expectAnswers(questions, judgements);
    judgements.forEach(({ verdict }, question) => {
      verdicts[verdict]++;
      if (!(accept as readonly Verdict[]).includes(verdict)) return;
      const { i, c } = places[question]!;
      const at = i * wanted + counts[i]!++;
      indices[at] = candidates.indices[c]!;
      scores[at] = candidates.scores[c]!;
    });
    const isOver = counts.every((count, i) => count === wanted || asked[i]! >= Math.min(most, candidates.counts[i]!));
    if (isOver || verdicts.undecided >= HOPELESS) expectDecisions(verdicts, judgements);
  }
  return { negatives: { ...candidates, indices, scores, counts, width: wanted }, verdicts };
}

function expectAnswers(questions: readonly JudgeQuestion[], judgements: readonly Judgement[]): void {
  if (judgements.length === questions.length) return;
  throw new EvaluationError("the judge did not give one verdict for each question", {
    expected: `${questions.length}, one a question`,
    found: `${judgements.length}`,
  });
}

function expectDecisions(verdicts: Readonly<Record<Verdict, number>>, judgements: readonly Judgement[]): void {
  const { positive, negative, unrelated, undecided } = verdicts;
  if (undecided === 0 || positive + negative + unrelated > 0) return;
  const said = judgements.find((judgement) => judgement.said !== undefined)?.said;
  throw new EvaluationError("the judge decided nothing", {
    expected: "a verdict on some of the candidates",
    found: `${undecided} undecided${said === undefined ? "" : `, such as ${JSON.stringify(said.slice(0, 120))}`}`,
    hint:
      "look at what it says: a language model may need more tokens for its answer, or be too small for the question",
  });
}
