/**
 * Text from any endpoint that speaks OpenAI's chat completions over HTTP: Ollama, vLLM, llama.cpp, LM Studio, or a
 * hosted one. It needs the permission to reach that one host, and those of the file of answers if there is one.
 *
 * @module
 */
import * as Clock from "effect/Clock";
import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import type * as Scope from "effect/Scope";
import * as Semaphore from "effect/Semaphore";
import { attempt } from "../attempt.ts";
import { backoff } from "../backoff.ts";
import { variable } from "../environment.ts";
import { GeneratorError, type KindredError, UsageError } from "../error.ts";
import { type AnswerFile, answerKey, answersInMemory, type KeptAnswer, openAnswerFile } from "./answer_file.ts";
import { estimateTokens, type GeneratedText, type GenerateRequest, TextGenerator } from "./generator.ts";
import { type HttpReply, readReply, type Reply } from "./reply.ts";
import { makeTokenBudget } from "./token_budget.ts";

/** Options of {@linkcode openAiGenerator}. */
export interface OpenAiOptions {
  /** Where the endpoint is, as far as `/chat/completions`: `http://127.0.0.1:11434/v1` for Ollama. */
  readonly baseUrl: string;
  /** The model's name there. */
  readonly model: string;
  /** Sent as a bearer token. Default: the variable `KINDRED_API_KEY`; `OPENAI_API_KEY` for api.openai.com alone. */
  readonly apiKey?: string | undefined;
  /** Headers to send beside. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default 0, the likeliest answer. */
  readonly temperature?: number;
  /** Most tokens of an answer. Default 512. */
  readonly maxTokens?: number;
  /** The field that this goes into; OpenAI's reasoning models want `max_completion_tokens`. Default `max_tokens`. */
  readonly maxTokensField?: "max_tokens" | "max_completion_tokens";
  /** Sent if there is one. */
  readonly seed?: number | undefined;
  /** Further fields of each request, such as `response_format`. */
  readonly extra?: { readonly [name: string]: unknown };
  /** Keeps answers on disk, a JSON line each, and asks only for what it does not hold. */
  readonly answerFile?: string | undefined;
  /** Requests under way at once. Default 4. */
  readonly concurrency?: number;
  /** Tokens of questions and answers that may be spent in all; kept answers cost nothing. Default: no limit. */
  readonly tokenBudget?: number;
  /** How long one attempt may take, the reading of its answer included. Default two minutes. */
  readonly timeoutMilliseconds?: number;
  /** How often one request is sent before it is given up. Default 6. */
  readonly attempts?: number;
  /** The first pause between attempts; doubles each time, less a random part. Default 500. */
  readonly pauseMilliseconds?: number;
  /** The longest pause; an endpoint that asks for more by `Retry-After` is given up. Default two minutes. */
  readonly maxPauseMilliseconds?: number;
}

type Failure = Exclude<Reply, { kind: "answer" }>;

/** A reply longer than this is no answer. */
const MAX_BODY_BYTES = 16 << 20;

/**
 * A generator over an endpoint. Connections that drop, attempts that take too long, 408, 425, 429, 5xx and replies that
 * are no completion are tried again; when the endpoint names a time by `Retry-After`, all requests wait for it. What
 * asking again cannot cure (a wrong key, model or address; a prompt that is refused) fails at once, with what the
 * endpoint said.
 *
 * Answers are keyed by everything of a request but where it goes: another endpoint with the same model goes on with the
 * same file. Equal requests at the same time are sent once.
 *
 * Fails with a `UsageError` for settings that cannot be right.
 *
 * @param options Where the endpoint is, which model, and how patient to be.
 * @returns An effect that gives the generator, and closes it with its scope; it fails by a `UsageError` for settings
 *   that cannot be right, by a `GeneratorError` for a file of answers that cannot be used.
 */
export function openAiGenerator(options: OpenAiOptions): Effect.Effect<TextGenerator, KindredError, Scope.Scope> {
  return Effect.gen(function* () {
    const { concurrency = 4, timeoutMilliseconds = 120_000, attempts = 6 } = options;
    const { pauseMilliseconds = 500, maxPauseMilliseconds = 120_000 } = options;
    const endpoint = yield* Effect.try({ try: () => checkOptions(options), catch: (error) => error as UsageError });
    const answers: AnswerFile = yield* Effect.acquireRelease(
      options.answerFile === undefined
        ? Effect.sync(answersInMemory)
        : attempt(() => openAnswerFile(options.answerFile!)),
      (file) => Effect.sync(() => file[Symbol.dispose]()),
    );
    const budget = makeTokenBudget(options.tokenBudget ?? Infinity);
    const places = Semaphore.makeUnsafe(concurrency);
    const sameKey = new Map<string, { readonly lock: Semaphore.Semaphore; users: number }>();
    const totals = { asked: 0, cached: 0, attempts: 0, prompt: 0, completion: 0 };
    const { messages: _, ...identity } = bodyOf(options, { messages: [] }).json;
    let notBefore = 0; // what the endpoint asked for, for all requests

    /** One attempt, whatever becomes of it. */
    const send = (body: string): Effect.Effect<Reply> =>
      Effect.gen(function* () {
        for (let now = yield* Clock.currentTimeMillis; now < notBefore; now = yield* Clock.currentTimeMillis) {
          yield* Effect.sleep(notBefore - now);
        }
        totals.attempts++;
        const reply = yield* Effect.tryPromise({
          try: (signal) => post(endpoint, body, signal),
          catch: (error) => error,
        }).pipe(
          Effect.timeoutOrElse({
            duration: timeoutMilliseconds,
            orElse: () => Effect.fail(new Error(`no answer within ${timeoutMilliseconds} ms`)),
          }),
          Effect.catch((error) => dropped(error, endpoint)),
        );
        return "kind" in reply ? reply : readReply(reply, endpoint.where, yield* Clock.currentTimeMillis);
      });

    /** Attempts until there is an answer. */
    const ask = (body: string): Effect.Effect<Extract<Reply, { kind: "answer" }>, GeneratorError> =>
      send(body).pipe(
        Effect.flatMap((reply) => reply.kind === "answer" ? Effect.succeed(reply) : Effect.fail(reply)),
        Effect.tapError((reply) => heed(reply)),
        Effect.retry({
          while: (reply) => reply.kind === "again" && (reply.retryAfter ?? 0) <= maxPauseMilliseconds,
          schedule: backoff<Failure>({ attempts, pauseMilliseconds, maxPauseMilliseconds }),
        }),
        Effect.mapError((reply) => failureOf(reply)),
      );

    /** What the endpoint asks for holds for all requests. */
    const heed = (reply: Failure): Effect.Effect<void> =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const wait = reply.retryAfter ?? 0;
        if (wait <= maxPauseMilliseconds) notBefore = Math.max(notBefore, now + wait);
      });

    const failureOf = ({ kind, error, retryAfter = 0 }: Failure): GeneratorError =>
      kind === "final" || retryAfter <= maxPauseMilliseconds ? error : new GeneratorError(
        "the endpoint wants to be left alone for longer than it is waited for",
        {
          kind: "unavailable",
          where: endpoint.where,
          expected: `a pause of at most ${maxPauseMilliseconds / 1000} s`,
          found: `${Math.ceil(retryAfter / 1000)} s; ${error.found}`,
          hint: "run it again later; a file of answers keeps what there is",
        },
      );

    const answer = (key: string, request: GenerateRequest, body: Body): Effect.Effect<GeneratedText, GeneratorError> =>
      Effect.gen(function* () {
        const kept = answers.get(key);
        if (kept !== undefined) {
          totals.cached++;
          return { ...kept, cached: true };
        }
        const prompt = estimateTokens(request.messages);
        const made = yield* budget.spend(
          prompt + body.maxTokens,
          Effect.map(ask(JSON.stringify(body.json)), ({ text, finish, usage }) => {
            const counted = usage ?? { prompt, completion: estimateTokens([{ content: text }]) };
            const value: KeptAnswer = { text, finish, usage: { ...counted, estimated: usage === undefined } };
            totals.prompt += counted.prompt;
            totals.completion += counted.completion;
            return { value, tokens: counted.prompt + counted.completion };
          }),
        ).pipe(Semaphore.withPermit(places));
        yield* Effect.try({ try: () => answers.add(key, made), catch: (error) => error as GeneratorError });
        return { ...made, cached: false };
      });

    return {
      identity,
      concurrency,
      generate: (request) =>
        Effect.suspend(() => {
          totals.asked++;
          const body = bodyOf(options, request);
          const key = answerKey(body.json);
          const turn = sameKey.get(key) ?? { lock: Semaphore.makeUnsafe(1), users: 0 };
          sameKey.set(key, turn);
          turn.users++;
          return answer(key, request, body).pipe(
            Semaphore.withPermit(turn.lock),
            Effect.ensuring(Effect.sync(() => --turn.users === 0 && sameKey.delete(key))),
          );
        }),
      totals: Effect.sync(() => ({
        answers: { asked: totals.asked, cached: totals.cached },
        attempts: totals.attempts,
        tokens: { prompt: totals.prompt, completion: totals.completion },
      })),
    };
  });
}

/**
 * {@linkcode openAiGenerator} as a layer.
 *
 * @param options Where the endpoint is, which model, and how patient to be.
 * @returns A layer of `TextGenerator`.
 */
export function layerOpenAi(options: OpenAiOptions): Layer.Layer<TextGenerator, KindredError> {
  return Layer.effect(TextGenerator, openAiGenerator(options));
}

/** A request's body, and the most tokens of its answer. */
interface Body {
  readonly json: { readonly [name: string]: unknown };
  readonly maxTokens: number;
}

function bodyOf(options: OpenAiOptions, request: GenerateRequest): Body {
  const maxTokens = request.maxTokens ?? options.maxTokens ?? 512;
  const seed = request.seed ?? options.seed;
  const json = {
    ...options.extra,
    model: options.model,
    messages: request.messages.map(({ role, content }) => ({ role, content })),
    temperature: request.temperature ?? options.temperature ?? 0,
    [options.maxTokensField ?? "max_tokens"]: maxTokens,
    ...(seed !== undefined && { seed }),
  };
  return { json, maxTokens };
}

/** Where requests go. `where` is for people: no query, no key. */
interface Endpoint {
  readonly url: URL;
  readonly headers: Headers;
  readonly where: string;
}

function checkOptions(options: OpenAiOptions): Endpoint {
  const wrong = (name: string, expected: string, found: unknown): never => {
    throw new UsageError(`text generator: ${name} must be ${expected}`, {
      expected,
      found: String(found),
      where: name,
    });
  };
  const url = URL.parse(options.baseUrl);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "") {
    return wrong("baseUrl", "http:// or https://, without a user, such as http://127.0.0.1:11434/v1", options.baseUrl);
  }
  if (options.model.trim() === "") wrong("model", "the name of a model", JSON.stringify(options.model));
  const count = (name: "maxTokens" | "concurrency" | "attempts") => {
    const value = options[name] ?? 1;
    if (!Number.isSafeInteger(value) || value < 1) wrong(name, "a whole number from 1", value);
  };
  count("maxTokens");
  count("concurrency");
  count("attempts");
  const number = (name: "temperature" | "pauseMilliseconds" | "maxPauseMilliseconds") => {
    const value = options[name] ?? 0;
    if (!(value >= 0 && value < Infinity)) wrong(name, "a number from 0", value);
  };
  number("temperature");
  number("pauseMilliseconds");
  number("maxPauseMilliseconds");
  if (!((options.tokenBudget ?? 1) > 0)) wrong("tokenBudget", "a number above 0", options.tokenBudget);
  const timeout = options.timeoutMilliseconds ?? 1;
  if (!(timeout > 0 && timeout < 2 ** 31)) wrong("timeoutMilliseconds", "a number above 0, below 2³¹", timeout);
  if (!Number.isSafeInteger(options.seed ?? 0)) wrong("seed", "a whole number", options.seed);

  const key = options.apiKey ?? variable("KINDRED_API_KEY")?.trim() ??
    (url.hostname === "api.openai.com" ? variable("OPENAI_API_KEY")?.trim() : undefined);
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/chat/completions`;
  const headers = new Headers({ "content-type": "application/json", accept: "application/json" });
  try {
    for (const [name, value] of Object.entries(options.headers ?? {})) headers.set(name, value);
    if (key !== undefined && key !== "") headers.set("authorization", `Bearer ${key}`);
  } catch {
    wrong("apiKey or headers", "characters that HTTP can send", "others");
  }
  return { url, headers, where: url.origin + url.pathname };
}

/** Sends a request and reads the reply to its end. */
async function post({ url, headers }: Endpoint, body: string, signal: AbortSignal): Promise<HttpReply> {
  const response = await fetch(url, { method: "POST", headers, body, signal, redirect: "manual" });
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const bytes of response.body ?? []) {
    size += bytes.length;
    if (size > MAX_BODY_BYTES) throw new Error(`a reply of more than ${MAX_BODY_BYTES} bytes`);
    text += decoder.decode(bytes, { stream: true });
  }
  return { status: response.status, headers: response.headers, body: text + decoder.decode() };
}

/** A request without a reply: no permission, or a connection that did not come about or broke. */
function dropped(error: unknown, { url, where }: Endpoint): Effect.Effect<Reply> {
  const found = error instanceof Error ? error.message : String(error);
  if (error instanceof Deno.errors.NotCapable) {
    return Effect.succeed({
      kind: "final",
      error: new GeneratorError("there is no permission to reach the endpoint", {
        where,
        found,
        hint: `allow it: --allow-net=${url.host}`,
        cause: error,
      }),
    });
  }
  return Effect.succeed({
    kind: "again",
    error: new GeneratorError("the endpoint cannot be reached, or does not answer in time", {
      kind: "unavailable",
      where,
      found,
      hint: "check that the server runs, the base URL, and the time that an answer may take",
      cause: error,
    }),
  });
}
