import { Effect } from "effect";
import assert from "node:assert/strict";
import { join } from "node:path";
import { attempt } from "../../lib/attempt.ts";
import { datasetOf } from "../../lib/data/rows.ts";
import { UsageError } from "../../lib/error.ts";
import { type Loss, losses, lossOf, nameLoss } from "../../lib/loss/mod.ts";
import { chooseNegatives, mineCandidates } from "../../lib/pipeline/stages/negatives.ts";
import { trainBiEncoder } from "../../lib/pipeline/stages/train.ts";
import { jsonFormat, writeJson } from "../../lib/stage/artifact.ts";
import { divide, plainJson, unite } from "../../lib/stage/key.ts";
import { model } from "../../lib/stage/roots.ts";
import { given, runStages } from "../../lib/stage/run.ts";
import { defineStage } from "../../lib/stage/stage.ts";
import { absolute, mean, subtract } from "../../lib/tensor/ops.ts";
import { withFolder } from "../folder.ts";

Deno.test("settings are divided by their paths, and are one again for the stage", () => {
  const settings = { a: 1, settings: { seed: 3, saveSteps: 5 }, judge: { by: "x", generator: { concurrency: 2 } } };
  const { parameters, how } = divide(settings, (path) => /saveSteps|concurrency|(^|\.)seed$/.test(path));
  assert.deepEqual(parameters, { a: 1, settings: {}, judge: { by: "x", generator: {} } });
  assert.deepEqual(how, { settings: { seed: 3, saveSteps: 5 }, judge: { generator: { concurrency: 2 } } });
  assert.deepEqual(unite(parameters, how), settings);
});

Deno.test("what cannot be written down is refused, with its place", () => {
  assert.deepEqual(plainJson({ a: [1, undefined === 1], b: undefined }, "x"), { a: [1, false] });
  for (const value of [() => 1, NaN, new Float32Array(2), 1n, Symbol("a"), new Map(), [undefined]]) {
    assert.throws(() => plainJson({ inner: { value } }, "stage"), (error) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.where!, /^stage\.inner\.value/);
      return true;
    });
  }
});

interface Drawing {
  readonly size: number;
  readonly options: { readonly seed: number; readonly chunk?: number };
  readonly random?: boolean;
}
let made = 0;
const draw = defineStage<Drawing, object, number>({
  name: "test-draw",
  version: 1,
  inputs: {},
  output: jsonFormat<number>("value.json"),
  how: ["options.chunk"],
  draws: ({ random = false }) => random,
  computes: ({ size }) => size > 1,
  run: ({ parameters, scratch }) =>
    attempt(() => {
      made++;
      assert.ok(parameters.options.chunk === undefined || parameters.options.chunk > 0, "the body sees all settings");
      return writeJson(join(scratch, "value.json"), parameters.size);
    }),
});

Deno.test("a key holds the seed only where something is drawn, the engine only where it computes, and nothing of how", () =>
  withFolder(async (folder) => {
    const key = async (parameters: Drawing) => (await runStages(draw({}, parameters), { cacheDir: folder })).key;
    made = 0;
    const first = await key({ size: 1, options: { seed: 1 } });
    assert.equal(await key({ size: 1, options: { seed: 2, chunk: 7 } }), first);
    assert.equal(made, 1);
    const drawn = await key({ size: 1, random: true, options: { seed: 1 } });
    assert.notEqual(await key({ size: 1, random: true, options: { seed: 2 } }), drawn);
    assert.equal(await key({ size: 1, random: true, options: { seed: 1, chunk: 9 } }), drawn);
    const place = join(folder, drawn.slice(0, 2), drawn, "manifest.json");
    const { parameters, how, computes } = JSON.parse(await Deno.readTextFile(place));
    assert.deepEqual([parameters, how, computes], [{ size: 1, random: true, options: { seed: 1 } }, {}, undefined]);
    const computed = await key({ size: 2, options: { seed: 1 } });
    const manifest = JSON.parse(await Deno.readTextFile(join(folder, computed.slice(0, 2), computed, "manifest.json")));
    assert.match(manifest.computes.bits, /^kindred/);
    assert.deepEqual(manifest.how, { options: { seed: 1 } });
  }));

Deno.test("a stage with a seed says whether it draws, and settings that are functions do not compile", () => {
  const rest = { version: 1, inputs: {}, output: jsonFormat<number>("a"), run: () => Effect.void };
  const declare = () => [
    // @ts-expect-error it has a seed
    defineStage<{ readonly seed: number }, object, number>({ name: "test-seed", ...rest }),
    // @ts-expect-error a deeper one
    defineStage<{ readonly a: { readonly seed?: number } }, object, number>({ name: "test-deep", ...rest }),
    // @ts-expect-error a function is no setting
    defineStage<{ readonly f: () => number }, object, number>({ name: "test-function", ...rest }),
    // @ts-expect-error there is no such setting
    defineStage<{ readonly a: number }, object, number>({ name: "test-path", ...rest, how: ["b"] }),
  ];
  assert.equal(typeof declare, "function");
});

Deno.test("checkpoints and logging do not retrain; a loss of one's own is trained anew with its version", () =>
  withFolder(async (folder) => {
    const pairs = datasetOf({ anchor: ["the boy eats", "the dog runs"], positive: ["the lad eats", "a hound runs"] });
    const near = (power: number) => (): Loss<"none"> => ({
      name: "near",
      texts: { min: 2, max: 2 },
      label: "none",
      inBatch: false,
      options: {},
      apply: (tape, [u, v]) => mean(tape, absolute(tape, subtract(tape, u!, v!))),
      paper: `none ${power}`,
    });
    const one = nameLoss({ id: "near", version: 1 }, near(1));
    const two = nameLoss({ id: "near", version: 2 }, near(2));
    const key = async (loss = losses.multipleNegativesRanking(), changes: object = {}) => {
      const work = Effect.gen(function* () {
        const data = yield* given(pairs);
        const base = yield* model(undefined);
        const trained = yield* trainBiEncoder({ model: base, data, loss, settings: { warmupRatio: 0.1, ...changes } });
        return { key: trained.key, cached: trained.cached };
      });
      return await runStages(work, { cacheDir: folder, engine: { kernels: "wasm", threads: 1 } });
    };
    const first = await key();
    assert.deepEqual(await key(undefined, { saveSteps: 3, loggingSteps: 1 }), { key: first.key, cached: true });
    assert.notEqual((await key(undefined, { seed: 43 })).key, first.key);
    const own = await key(one());
    assert.equal((await key(one())).cached, true);
    assert.notEqual((await key(two())).key, own.key);
    assert.equal(lossOf(two()).paper, "none 2");
  }));

Deno.test("a loss of one's own has a name and a version of its own", () => {
  const make = (): Loss<"none"> => lossOf(losses.multipleNegativesRanking());
  // @ts-expect-error a name alone
  assert.throws(() => nameLoss("mine", make), UsageError);
  // @ts-expect-error no version
  assert.throws(() => nameLoss({ id: "mine" }, make), UsageError);
  assert.throws(() => nameLoss({ id: "mine", version: 0 }, make), UsageError);
  assert.throws(() => nameLoss({ id: "cosent", version: 1 }, make), UsageError);
  nameLoss({ id: "mine", version: 1 }, make);
  nameLoss({ id: "mine", version: 1 }, make);
  assert.throws(() => nameLoss({ id: "mine", version: 1 }, () => lossOf(losses.triplet())), UsageError);
  assert.throws(() => lossOf({ name: "mine" }), UsageError);
});

Deno.test("a raised budget and another concurrency ask no question again", () =>
  withFolder(async (folder) => {
    let asked = 0;
    const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => {
      asked++;
      return Response.json({
        choices: [{ message: { content: "related" }, finish_reason: "stop" }],
        usage: { prompt_tokens: 300, completion_tokens: 2 },
      });
    });
    try {
      const anchor = ["the boy eats", "the dog runs", "the cook sings"];
      const positive = ["the lad eats", "a hound runs", "the chef sings"];
      const ask = (more: object, seed = 1, cacheDir = folder) =>
        runStages(
          Effect.gen(function* () {
            const pairs = yield* given(datasetOf({ anchor, positive }));
            const candidates = yield* mineCandidates({ model: yield* model(undefined), pairs }, { count: 2 });
            return yield* chooseNegatives({ candidates, pairs }, {
              judge: {
                by: "language-model",
                relation: "entailment",
                generator: { baseUrl: `http://127.0.0.1:${server.addr.port}/v1`, model: "tiny", ...more },
              },
              select: { negatives: 1, seed },
              format: "triplet",
            });
          }),
          { cacheDir, engine: { kernels: "wasm", threads: 1 } },
        );
      await ask({}, 1, join(folder, "other"));
      const all = asked;
      asked = 0;
      await assert.rejects(ask({ tokenBudget: 700, concurrency: 1 }), /budget/);
      assert.ok(asked > 0 && asked < all, "some were asked");
      await ask({ concurrency: 2, tokenBudget: 1e6 });
      assert.equal(asked, all, "only what was missing");
      await ask({ concurrency: 3 }, 2);
      assert.equal(asked, all);
    } finally {
      await server.shutdown();
    }
  }));
