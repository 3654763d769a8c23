/**
 * A judge says of a candidate whether it answers its anchor. It may be a language model, a person, or anything else.
 *
 * @module
 */
import { EvaluationError } from "../error.ts";
import type { GenerateRequest } from "../generate/generator.ts";
import { withoutThoughts } from "../generate/reply.ts";

/** What is to be judged. */
export interface JudgeQuestion {
  /** The query, premise or question. */
  readonly anchor: string;
  /** A text that is known to answer it. */
  readonly positive?: string;
  /** The text in question. */
  readonly candidate: string;
}

/**
 * `positive`: it answers, so that it must not become a negative; `negative`: it is related and does not answer, a hard
 * negative; `unrelated`: an easy one; `undecided`: nobody knows.
 */
export type Verdict = "positive" | "negative" | "unrelated" | "undecided";

/** A verdict and what the judge said, if it said something. */
export interface Judgement {
  /** The verdict. */
  readonly verdict: Verdict;
  /** The judge's own words. */
  readonly said?: string;
}

/** Judges questions: one judgement each, in their order. */
export type Judge = (questions: readonly JudgeQuestion[]) => Promise<readonly Judgement[]>;

/** Answers prompts, in their order; `generateFunction` of lib/generate makes one of a text generator. */
export type Generate = (
  requests: readonly GenerateRequest[],
) => Promise<readonly { readonly text: string; readonly finish: string }[]>;

/** What it means that a text belongs to an anchor. */
export type Relation = "answer" | "paraphrase" | "entailment";

/** The words of a relation, for prompts. */
export const RELATIONS: Readonly<
  Record<Relation, {
    /** What the anchor is. */
    readonly anchor: string;
    /** What its positive is. */
    readonly positive: string;
    /** What a candidate is. */
    readonly candidate: string;
    /** What a positive does. */
    readonly does: string;
    /** What a negative does. */
    readonly doesNot: string;
  }>
> = {
  answer: {
    anchor: "Question",
    positive: "A text that answers it",
    candidate: "Text",
    does: "answers the question",
    doesNot: "does not answer the question",
  },
  paraphrase: {
    anchor: "Sentence",
    positive: "A sentence that means the same",
    candidate: "Other sentence",
    does: "means the same as the sentence",
    doesNot: "does not mean the same as the sentence",
  },
  entailment: {
    anchor: "Premise",
    positive: "A statement that follows from it",
    candidate: "Statement",
    does: "must be true if the premise is true",
    doesNot: "may be false if the premise is true",
  },
};

const WORDS: Readonly<Record<string, Verdict>> = {
  yes: "positive",
  related: "negative",
  unrelated: "unrelated",
  unsure: "undecided",
};

/** The prompt for one question. Texts stand in it as JSON, so that none of them can pass for a line of the prompt. */
export function judgePrompt({ anchor, positive, candidate }: JudgeQuestion, relation: Relation = "answer"): string {
  const words = RELATIONS[relation];
  const what = words.candidate.toLowerCase();
  return [
    `${words.anchor}: ${JSON.stringify(anchor)}`,
    ...(positive === undefined ? [] : [`${words.positive}: ${JSON.stringify(positive)}`]),
    `${words.candidate}: ${JSON.stringify(candidate)}`,
    "",
    "Which word is right?",
    `yes: the ${what} ${words.does}`,
    `related: the ${what} is about the same things, but ${words.doesNot}`,
    `unrelated: the ${what} is about something else`,
    "unsure: it cannot be told",
    "",
    "Answer with this one word and nothing else.",
  ].join("\n");
}

/**
 * Reads an answer: exactly one of the four words, in any case, with quotes or a full stop around it. Thoughts in
 * `<think>` come before it. Whatever else was said is undefined: it decides nothing.
 */
export function parseVerdict(answer: string): Verdict | undefined {
  const word = withoutThoughts(answer).replaceAll(/^["'`*\s]+|["'`*.\s]+$/g, "").toLowerCase();
  return Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
}

/** Options of {@linkcode languageModelJudge}. */
export interface LanguageModelJudgeOptions {
  /** What a positive does for its anchor. Default answer. */
  readonly relation?: Relation;
  /** Most tokens of an answer; a model that thinks aloud needs more. Default 16. */
  readonly maxTokens?: number;
}

/**
 * A judge that asks a language model. An answer other than the words it was given, or was cut off, is undecided.
 *
 * @param generate Answers prompts: what `generateFunction` gives, or a function of your own.
 * @param options What a positive does for its anchor, and how long answers may be.
 * @returns A judge for {@linkcode judgedNegatives}.
 *
 * @example
 * ```ts
 * import { languageModelJudge } from "@kindred/kindred/negatives";
 * import assert from "node:assert/strict";
 * const judge = languageModelJudge((requests) =>
 *   Promise.resolve(requests.map(({ messages }) => ({
 *     text: messages.at(-1)!.content.includes("zoo") ? "Related." : "I like penguins!",
 *     finish: "stop",
 *   })))
 * );
 * const judgements = await judge([
 *   { anchor: "where do penguins live", candidate: "penguins are fed in the zoo" },
 *   { anchor: "where do penguins live", candidate: "penguins live on the ice" },
 * ]);
 * assert.deepEqual(judgements.map(({ verdict }) => verdict), ["negative", "undecided"]);
 * ```
 */
export function languageModelJudge(generate: Generate, options: LanguageModelJudgeOptions = {}): Judge {
  const { relation = "answer", maxTokens = 16 } = options;
  return async (questions) => {
    const answers = await generateEach(
      generate,
      questions.map((question) => ({
        messages: [
          { role: "system", content: "You judge texts with care. You answer with one word." },
          { role: "user", content: judgePrompt(question, relation) },
        ],
        temperature: 0,
        maxTokens,
      })),
    );
    return answers.map(({ text, finish }) => ({
      verdict: (finish === "length" ? undefined : parseVerdict(text)) ?? "undecided",
      said: text,
    }));
  };
}

/** Asks, and makes sure that there is an answer to each question. */
export async function generateEach(
  generate: Generate,
  requests: readonly GenerateRequest[],
): Promise<readonly { readonly text: string; readonly finish: string }[]> {
  const answers = await generate(requests);
  if (answers.length === requests.length) return answers;
  throw new EvaluationError("there is not one answer for each prompt", {
    expected: `${requests.length}`,
    found: `${answers.length}`,
  });
}
