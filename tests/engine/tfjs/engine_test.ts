import assert from "node:assert/strict";
import { createCpuEngine } from "../../../lib/engine/cpu/engine.ts";
import { createTfjsEngine } from "../../../lib/engine/tfjs/mod.ts";

Deno.test("tfjs: arenas free their temporaries, keep() lifts one, and two engines do not mix", async () => {
  const engine = await createTfjsEngine("js");
  const cpu = createCpuEngine({ threads: 1 });
  engine.enter();
  engine.zeros([1000]);
  engine.enter();
  const kept = engine.keep(engine.upload(Float32Array.of(1, 2), [2]));
  const lost = engine.zeros([50]);
  assert.equal(engine.memory().live, 4 * 1052);
  engine.exit();
  assert.equal(engine.memory().live, 4 * 1002);
  assert.deepEqual([...await engine.read(kept)], [1, 2]);
  assert.throws(() => engine.sum(lost), /freed/);
  assert.throws(() => engine.sum(cpu.zeros([1])), /another engine/);
  engine.exit();
  assert.equal(engine.memory().live, 0);
  engine.close();
  cpu.close();
});

Deno.test("tfjs: a backend that is not there is an error with a hint, never another backend", async () => {
  const empty = await Deno.makeTempDir();
  const engine = new URL("../../../lib/engine/tfjs/mod.ts", import.meta.url).href;
  const script = `
    import { createTfjsEngine } from ${JSON.stringify(engine)};
    for (const backend of ["gpu", "node", "js"]) {
      const error = await createTfjsEngine(backend).then(() => ({ message: "an engine" }), (error) => error);
      console.log(error._tag, error.summary, error.hint !== undefined);
    }`;
  try {
    await Deno.writeTextFile(`${empty}/missing.ts`, script);
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-lock", "--no-config", "--cached-only", "--no-check", `${empty}/missing.ts`],
      env: { DENO_DIR: empty, XDG_CACHE_HOME: empty, KINDRED_TFJS_NODE: "", KINDRED_TFJS_GPU: empty, NO_COLOR: "1" },
      stdout: "piped",
      stderr: "null",
    }).output();
    const lines = new TextDecoder().decode(stdout).trim().split("\n");
    assert.deepEqual(
      lines,
      ["gpu", "node", "js"].map((name) => `EngineError --engine tfjs:${name} is not available true`),
    );
  } finally {
    await Deno.remove(empty, { recursive: true });
  }
});
