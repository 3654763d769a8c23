/**
 * A service that answers prompts with text: what judges, query writers and paraphrasers are built on.
 *
 * @module
 */
import * as Context from "effect/Context";
import * as Effect from "effect/Effect";
import * as FiberSet from "effect/FiberSet";
import * as Layer from "effect/Layer";
import type * as Scope from "effect/Scope";
import type { GeneratorError } from "../error.ts";

/** One message of a conversation. */
export interface ChatMessage {
  /** Who says it. */
  readonly role: "system" | "user" | "assistant";
  /** What is said. */
  readonly content: string;
}

/** What is asked. Settings left out are the generator's. */
export interface GenerateRequest {
  /** The conversation so far; the answer follows. */
  readonly messages: readonly ChatMessage[];
  /** 0 for the likeliest answer; higher for variety. */
  readonly temperature?: number;
  /** Most tokens of the answer. */
  readonly maxTokens?: number;
  /** For endpoints that draw by it. Equal requests share one answer: several answers want several seeds. */
  readonly seed?: number;
}

/** Tokens that an answer took. */
export interface TokenUsage {
  /** Tokens of the question. */
  readonly prompt: number;
  /** Tokens of the answer. */
  readonly completion: number;
  /** Whether the endpoint said nothing and this is {@linkcode estimateTokens}. */
  readonly estimated: boolean;
}

/** An answer. */
export interface GeneratedText {
  /** The answer. */
  readonly text: string;
  /** Why it ended: `stop` of itself, `length` at the limit of tokens, or the endpoint's own word. */
  readonly finish: string;
  /** What it took. */
  readonly usage: TokenUsage;
  /** Whether it was answered before, now for nothing. */
  readonly cached: boolean;
}

/** What a generator has done since it was made. */
export interface GeneratorTotals {
  /** Answers that were asked for, and how many of them were found on disk. */
  readonly answers: { readonly asked: number; readonly cached: number };
  /** Requests that were sent, repetitions among them. */
  readonly attempts: number;
  /** Tokens of questions and answers that were paid for. */
  readonly tokens: { readonly prompt: number; readonly completion: number };
}

/** Answers prompts. */
export interface TextGenerator {
  /** Everything of the generator that its answers depend on, as plain JSON: for the keys of stages. */
  readonly identity: { readonly [name: string]: unknown };
  /** Requests that are worth having under way at once. */
  readonly concurrency: number;
  /** One answer. */
  readonly generate: (request: GenerateRequest) => Effect.Effect<GeneratedText, GeneratorError>;
  /** What has been done so far. */
  readonly totals: Effect.Effect<GeneratorTotals>;
}

/** The service that answers prompts. */
export const TextGenerator: Context.Service<TextGenerator, TextGenerator> = Context.Service<TextGenerator>(
  "kindred/TextGenerator",
);

/** Options of {@linkcode generateAll}. */
export interface GenerateAllOptions {
  /**
   * What becomes of a request that the endpoint is there for, but that got no answer to use: refused by its filter, cut
   * off before it began, nonsense again and again. `fail` stops all; `empty` makes it an answer without text, whose
   * `finish` is `unanswered`: for judges, who may leave a question open. Default fail.
   */
  readonly unanswered?: "fail" | "empty";
  /** Called after each answer with how many there are. */
  readonly onAnswer?: ((done: number, total: number) => void) | undefined;
}

/**
 * The answers to many requests, in their order. The first failure stops it, after the requests under way have been
 * answered: they are paid for, and a generator with a file of answers keeps them.
 *
 * @param requests Any number of them.
 * @param options What becomes of a request that the model does not answer, and who is told of progress.
 * @returns An answer to each, in their order.
 *
 * @example
 * ```ts
 * import { fixedGenerator, generateAll, TextGenerator } from "@kindred/kindred/generate";
 * import { Effect } from "effect";
 * import assert from "node:assert/strict";
 * const generator = fixedGenerator(({ messages }) => messages[0]!.content.toUpperCase());
 * const requests = ["a", "b"].map((content) => ({ messages: [{ role: "user" as const, content }] }));
 * const answers = await Effect.runPromise(
 *   generateAll(requests).pipe(Effect.provideService(TextGenerator, generator)),
 * );
 * assert.deepEqual(answers.map(({ text }) => text), ["A", "B"]);
 * ```
 */
export function generateAll(
  requests: readonly GenerateRequest[],
  options: GenerateAllOptions = {},
): Effect.Effect<readonly GeneratedText[], GeneratorError, TextGenerator> {
  return Effect.gen(function* () {
    const generator = yield* TextGenerator;
    const answers: GeneratedText[] = new Array(requests.length);
    let done = 0;
    let failure: GeneratorError | undefined;
    const keep = (answer: GeneratedText, i: number) => {
      answers[i] = answer;
      options.onAnswer?.(++done, requests.length);
    };
    yield* Effect.forEach(requests, (request, i) =>
      Effect.suspend(() => {
        if (failure !== undefined) return Effect.void;
        return Effect.match(generator.generate(request), {
          onSuccess: (answer) => keep(answer, i),
          onFailure: (error) => {
            if (error.kind === "answer" && options.unanswered === "empty") keep(UNANSWERED, i);
            else failure ??= error;
          },
        });
      }), { concurrency: generator.concurrency, discard: true });
    return failure === undefined ? answers : yield* Effect.fail(failure);
  });
}

const UNANSWERED: GeneratedText = {
  text: "",
  finish: "unanswered",
  usage: { prompt: 0, completion: 0, estimated: true },
  cached: false,
};

/** Answers many prompts. Rejects with a `GeneratorError`. */
export type GenerateFunction = (requests: readonly GenerateRequest[]) => Promise<readonly GeneratedText[]>;

/**
 * {@linkcode generateAll} over the generator of the surroundings as a plain function, for judges and writers. When the
 * scope closes, because the effect around it was interrupted, what it still waits for is given up.
 *
 * @param options What becomes of a request that the model does not answer.
 * @returns A function of requests, as judges and writers take it.
 *
 * @example
 * ```ts
 * import { generateFunction, layerFixed } from "@kindred/kindred/generate";
 * import { Effect } from "effect";
 * import assert from "node:assert/strict";
 * const answers = await Effect.runPromise(Effect.gen(function* () {
 *   const generate = yield* generateFunction();
 *   return yield* Effect.promise(() => generate([{ messages: [{ role: "user", content: "Is it?" }] }]));
 * }).pipe(Effect.scoped, Effect.provide(layerFixed(() => "Yes."))));
 * assert.equal(answers[0]!.text, "Yes.");
 * ```
 */
export function generateFunction(
  options: GenerateAllOptions = {},
): Effect.Effect<GenerateFunction, never, TextGenerator | Scope.Scope> {
  return Effect.map(
    FiberSet.makeRuntimePromise<TextGenerator>(),
    (run): GenerateFunction => (requests) => run(generateAll(requests, options)),
  );
}

/** One token for every three bytes of UTF-8 and four for each message: rather too many than too few. */
export function estimateTokens(messages: readonly { readonly content: string }[]): number {
  let tokens = 0;
  for (const { content } of messages) tokens += 4 + Math.ceil(new TextEncoder().encode(content).length / 3);
  return tokens;
}

/**
 * A generator without a model: a function answers. For trying things out, and for tests of what is built on
 * generators.
 *
 * @param answer The text of an answer, or why there is none.
 * @param options What identifies it in keys of a cache, and how many requests it takes at once.
 * @returns A generator.
 */
export function fixedGenerator(
  answer: (request: GenerateRequest) => string | GeneratorError,
  options: { readonly identity?: { readonly [name: string]: unknown }; readonly concurrency?: number } = {},
): TextGenerator {
  let asked = 0;
  let prompt = 0;
  let completion = 0;
  return {
    identity: options.identity ?? { model: "fixed" },
    concurrency: options.concurrency ?? 4,
    generate: (request) =>
      Effect.suspend(() => {
        const text = answer(request);
        if (typeof text !== "string") return Effect.fail(text);
        const usage = {
          prompt: estimateTokens(request.messages),
          completion: estimateTokens([{ content: text }]),
          estimated: true,
        };
        asked++;
        prompt += usage.prompt;
        completion += usage.completion;
        return Effect.succeed({ text, finish: "stop", usage, cached: false });
      }),
    totals: Effect.sync(() => ({
      answers: { asked, cached: 0 },
      attempts: asked,
      tokens: { prompt, completion },
    })),
  };
}

/**
 * {@linkcode fixedGenerator} as a layer.
 *
 * @param answer The text of an answer, or why there is none.
 * @returns A layer of `TextGenerator`.
 */
export function layerFixed(answer: (request: GenerateRequest) => string | GeneratorError): Layer.Layer<TextGenerator> {
  return Layer.sync(TextGenerator, () => fixedGenerator(answer));
}
