import assert from "node:assert/strict";
import { contrastiveTension, contrastiveTensionInBatch, type Loss } from "../../lib/loss/mod.ts";
import { backward, recording } from "../../lib/tensor/tape.ts";
import { parameter, type Tensor } from "../../lib/tensor/tensor.ts";
import { engines } from "../engine/engines.ts";
import { assertNear, goldenPath } from "../golden/golden.ts";

const golden = JSON.parse(await Deno.readTextFile(goldenPath("contrastive_tension/losses.json")));
const losses: Readonly<Record<string, Loss>> = {
  contrastive_tension: contrastiveTension(),
  contrastive_tension_in_batch: contrastiveTensionInBatch(),
  contrastive_tension_in_batch_scale_5: contrastiveTensionInBatch({ scale: 5 }),
};

for (const { name: engineName, create } of engines) {
  for (const expected of golden.cases) {
    Deno.test(`${engineName}: ${expected.name} has sentence-transformers' value and gradients`, async () => {
      const engine = await create();
      const { rows, width, columns, labels } = golden;
      const loss = losses[expected.name]!;
      const leaves: Tensor[] = columns.map((values: number[]) =>
        parameter(engine, [rows, width], Float32Array.from(values))
      );
      const head: Record<string, Tensor> = {};
      for (const [name, { shape, data }] of Object.entries(loss.head?.(width, 1) ?? {})) {
        assertNear(name, data, expected.head[name].value, 1e-6);
        head[name] = parameter(engine, shape, data);
      }
      const tape = recording(engine);
      const target = loss.label === "score" ? engine.upload(Float32Array.from(labels), [rows]) : undefined;
      const value = loss.apply(tape, leaves, target, head);
      assertNear("loss", await engine.read(value.value), [expected.value], 1e-5);
      backward(tape, value, engine.upload(Float32Array.of(1), [1]));
      for (const [i, leaf] of leaves.entries()) {
        assertNear(`d${i}`, await engine.read(leaf.gradient!), expected.gradients[i], 1e-4);
      }
      assert.deepEqual(Object.keys(head), Object.keys(expected.head));
      for (const [name, { gradient }] of Object.entries(head)) {
        assertNear(name, await engine.read(gradient!), expected.head[name].gradient, 1e-4);
      }
      engine.close();
    });
  }
}
