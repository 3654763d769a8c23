import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Effect } from "effect";
import { GeneratorError } from "../../lib/error.ts";
import { generateAll, layerOpenAi, openAiGenerator, type OpenAiOptions } from "../../lib/generate/mod.ts";
import { ask, completion, endpoint, quick } from "./endpoint.ts";

/** Runs a script that imports from here, as a process of its own. */
async function child(body: string, flags: readonly string[], use: (process: Deno.ChildProcess) => Promise<void>) {
  const file = (path: string) => JSON.stringify(new URL(`../../${path}`, import.meta.url).href);
  const folder = await Deno.makeTempDir();
  const path = join(folder, "script.ts");
  await Deno.writeTextFile(
    path,
    `import { generateAll, layerOpenAi } from ${file("lib/generate/mod.ts")};
     import { explain } from ${file("lib/error.ts")};
     import { Effect } from "effect";
     ${body}`,
  );
  const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", "--config", config, ...flags, path],
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  await use(process);
  await Deno.remove(folder, { recursive: true });
}

Deno.test("the budget: no request that could pass it is sent, those under way are waited for", async () => {
  await using server = endpoint(() => completion("ok")); // 15 tokens each
  const requests = Array.from({ length: 20 }, (_, i) => ask(`question ${i}`)); // 8 estimated, and up to 32
  const options = { ...quick, baseUrl: server.baseUrl, maxTokens: 32, concurrency: 8, tokenBudget: 100 };
  const folder = await Deno.makeTempDir();
  const answerFile = join(folder, "answers.jsonl");
  const go = (tokenBudget: number) =>
    Effect.runPromise(
      Effect.result(generateAll(requests)).pipe(
        Effect.provide(layerOpenAi({ ...options, tokenBudget, answerFile })),
      ),
    );
  const short = await go(100);
  assert.equal(short._tag, "Failure");
  const error = (short as unknown as { readonly failure: GeneratorError }).failure;
  assert.equal(error.kind, "budget");
  assert.match(error.expected!, /100 tokens/);
  // After four answers, 60 + 40 tokens may still be spent; after five, 75 + 40 may not.
  assert.equal(server.received.length, 5);
  assert.equal((await Deno.readTextFile(answerFile)).trim().split("\n").length, 5, "what was paid for is kept");
  const rest = await go(1000);
  assert.equal(rest._tag, "Success");
  assert.equal(server.received.length, 20, "only what was missing is asked");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("answers are kept on disk: a run that was killed asks only for what is missing", async () => {
  const folder = await Deno.makeTempDir();
  const answerFile = join(folder, "deep", "answers.jsonl");
  await using server = endpoint(({ body }) => completion(`to ${body.messages[0].content}`));
  await using other = endpoint(() => completion("another"));
  const ids = ["a", "b", "c"].map((text) => ask(text));
  const all = (baseUrl: string, rest: Partial<OpenAiOptions> = {}) =>
    Effect.runPromise(
      generateAll(ids).pipe(Effect.provide(layerOpenAi({ ...quick, baseUrl, answerFile, concurrency: 1, ...rest }))),
    );
  await all(server.baseUrl);
  const lines = (await Deno.readTextFile(answerFile)).split("\n");
  assert.equal(lines.length, 4);

  // The process died within the last line; a line was damaged; another tool wrote something.
  await Deno.writeTextFile(
    answerFile,
    `${lines[0]}\nnull\n{"key": 1}\n${lines[1]!.slice(0, 30)}\n${lines[2]!.slice(0, -9)}`,
  );
  const again = await all(server.baseUrl);
  assert.deepEqual(again.map(({ text, cached }) => [text, cached]), [["to a", true], ["to b", false], ["to c", false]]);
  assert.equal(server.received.length, 5);

  // Elsewhere with the same model: nothing to ask. Another setting: everything.
  const moved = await all(other.baseUrl, { apiKey: "k", headers: { "x-team": "t" } });
  assert.deepEqual(moved.map(({ text, cached }) => [text, cached]), [["to a", true], ["to b", true], ["to c", true]]);
  assert.equal(other.received.length, 0);
  const warm = await all(other.baseUrl, { temperature: 1 });
  assert.deepEqual(warm.map(({ text }) => text), ["another", "another", "another"]);

  // A last line that only lacks its end is an answer, and the next one gets a line of its own.
  const text = (await Deno.readTextFile(answerFile)).trimEnd();
  await Deno.writeTextFile(answerFile, text);
  await all(other.baseUrl, { temperature: 1, seed: 3 });
  assert.equal(other.received.length, 6);
  await all(other.baseUrl, { temperature: 1, seed: 3 });
  await all(other.baseUrl, { temperature: 1 });
  assert.equal(other.received.length, 6);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a process that was killed has kept every answer it had got", async () => {
  const folder = await Deno.makeTempDir();
  const answerFile = join(folder, "answers.jsonl");
  let hold: (response: Response) => void = () => {};
  let isHeld: () => void = () => {};
  const held = new Promise<void>((resolve) => isHeld = resolve);
  await using server = endpoint(({ body }, call) => {
    if (call !== 4) return completion(`to ${body.messages[0].content}`);
    isHeld();
    return new Promise((resolve) => hold = resolve);
  });
  const requests = Array.from({ length: 8 }, (_, i) => ask(`${i}`));
  const options = { ...quick, baseUrl: server.baseUrl, answerFile, concurrency: 1 };
  await child(
    `await Effect.runPromise(generateAll(${JSON.stringify(requests)}).pipe(
       Effect.provide(layerOpenAi(${JSON.stringify(options)}))));`,
    ["-A"],
    async (process) => {
      await held;
      process.kill("SIGKILL");
      const { success } = await process.output();
      assert.equal(success, false);
      hold(new Response(""));
    },
  );
  const answers = await Effect.runPromise(generateAll(requests).pipe(Effect.provide(layerOpenAi(options))));
  assert.deepEqual(answers.map(({ text }) => text), requests.map(({ messages }) => `to ${messages[0]!.content}`));
  assert.deepEqual(answers.map(({ cached }) => cached), requests.map((_, i) => i < 3));
  assert.equal(server.received.length, 4 + 5);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a file of answers that cannot be opened is an error of ours", async () => {
  const folder = await Deno.makeTempDir();
  const made = openAiGenerator({ baseUrl: "http://127.0.0.1:1/v1", model: "m", answerFile: folder });
  const error = await Effect.runPromise(Effect.scoped(Effect.flip(made)));
  assert.ok(error instanceof GeneratorError);
  assert.equal(error.where, folder);
  await Deno.remove(folder);
});

Deno.test("only the endpoint's host is needed; without that permission the flag is named", async () => {
  await using server = endpoint(() => completion("ok"));
  const { host } = new URL(server.baseUrl);
  const body = `
    const requests = [{ messages: [{ role: "user", content: "hi" }] }];
    const layer = layerOpenAi({ baseUrl: ${JSON.stringify(server.baseUrl)}, model: "m", attempts: 1 });
    console.log(await Effect.runPromise(generateAll(requests).pipe(
      Effect.provide(layer),
      Effect.match({ onSuccess: ([{ text }]) => text, onFailure: explain }))));
  `;
  for (const [flags, expected] of [[[`--allow-net=${host}`], /^ok$/m], [[], RegExp(`--allow-net=${host}`)]] as const) {
    await child(body, flags, async (process) => {
      const { stdout, stderr } = await process.output();
      assert.match(new TextDecoder().decode(stdout), expected, new TextDecoder().decode(stderr));
    });
  }
});
