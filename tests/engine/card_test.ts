import assert from "node:assert/strict";
import { Effect } from "effect";
import { join } from "node:path";
import { measurementFiles } from "../../lib/engine/measurement_files.ts";
import type { MeasurementStore } from "../../lib/engine/measurements.ts";
import { chooseEngine, selectEngine } from "../../lib/engine/select.ts";
import { bitsOf } from "../../lib/engine/webgpu/engine.ts";
import { defaultCacheFolder } from "../../lib/environment.ts";
import { TensorEngine } from "../../lib/stage/engine.ts";
import { Progress } from "../../lib/stage/progress.ts";
import { withFolder } from "../folder.ts";
import { hasWebgpu } from "./engines.ts";
import { type Adapter, cardNamed, inMemory, withAdapter } from "./machine.ts";

const THREADS = navigator.hardwareConcurrency;

/** Engine and reason of `auto`. */
async function auto(store: MeasurementStore = inMemory()): Promise<readonly [string, string]> {
  const { info, reason, close } = await chooseEngine({}, store);
  close();
  return [info.name, reason];
}

Deno.test("auto computes on the processor where there is no card, or one that is none or does not open, and says so", async () => {
  const found = (description: string, more = {}) => Promise.resolve({ info: { description }, limits: {}, ...more });
  const cases: [() => Promise<Adapter>, RegExp][] = [
    [() => Promise.resolve(null), /^WebGPU finds no card on this machine; kernels as /],
    [() => found("llvmpipe (LLVM 15)"), /^llvmpipe \(LLVM 15\) is a processor that acts as a card; /],
    [
      () => found("Model T", { requestDevice: () => Promise.reject(new TypeError("out of fuel")) }),
      /^Model T is of no use: the card does not open: Model T: out of fuel; /,
    ],
  ];
  for (const [find, expected] of cases) {
    await withAdapter(find, async () => {
      const [name, reason] = await auto();
      assert.equal(name, "cpu");
      assert.match(reason, expected);
    });
  }
});

Deno.test("no card is asked for where Linux has no device of one, or where the choice is one of the cpu engine", async () => {
  const none = () => Promise.resolve(null);
  const asked = await withAdapter(none, async () => {
    for (const choice of [{ engine: "cpu" }, { kernels: "wasm" }, { threads: 1 }, { precision: "int8" }] as const) {
      const { reason, close } = await chooseEngine(choice);
      assert.match(reason, "engine" in choice ? /^cpu was asked for; / : /of the cpu engine were asked for; /);
      close();
    }
    if (Deno.build.os !== "linux") return;
    Deno.statSync = () => {
      throw new Deno.errors.NotFound();
    };
    assert.match((await auto())[1], /^this machine has no card; /);
  });
  assert.equal(asked, 0);
});

/** A store that holds these speeds of every card, in operations per second. */
const known = (card: number, processor: number): MeasurementStore => ({
  read: (key) => Promise.resolve(JSON.stringify({ key, value: { card, processor } })),
  write: (key) => assert.fail(`${key} is measured, though it is known`),
});

Deno.test({
  name: "webgpu: auto takes a card that is as fast as the processor, if it multiplies rightly, and opens no other",
  ignore: !hasWebgpu,
  fn: async () => {
    let opened = 0;
    const beside = (card: number) => `${card} GFLOP/s in a product, the processor's ${THREADS} threads 1000 at most`;
    const card = (name: string) => cardNamed(name, [], () => void opened++);
    await withAdapter(card("Model R"), async () => {
      assert.deepEqual(await auto(known(2e12, 1e12)), ["webgpu", `Model R: ${beside(2000)}`]);
      assert.equal(opened, 1);
    });
    await withAdapter(card("Model S"), async () => {
      const [name, reason] = await auto(known(9e11, 1e12));
      assert.equal(name, "cpu");
      assert.ok(reason.startsWith(`Model S is slower: ${beside(900)}; kernels as `), reason);
      assert.equal(opened, 1);
    });
    await withAdapter(card("Model T"), async () => {
      const { getMappedRange } = GPUBuffer.prototype;
      GPUBuffer.prototype.getMappedRange = function (...range) {
        const bytes = getMappedRange.apply(this, range);
        new Float32Array(bytes)[0]! += 1;
        return bytes;
      };
      try {
        const [name, reason] = await auto(known(2e12, 1e12));
        assert.equal(name, "cpu");
        assert.match(reason, /^Model T is of no use: it multiplies wrongly: a product is off by \d\.\de-\d; /);
      } finally {
        GPUBuffer.prototype.getMappedRange = getMappedRange;
      }
    });
  },
});

/** What the stages of a run would compute on. */
const ofStages = () =>
  Effect.runPromise(
    Effect.map(TensorEngine, ({ identity, reason }) => ({ identity, reason })).pipe(
      Effect.provide(TensorEngine.layer()),
      Effect.provide(Progress.layerSilent),
    ),
  );

Deno.test({
  name: "webgpu: the speeds that auto decides by are kept in the user's cache for stages and for who opens an engine",
  ignore: !hasWebgpu,
  fn: () =>
    withFolder(async (folder) => {
      const variables = ["XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"];
      const before = variables.map((name) => Deno.env.get(name));
      for (const name of variables) Deno.env.set(name, folder);
      try {
        const kept = join(defaultCacheFolder(), "measurements");
        const texts = () => [...Deno.readDirSync(kept)].map(({ name }) => Deno.readTextFileSync(join(kept, name)));
        const keys = () => texts().map((text) => JSON.parse(JSON.parse(text).key) as unknown[]);
        await withAdapter(cardNamed("Model U"), async () => {
          const first = await ofStages();
          assert.match(first.reason, /^Model U.*: \d+ GFLOP\/s in a product/);
          assert.deepEqual(keys().map(([what, card]) => `${what} ${card}`), [`speeds ${bitsOf("Model U")}`]);
          assert.deepEqual(await ofStages(), first);
          const { engine, reason } = await selectEngine();
          engine.close();
          assert.equal(reason, first.reason);
        });
        await withAdapter(cardNamed("Model V"), async () => (await selectEngine()).engine.close());
        assert.deepEqual(keys().map(([, card]) => card).toSorted(), [bitsOf("Model U"), bitsOf("Model V")]);
      } finally {
        for (const [i, name] of variables.entries()) {
          if (before[i] === undefined) Deno.env.delete(name);
          else Deno.env.set(name, before[i]);
        }
      }
    }),
});

Deno.test({
  name: "webgpu: auto decides also where nothing can be kept",
  ignore: !hasWebgpu,
  fn: () =>
    withFolder(async (folder) => {
      const file = join(folder, "file");
      await Deno.writeTextFile(file, "");
      await withAdapter(cardNamed("Model W"), async () => {
        assert.match((await auto(measurementFiles(join(file, "kept"))))[1], /^Model W.*: \d+ GFLOP\/s in a product/);
      });
    }),
});

Deno.test({
  name: "webgpu: stages and who opens an engine need no permission to write for auto",
  ignore: !hasWebgpu,
  permissions: { read: true, env: true, sys: true, ffi: true, write: false },
  fn: () =>
    withAdapter(cardNamed("Model X"), async () => {
      assert.match((await ofStages()).reason, /^Model X.*: \d+ GFLOP\/s in a product/);
      (await selectEngine()).engine.close();
    }).then(() => {}),
});
