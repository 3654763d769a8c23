import assert from "node:assert/strict";
import { Effect, Fiber } from "effect";
import { EvaluationError, GeneratorError } from "../../lib/error.ts";
import { generateAll, generateFunction, layerFixed, layerOpenAi, type OpenAiOptions } from "../../lib/generate/mod.ts";
import type { Candidates } from "../../lib/negatives/candidates.ts";
import { judgedNegatives } from "../../lib/negatives/hard.ts";
import { type Judge, type JudgeQuestion, languageModelJudge } from "../../lib/negatives/judge.ts";
import { ask, completion, endpoint, type Handler, quick } from "./endpoint.ts";

/** What a judge over an endpoint comes to. */
function judging<A>(options: Partial<OpenAiOptions>, use: (judge: Judge) => Promise<A>): Promise<A> {
  return Effect.runPromise(
    Effect.gen(function* () {
      const judge = languageModelJudge(yield* generateFunction({ unanswered: "empty" }));
      return yield* Effect.tryPromise({ try: () => use(judge), catch: (error) => error });
    }).pipe(
      Effect.scoped,
      Effect.provide(layerOpenAi({ ...quick, baseUrl: "http://127.0.0.1:1/v1", attempts: 2, ...options })),
    ),
  );
}

const questions = (candidates: readonly string[]): JudgeQuestion[] =>
  candidates.map((candidate) => ({ anchor: "where do penguins live", candidate }));

/** Answers by what the candidate is called. */
const byName: Readonly<Record<string, Handler>> = {
  yes: () => completion("Yes."),
  related: () => completion("<think>\nhm, yes?\n</think>\n**related**"),
  nonsense: () => completion("As a language model, yes and no."),
  silent: () => completion(""),
  filtered: () => completion(null, { finish: "content_filter" }),
  thoughtful: () => completion("", { finish: "length" }),
  chatty: () => completion("related", { finish: "length" }),
  page: () => new Response("<html>", { headers: { "content-type": "text/html" } }),
  empty: () => Response.json({ choices: [] }),
  torn: () => new Response('{"choices":'),
};
const served: Handler = (received, call, request) => {
  const name = Object.keys(byName).find((name) => received.body.messages[1].content.includes(JSON.stringify(name)))!;
  return byName[name]!(received, call, request);
};

Deno.test("a judge that answers nonsense, or not at all, leaves a question open and judges the others", async () => {
  await using server = endpoint(served);
  const judgements = await judging({ baseUrl: server.baseUrl }, (judge) => judge(questions(Object.keys(byName))));
  assert.deepEqual(judgements.map(({ verdict }) => verdict), [
    "positive",
    "negative",
    ...Object.keys(byName).slice(2).map(() => "undecided"),
  ]);
});

Deno.test("a judge that cannot be reached, refuses, or has spent its budget stops the work with the reason", async () => {
  const cases: readonly [Handler, Partial<OpenAiOptions>, string][] = [
    [() => new Response("", { status: 503 }), {}, "unavailable"],
    [() => new Response("", { status: 401 }), {}, "refused"],
    [() => new Promise((resolve) => setTimeout(() => resolve(new Response("")), 60)), {
      timeoutMilliseconds: 10,
    }, "unavailable"],
    [served, { tokenBudget: 20 }, "budget"],
  ];
  for (const [handler, options, kind] of cases) {
    await using server = endpoint(handler);
    const judged = judging({ baseUrl: server.baseUrl, ...options }, (judge) => judge(questions(["yes", "related"])));
    await assert.rejects(judged, (error) => error instanceof GeneratorError && error.kind === kind, kind);
  }
});

/** One anchor with these candidates. */
const candidatesOf = (names: readonly string[]): Candidates => ({
  anchors: ["where do penguins live"],
  documents: ["on the ice", ...names],
  offsets: Int32Array.of(0, 1),
  positives: Int32Array.of(0),
  mostPositives: 1,
  positiveScores: Float32Array.of(1),
  indices: Int32Array.from(names, (_, i) => i + 1),
  scores: Float32Array.from(names, (_, i) => 1 - i / 100),
  counts: Int32Array.of(names.length),
  width: names.length,
});

Deno.test("hard negatives over such an endpoint: only what was judged a negative becomes one", async () => {
  await using server = endpoint(served);
  const names = Object.keys(byName);
  const { negatives, verdicts } = await judging(
    { baseUrl: server.baseUrl },
    (judge) => judgedNegatives(candidatesOf(names), judge),
  );
  assert.deepEqual([...negatives.indices], [1 + names.indexOf("related"), -1, -1]);
  assert.deepEqual(verdicts, { positive: 1, negative: 1, unrelated: 0, undecided: names.length - 2 });
});

Deno.test("a judge of nonsense alone is found out", async () => {
  await using server = endpoint(() => completion("I love penguins!"));
  const judged = judging({ baseUrl: server.baseUrl }, (judge) => judgedNegatives(candidatesOf(["a", "b"]), judge));
  await assert.rejects(judged, (error) => error instanceof EvaluationError && /I love penguins/.test(error.found!));
});

Deno.test("an unanswered request stops generateAll unless it may stay open", async () => {
  const fixed = layerFixed(({ messages }) =>
    messages[0]!.content === "no" ? new GeneratorError("nothing", { kind: "answer" }) : "yes"
  );
  const requests = ["a", "no", "b"].map((content) => ask(content));
  const error = await Effect.runPromise(Effect.flip(generateAll(requests)).pipe(Effect.provide(fixed)));
  assert.equal(error.message, "nothing");
  let done = 0;
  const options = { unanswered: "empty", onAnswer: (count: number) => void (done = count) } as const;
  const answers = await Effect.runPromise(generateAll(requests, options).pipe(Effect.provide(fixed)));
  assert.deepEqual(answers.map(({ text, finish }) => [text, finish]), [["yes", "stop"], ["", "unanswered"], [
    "yes",
    "stop",
  ]]);
  assert.equal(done, 3);
});

Deno.test("when the work around a judge is interrupted, its requests are", async () => {
  await using server = endpoint(() => new Promise((resolve) => setTimeout(() => resolve(completion("yes")), 30)));
  const requests = Array.from({ length: 50 }, (_, i) => ask(`${i}`));
  await Effect.runPromise(Effect.gen(function* () {
    const work = Effect.gen(function* () {
      const generate = yield* generateFunction();
      return yield* Effect.promise(() => generate(requests));
    }).pipe(Effect.scoped, Effect.provide(layerOpenAi({ ...quick, baseUrl: server.baseUrl, concurrency: 2 })));
    const fiber = yield* Effect.forkChild(work);
    while (server.received.length < 2) yield* Effect.sleep(1);
    yield* Fiber.interrupt(fiber);
    const { length } = server.received;
    yield* Effect.sleep(80);
    assert.ok(length <= 4 && server.received.length === length);
  }));
});
