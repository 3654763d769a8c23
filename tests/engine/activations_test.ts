import assert from "node:assert/strict";
import { parseConfig } from "../../lib/model/families/mod.ts";
import { engines } from "./engines.ts";

type Golden = Readonly<Record<string, { readonly y: readonly number[]; readonly slope: readonly number[] }>>;
const { x, ...golden } = JSON.parse(
  await Deno.readTextFile(new URL("../golden/activations.json", import.meta.url)),
) as { x: number[] } & Golden;

/** The activation that a configuration names so. */
const activationOf = (name: string) =>
  parseConfig({
    model_type: "bert",
    hidden_size: 4,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    intermediate_size: 8,
    vocab_size: 10,
    max_position_embeddings: 8,
    hidden_act: name,
  }, "config.json").activation;

const near = (found: ArrayLike<number>, expected: readonly number[], what: string) => {
  expected.forEach((value, i) => {
    const off = Math.abs(found[i]! - value);
    assert.ok(off <= 2e-6 * Math.max(1, Math.abs(value)), `${what} at ${x[i]}: ${found[i]} instead of ${value}`);
  });
};

for (const { name: engineName, create } of engines) {
  Deno.test(`activations and their slopes are transformers' on ${engineName}`, async () => {
    const engine = await create();
    try {
      engine.enter();
      const z = engine.upload(Float32Array.from(x), [x.length]);
      const ones = engine.upload(new Float32Array(x.length).fill(1), [x.length]);
      for (const [name, { y, slope }] of Object.entries(golden as Golden)) {
        const activation = activationOf(name);
        near(await engine.read(engine.activate(activation, z)), y, name);
        near(await engine.read(engine.activationBackward(activation, z, ones)), slope, `the slope of ${name}`);
      }
      engine.exit();
    } finally {
      engine.close();
    }
  });
}
