import assert from "node:assert/strict";
import { type EngineChoice, selectEngine } from "../../lib/engine/select.ts";

Deno.test("auto with threads is the cpu engine, and says so and why", async () => {
  const { engine, reason } = await selectEngine({ threads: 1 });
  assert.equal(engine.info.name, "cpu");
  assert.match(reason, /^kernels, threads or a precision of the cpu engine were asked for; /);
  assert.match(reason, engine.info.kernels === "wasm" ? /as WebAssembly: / : new RegExp(engine.info.kernels));
  engine.close();
});

Deno.test("tfjs:js and WebAssembly come when named", async () => {
  for (const choice of [{ engine: "tfjs:js" }, { engine: "cpu", kernels: "wasm", threads: 1 }] as EngineChoice[]) {
    const { engine } = await selectEngine(choice);
    assert.equal(engine.info.name, choice.engine);
    assert.equal(engine.info.kernels.split(" ")[0], choice.kernels ?? "js");
    const x = engine.upload(Float32Array.of(1, 2, 3, 4), [2, 2]);
    assert.deepEqual([...await engine.read(engine.matmul(x, x))], [7, 10, 15, 22]);
    engine.close();
  }
});

Deno.test("what cannot be had is refused by its name, with a hint", async () => {
  const refused: [EngineChoice, RegExp][] = [
    [{ engine: "cuda" as "cpu" }, /no engine cuda/],
    [{ precision: "bf16", kernels: "wasm" }, /bf16 needs machine code/],
    [{ engine: "tfjs:js", precision: "int8" }, /int8 is not supported by the tfjs:js engine/],
    [{ engine: "tfjs:js", precision: "fp16" }, /fp16 is not supported by the tfjs:js engine/],
    [{ engine: "tfjs:js", kernels: "native" }, /native does nothing on tfjs:js/],
    ...(Deno.build.os === "darwin"
      ? []
      : [[{ kernels: "accelerate" }, /accelerate is not available/] as [EngineChoice, RegExp]]),
  ];
  for (const [choice, message] of refused) {
    await assert.rejects(selectEngine(choice), (error: Error & { _tag: string; hint: string }) => {
      assert.match(error.message, message);
      return error._tag === "EngineError" && error.hint.length > 0;
    });
  }
});
