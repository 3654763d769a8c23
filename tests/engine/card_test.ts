import assert from "node:assert/strict";
import { Effect } from "effect";
import type { Remember } from "../../lib/engine/card.ts";
import { chooseEngine } from "../../lib/engine/select.ts";
import { TensorEngine } from "../../lib/stage/engine.ts";
import { Progress } from "../../lib/stage/progress.ts";
import { withFolder } from "../folder.ts";
import { hasWebgpu } from "./engines.ts";

const THREADS = navigator.hardwareConcurrency;

/** What requestAdapter gives: part of an adapter. */
type Adapter = { readonly info: { readonly description: string } } | null;

/** Runs `body` on a machine with this adapter; the number of times it was asked for. */
async function withAdapter(find: () => Promise<Adapter>, body: () => Promise<void>): Promise<number> {
  const { statSync } = Deno;
  const gpu = Object.getOwnPropertyDescriptor(Navigator.prototype, "gpu")!;
  let asked = 0;
  const requestAdapter = () => (asked++, find());
  Object.defineProperty(Navigator.prototype, "gpu", { ...gpu, get: () => ({ requestAdapter }) });
  Deno.statSync = (() => ({})) as unknown as typeof statSync; // Linux: the card's device is there
  try {
    await body();
    return asked;
  } finally {
    Object.defineProperty(Navigator.prototype, "gpu", gpu);
    Deno.statSync = statSync;
  }
}

/** Engine and reason of `auto`. */
async function auto(remember?: Remember): Promise<readonly [string, string]> {
  const { info, reason, close } = await chooseEngine({}, remember);
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

const system = navigator.gpu;
/** Devices that were opened. */
let opened = 0;
/** The system's own adapter, under the name of a card that has no clock: nothing is measured before it is opened. */
async function modelT(): Promise<Adapter> {
  const adapter = (await system.requestAdapter())!;
  const requestDevice = (options: GPUDeviceDescriptor) => (opened++, adapter.requestDevice(options));
  return { info: { description: "Model T" }, limits: adapter.limits, features: new Set(), requestDevice } as Adapter;
}

Deno.test({
  name: "webgpu: auto takes a card that is as fast as the processor, if it multiplies rightly, and opens no other",
  ignore: !hasWebgpu,
  fn: async () => {
    const known = (card: number, processor: number): Remember => (of, _) => {
      assert.match(`${of["card"]}`, /^webgpu \d+ on Model T$/);
      assert.deepEqual(Object.keys(of), ["card", "kernels", "threads"]);
      return Promise.resolve({ card, processor });
    };
    await withAdapter(modelT, async () => {
      const beside = (card: number) => `${card} GFLOP/s in a product, the processor's ${THREADS} threads 1000 at most`;
      assert.deepEqual(await auto(known(2e12, 1e12)), ["webgpu", `Model T: ${beside(2000)}`]);
      assert.equal(opened, 1);
      const [name, reason] = await auto(known(9e11, 1e12));
      assert.equal(name, "cpu");
      assert.ok(reason.startsWith(`Model T is slower: ${beside(900)}; kernels as `), reason);
      assert.equal(opened, 1);
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

Deno.test({
  name: "webgpu: the speeds that auto decides by are kept in the process, and in the cache, so that keys stay the same",
  ignore: !hasWebgpu,
  fn: () =>
    withFolder(async (folder) => {
      const look = Effect.gen(function* () {
        const { identity, reason } = yield* TensorEngine;
        return { identity, reason };
      }).pipe(Effect.provide(TensorEngine.layer({}, folder)), Effect.provide(Progress.layerSilent));
      await withAdapter(modelT, async () => {
        const here = await auto();
        assert.deepEqual(await auto(), here);
        const first = await Effect.runPromise(look);
        assert.match(first.reason, /^Model T.*: \d+ GFLOP\/s in a product/);
        for await (const { name } of Deno.readDir(folder)) assert.match(name, /^[0-9a-f]{2}$/);
        assert.deepEqual(await Effect.runPromise(look), first);
      });
    }),
});
