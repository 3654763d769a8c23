import assert from "node:assert/strict";
import { Effect, Fiber } from "effect";
import { TestClock } from "effect/testing";
import { explain, GeneratorError, UsageError } from "../../lib/error.ts";
import {
  generateAll,
  type GeneratedText,
  layerOpenAi,
  openAiGenerator,
  type OpenAiOptions,
  type TextGenerator,
} from "../../lib/generate/mod.ts";
import { ask, completion, endpoint, type Handler, quick, rawEndpoint } from "./endpoint.ts";

function run<A, E>(
  options: Omit<OpenAiOptions, "model"> & { readonly model?: string },
  use: (generator: TextGenerator) => Effect.Effect<A, E>,
): Promise<A> {
  return Effect.runPromise(Effect.scoped(Effect.flatMap(openAiGenerator({ ...quick, ...options }), use)));
}

const failure = (baseUrl: string, options: Partial<OpenAiOptions> = {}): Promise<GeneratorError> =>
  run({ baseUrl, ...options }, (generator) => Effect.flip(generator.generate(ask("hello"))));

Deno.test("a request in the words of the protocol, an answer with what it took", async () => {
  await using server = endpoint(() => completion("Yes."));
  const options = { baseUrl: `${server.baseUrl}/`, apiKey: "secret", seed: 7, extra: { top_p: .5 } };
  const [answer, totals] = await run(options, (generator) =>
    Effect.all([
      generator.generate({
        messages: [{ role: "system", content: "Be short." }, { role: "user", content: "Is it?" }],
        maxTokens: 20,
      }),
      generator.totals,
    ]));
  assert.deepEqual(answer, {
    text: "Yes.",
    finish: "stop",
    usage: { prompt: 10, completion: 5, estimated: false },
    cached: false,
  });
  assert.deepEqual(totals, {
    answers: { asked: 1, cached: 0 },
    attempts: 1,
    tokens: { prompt: 10, completion: 5 },
  });
  assert.deepEqual(server.received, [{
    path: "/v1/chat/completions",
    authorization: "Bearer secret",
    body: {
      model: "m",
      messages: [{ role: "system", content: "Be short." }, { role: "user", content: "Is it?" }],
      temperature: 0,
      max_tokens: 20,
      seed: 7,
      top_p: .5,
    },
  }]);
});

Deno.test("what passes is asked again: status 429, 5xx, pages, nonsense, empty choices", async () => {
  const bad: Handler[] = [
    () => new Response("slow down", { status: 429 }),
    () => new Response("slow down", { status: 429, headers: { "retry-after": "0.001" } }),
    () => new Response("slow down", { status: 429, headers: { "retry-after": new Date(0).toUTCString() } }),
    () => new Response("", { status: 503 }),
    () => Response.json({ error: "loading model" }, { status: 500 }),
    () => new Response("<html><title>Bad gateway</title></html>", { headers: { "content-type": "text/html" } }),
    () => new Response('{"choices": [{"mess'),
    () => new Response(""),
    () => new Response("data: {}\n\n", { headers: { "content-type": "text/event-stream" } }),
    () => Response.json({ choices: [] }),
    () => Response.json([1]),
    () => Response.json({ choices: [{ message: { content: null } }] }),
    () => Response.json({ choices: "none", error: { message: "overloaded" } }),
  ];
  await using server = endpoint((received, call, request) => {
    return call <= bad.length ? bad[call - 1]!(received, call, request) : completion("at last");
  });
  const [answer, totals] = await run(
    { baseUrl: server.baseUrl, attempts: bad.length + 1, maxPauseMilliseconds: 2 },
    (generator) => Effect.all([generator.generate(ask("hello")), generator.totals]),
  );
  assert.equal(answer.text, "at last");
  assert.equal(totals.attempts, bad.length + 1);
  assert.equal(server.received.length, bad.length + 1);
});

Deno.test("a connection that is closed without a word, or within a body of known length, is asked again", async () => {
  const write = (connection: Deno.Conn, text: string) => connection.write(new TextEncoder().encode(text));
  await using server = rawEndpoint(async (connection, call) => {
    if (call === 1) return;
    if (call === 2) await write(connection, 'HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"choices": [');
    if (call === 3) await write(connection, "nonsense\r\n\r\n");
    if (call < 4) return;
    const body = await completion("at last").text();
    await write(connection, `HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
  });
  const answer = await run({ baseUrl: server.baseUrl, attempts: 8 }, (generator) => generator.generate(ask("hello")));
  assert.equal(answer.text, "at last");
  assert.ok(server.received.length >= 4);
});

Deno.test("what does not pass is given up after the attempts, and says what was found", async () => {
  const cases: readonly [() => Response, string, string, RegExp][] = [
    [() => new Response("", { status: 503 }), "unavailable", "HTTP 503", /./],
    [
      () => new Response("<html><title>Sign in</title></html>", { headers: { "content-type": "text/html" } }),
      "answer",
      "text/html: a web page, “Sign in”",
      /base URL/,
    ],
    [
      () => new Response("{", { headers: { "content-type": "application/json" } }),
      "answer",
      "application/json: {",
      /./,
    ],
    [() => new Response("data: {}", { headers: { "content-type": "text/event-stream" } }), "answer", "data: {}", /./],
    [() => Response.json({ choices: [] }), "answer", '{"choices":[]}', /./],
    [() => Response.json({ error: { message: "overloaded" } }), "answer", "overloaded", /./],
  ];
  for (const [response, kind, found, text] of cases) {
    await using server = endpoint(response);
    const error = await failure(server.baseUrl);
    assert.ok(error instanceof GeneratorError);
    assert.equal(error.kind, kind, found);
    assert.ok(error.found?.includes(found), error.found);
    assert.match(explain(error), text);
    assert.equal(error.where, `${server.baseUrl}/chat/completions`);
    assert.equal(server.received.length, quick.attempts, found);
  }
});

Deno.test("what asking again cannot cure fails at once, with the endpoint's own words", async () => {
  const json = (status: number, body: unknown) => Response.json(body, { status });
  const cases: readonly [() => Response, string, RegExp, RegExp][] = [
    [
      () => json(400, { error: { message: "max_tokens is too large" } }),
      "refused",
      /HTTP 400: max_tokens is too large/,
      /./,
    ],
    [() => json(401, { error: { message: "bad key" } }), "refused", /HTTP 401: bad key/, /API key/],
    [() => json(403, { message: "not yours" }), "refused", /HTTP 403: not yours/, /API key/],
    [() => json(404, { error: "model 'm' not found" }), "refused", /HTTP 404: model 'm' not found/, /\/v1/],
    [() => json(422, { detail: [{ msg: "no" }] }), "refused", /HTTP 422: \[\{"msg":"no"\}\]/, /./],
    [() => json(429, { error: { code: "insufficient_quota", message: "pay" } }), "refused", /HTTP 429: pay/, /quota/],
    [
      () => new Response(null, { status: 308, headers: { location: "https://elsewhere.example/v1" } }),
      "refused",
      /HTTP 308/,
      /elsewhere\.example/,
    ],
    [() => completion("", { finish: "length" }), "answer", /an empty answer/, /more tokens/],
    [() => completion(null, { finish: "content_filter" }), "answer", /content_filter/, /./],
    [() => completion(null, { refusal: "I cannot" }), "answer", /I cannot/, /./],
    [() => completion(null, { finish: "tool_calls" }), "answer", /tool_calls/, /./],
  ];
  for (const [response, kind, found, hint] of cases) {
    await using server = endpoint(response);
    const error = await failure(server.baseUrl, { apiKey: "top-secret" });
    assert.equal(error.kind, kind);
    assert.match(error.found!, found);
    assert.match(explain(error), hint);
    assert.doesNotMatch(explain(error), /top-secret/);
    assert.equal(server.received.length, 1, error.found);
  }
});

Deno.test("answers in other clothes: parts, thoughts, no usage, cut off, empty, plain text as type", async () => {
  const plain = await completion("x").text();
  const cases: readonly [() => Response, Partial<GeneratedText>][] = [
    [() => completion([{ type: "text", text: "a" }, { type: "text", text: "b" }]), { text: "ab" }],
    [() => completion("<think>hm\n</think>\n\nYes"), { text: "Yes" }],
    [() => completion("cut", { finish: "length" }), { text: "cut", finish: "length" }],
    [() => completion(""), { text: "" }],
    [() => completion("Yes", { usage: false }), { usage: { prompt: 6, completion: 5, estimated: true } }],
    [() => new Response(plain, { headers: { "content-type": "text/plain" } }), { text: "x" }],
  ];
  for (const [response, expected] of cases) {
    await using server = endpoint(response);
    const answer = await run({ baseUrl: server.baseUrl }, (generator) => generator.generate(ask("hello")));
    assert.deepEqual({ ...answer, ...expected }, answer);
  }
});

Deno.test("an endpoint that hangs is left when its time is over, also within its answer", async () => {
  for (const begins of [false, true]) {
    let open = 0;
    await using server = endpoint((_received, call) => {
      if (call === 2) return completion("at last");
      if (!begins) return new Promise<Response>((resolve) => setTimeout(() => resolve(new Response("late")), 150));
      return new Response(
        new ReadableStream<Uint8Array>({
          start(controller) {
            open++;
            controller.enqueue(new TextEncoder().encode("{"));
          },
          cancel: () => void open--,
        }),
      );
    });
    const options = { baseUrl: server.baseUrl, timeoutMilliseconds: 50 };
    const answer = await run(options, (generator) => generator.generate(ask("hello")));
    assert.equal(answer.text, "at last");
    for (let turn = 0; turn < 200 && open > 0; turn++) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(open, 0, "the connection is closed");
  }
  await using server = endpoint(() => new Promise((resolve) => setTimeout(() => resolve(new Response("")), 60)));
  const error = await failure(server.baseUrl, { timeoutMilliseconds: 10, attempts: 2 });
  assert.equal(error.kind, "unavailable");
  assert.match(error.found!, /within 10 ms/);
});

Deno.test("nobody there: unavailable, with a hint", async () => {
  const server = endpoint(() => completion(""));
  await server[Symbol.asyncDispose]();
  const error = await failure(server.baseUrl);
  assert.equal(error.kind, "unavailable");
  assert.match(error.hint!, /server runs/);
});

/** Real turns of the event loop under a virtual clock. */
const turns = Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 5)));

Deno.test("Retry-After holds back every request, for as long as it says", async () => {
  await using server = endpoint((_received, call) =>
    call === 1 ? new Response("", { status: 429, headers: { "retry-after": "7" } }) : completion("ok")
  );
  await Effect.runPromise(
    Effect.scoped(Effect.gen(function* () {
      const generator = yield* openAiGenerator({ ...quick, baseUrl: server.baseUrl, timeoutMilliseconds: 1e9 });
      const until = Effect.fnUntraced(function* (count: number) {
        while (server.received.length < count) yield* turns;
        yield* turns;
      });
      const first = yield* Effect.forkChild(generator.generate(ask("first")));
      yield* until(1);
      const second = yield* Effect.forkChild(generator.generate(ask("second")));
      yield* turns;
      yield* TestClock.adjust("6999 millis");
      yield* turns;
      assert.equal(server.received.length, 1);
      yield* TestClock.adjust("1 millis");
      yield* until(3);
      assert.equal((yield* Fiber.join(first)).text, "ok");
      assert.equal((yield* Fiber.join(second)).text, "ok");
      assert.equal(server.received.length, 3);
    })).pipe(Effect.provide(TestClock.layer())),
  );
});

Deno.test("an endpoint that wants a longer pause than is waited for is given up at once", async () => {
  await using server = endpoint(() => new Response("", { status: 503, headers: { "retry-after": "3600" } }));
  const error = await failure(server.baseUrl);
  assert.equal(error.kind, "unavailable");
  assert.match(error.found!, /3600 s; HTTP 503/);
  assert.equal(server.received.length, 1);
});

Deno.test("no more requests under way than allowed; equal ones are sent once; order is kept", async () => {
  let now = 0;
  let most = 0;
  await using server = endpoint(async ({ body }) => {
    most = Math.max(most, ++now);
    await new Promise((resolve) => setTimeout(resolve, 5));
    now--;
    return completion(body.messages[0].content);
  });
  const texts = Array.from({ length: 20 }, (_, i) => `${i % 10}`);
  const seen: number[] = [];
  const answers = await Effect.runPromise(
    generateAll(texts.map((text) => ask(text)), { onAnswer: (done) => seen.push(done) }).pipe(
      Effect.provide(layerOpenAi({ ...quick, baseUrl: server.baseUrl, concurrency: 3 })),
    ),
  );
  assert.deepEqual(answers.map(({ text }) => text), texts);
  assert.equal(most, 3);
  assert.equal(server.received.length, 10);
  assert.deepEqual(seen, texts.map((_, i) => i + 1));
  most = 0;
  await run(
    { baseUrl: server.baseUrl, concurrency: 2 },
    (generator) => Effect.forEach(texts, (text) => generator.generate(ask(text)), { concurrency: "unbounded" }),
  );
  assert.equal(most, 2, "the limit is the generator's, whoever asks");
});

Deno.test("interrupting a request aborts it and frees its place", async () => {
  await using server = endpoint((_received, call) =>
    call === 1 ? new Promise((resolve) => setTimeout(() => resolve(new Response("")), 50)) : completion("ok")
  );
  const answer = await run(
    { baseUrl: server.baseUrl, concurrency: 1, tokenBudget: 600 },
    (generator) =>
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(generator.generate(ask("hello")));
        while (server.received.length === 0) yield* turns;
        yield* Fiber.interrupt(fiber);
        return yield* generator.generate(ask("hello"));
      }),
  );
  assert.equal(answer.text, "ok");
});

Deno.test("settings that cannot be right are said before anything is sent", async () => {
  const cases: readonly [Partial<OpenAiOptions>, string][] = [
    [{ baseUrl: "localhost:11434" }, "baseUrl"],
    [{ baseUrl: "http://user:word@host/v1" }, "baseUrl"],
    [{ model: " " }, "model"],
    [{ maxTokens: 0 }, "maxTokens"],
    [{ concurrency: 1.5 }, "concurrency"],
    [{ attempts: NaN }, "attempts"],
    [{ temperature: -1 }, "temperature"],
    [{ tokenBudget: 0 }, "tokenBudget"],
    [{ timeoutMilliseconds: Infinity }, "timeoutMilliseconds"],
    [{ seed: .5 }, "seed"],
    [{ apiKey: "two\nlines" }, "apiKey or headers"],
  ];
  for (const [options, where] of cases) {
    const made = openAiGenerator({ baseUrl: "http://127.0.0.1:1/v1", model: "m", ...options });
    const error = await Effect.runPromise(Effect.scoped(Effect.flip(made)));
    assert.ok(error instanceof UsageError, where);
    assert.equal(error.where, where);
  }
});
