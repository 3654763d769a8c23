import { Effect, Layer } from "effect";
import assert from "node:assert/strict";
import { join } from "node:path";
import { attempt } from "../../lib/attempt.ts";
import { jsonFormat, writeJson } from "../../lib/stage/artifact.ts";
import { TensorEngine } from "../../lib/stage/engine.ts";
import { Progress } from "../../lib/stage/progress.ts";
import type { EngineChoice } from "../../lib/engine/select.ts";
import type { KindredError } from "../../lib/error.ts";
import {
  type Artifact,
  artifact,
  defineStage,
  type Executed,
  type Services,
  StageRunner,
} from "../../lib/stage/stage.ts";
import { trainBiEncoder } from "../../lib/pipeline/stages/train.ts";
import { losses } from "../../lib/loss/named.ts";
import type { Dataset, LabelledPairs, Pairs } from "../../lib/data/dataset.ts";
import type { ModelFolder } from "../../lib/stage/artifact.ts";
import type { TrainSettings } from "../../lib/train/settings.ts";

let made = 0;
const double = defineStage<{ readonly by: number; readonly note?: string | undefined }, { value: number }, number>({
  name: "test-double",
  version: 1,
  inputs: { value: jsonFormat<number>("value.json") },
  output: jsonFormat<number>("value.json"),
  run: ({ parameters, inputs, scratch }) =>
    attempt(async () => {
      made++;
      await writeJson(join(scratch, "value.json"), await inputs.value.read() * parameters.by);
    }),
});
const computed = defineStage<object, { value: number }, string>({
  name: "test-computed",
  version: 1,
  inputs: { value: jsonFormat<number>("value.json") },
  output: jsonFormat<string>("value.json"),
  computes: true,
  run: ({ scratch }) => attempt(() => writeJson(join(scratch, "value.json"), "done")),
});

async function withCache(body: (folder: string, root: Artifact<number>) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(folder, "root"));
    await writeJson(join(folder, "root", "value.json"), 21);
    await body(folder, artifact("root-key", [join(folder, "root")], true, jsonFormat<number>("value.json")));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function run<A>(
  folder: string,
  effect: Effect.Effect<A, KindredError, Services>,
  choice: EngineChoice = { kernels: "wasm", threads: 1 },
): Promise<{ value: A; warnings: string[]; executed: readonly Executed[] }> {
  const warnings: string[] = [];
  const layer = Layer.mergeAll(
    StageRunner.layer({ cacheDir: join(folder, "cache") }),
    TensorEngine.layer(choice),
  ).pipe(Layer.provideMerge(Progress.layer((event) => event._tag === "warning" && warnings.push(event.text))));
  const work = Effect.gen(function* () {
    return { value: yield* effect, executed: (yield* StageRunner).executed };
  });
  return { warnings, ...await Effect.runPromise(Effect.provide(work, layer, { local: true })) };
}

Deno.test("a stage is done once for each key, and what lies above it is not done again", () =>
  withCache(async (folder, root) => {
    made = 0;
    const chain = (first: number, second: number) =>
      Effect.gen(function* () {
        const once = yield* double({ value: root }, { by: first });
        return yield* double({ value: once }, { by: second }, "twice");
      });
    const one = await run(folder, chain(2, 3));
    assert.equal(await one.value.read(), 126);
    assert.deepEqual(one.executed.map(({ name, cached }) => [name, cached]), [
      ["test-double", false],
      ["twice", false],
    ]);
    const two = await run(folder, chain(2, 3));
    assert.ok(two.executed.every(({ cached }) => cached));
    const three = await run(folder, chain(2, 5));
    assert.deepEqual(three.executed.map(({ cached }) => cached), [true, false]);
    assert.equal(made, 3);
    // A parameter that is not given is no parameter.
    const same = await run(folder, double({ value: root }, { by: 2, note: undefined }));
    assert.ok(same.value.cached);
  }));

Deno.test("what the bits of an engine depend on is part of the key, only of what is computed on it", () =>
  withCache(async (folder, root) => {
    const both = Effect.gen(function* () {
      return [(yield* double({ value: root }, { by: 2 })).key, (yield* computed({ value: root }, {})).key] as const;
    });
    const [plain, engine] = (await run(folder, both)).value;
    const [again, native] = (await run(folder, both, { threads: 2 })).value;
    assert.equal(again, plain);
    assert.equal(native, engine, "the same bits with any number of threads, as machine code and as WebAssembly");
    const manifest = JSON.parse(
      await Deno.readTextFile(join(folder, "cache", engine.slice(0, 2), engine, "manifest.json")),
    );
    assert.match(manifest.computes.bits, /^kindred \d+$/);
    assert.equal(manifest.stage, "test-computed@1");
  }));

Deno.test("a damaged or half-written artifact is made again, with a warning", () =>
  withCache(async (folder, root) => {
    const { value } = await run(folder, double({ value: root }, { by: 2 }));
    await Deno.writeTextFile(join(value.paths[0]!, "value.json"), "99\n");
    // Checked once a process: a new one is asked.
    const { code, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "pipelines/cache.ts", "verify", "--json", "--cache-dir", join(folder, "cache")],
      cwd: new URL("../..", import.meta.url),
    }).output();
    assert.equal(code, 0);
    const { damaged } = JSON.parse(new TextDecoder().decode(stdout));
    assert.equal(damaged.length, 1);
    assert.match(damaged[0].fault, /value\.json has another (size|checksum)/);
    await Deno.remove(join(value.paths[0]!, "manifest.json"));
    const again = await run(folder, double({ value: root }, { by: 2 }));
    assert.equal(await again.value.read(), 42);
    assert.match(again.warnings.join(), /damaged and will be made anew/);
  }));

Deno.test("rows of another kind than the loss wants do not compile", () => {
  const check = (
    model: Artifact<ModelFolder>,
    pairs: Artifact<Dataset<Pairs>>,
    labelled: Artifact<Dataset<LabelledPairs>>,
    settings: TrainSettings,
  ) => [
    trainBiEncoder({ model, data: pairs, loss: losses.multipleNegativesRanking(), settings }),
    trainBiEncoder({ model, data: labelled, loss: losses.softmax(), settings }),
    // @ts-expect-error labelled pairs are no pairs of anchor and positive
    trainBiEncoder({ model, data: labelled, loss: losses.multipleNegativesRanking(), settings }),
    // @ts-expect-error pairs without a class
    trainBiEncoder({ model, data: pairs, loss: losses.softmax(), settings }),
    // @ts-expect-error a model is no dataset
    trainBiEncoder({ model, data: model, loss: losses.cosineSimilarity(), settings }),
  ];
  assert.equal(typeof check, "function");
});
