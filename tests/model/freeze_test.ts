import assert from "node:assert/strict";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { sampleBaseModel } from "../../lib/data/sample/mod.ts";
import { UsageError } from "../../lib/error.ts";
import { freeBiEncoder, loadBiEncoder } from "../../lib/model/bi_encoder.ts";
import { loadCrossEncoder } from "../../lib/model/cross_encoder.ts";
import { familyOf, parseConfig } from "../../lib/model/families/mod.ts";
import { trainedBy } from "../../lib/model/freeze.ts";
import { loadMaskedLm } from "../../lib/model/masked_lm.ts";
import { countTrained } from "../../lib/tensor/tensor.ts";
import { goldenPath } from "../golden/golden.ts";

/** Every kind of model refuses what names nothing, and what leaves nothing. */
Deno.test("a part of --freeze that names no tensor is refused, and so is freezing everything", async () => {
  const engine = createCpuEngine({ threads: 1 });
  const folder = await sampleBaseModel();
  for (const load of [loadBiEncoder, loadCrossEncoder, loadMaskedLm]) {
    for (const freeze of ["encoder.layer.0", "embeddings,bert.encoder.*", "encoder.layer.9.*"]) {
      await assert.rejects(load(engine, folder, { trained: true, freeze }), (error: UsageError) => {
        assert.match(error.message, /names no tensor/);
        assert.match(error.expected!, /layers:-n with n from 1 to 2, .*encoder\.layer\.0\.\*/);
        return error instanceof UsageError;
      });
    }
    await assert.rejects(load(engine, folder, { trained: true, freeze: "*" }), /leaves nothing to train/);
    await assert.rejects(load(engine, folder, { trained: true, freeze: "layers:-3" }), /names no tensor/);
  }
  await assert.rejects(loadBiEncoder(engine, folder, { trained: true, freeze: "layers:-0" }), /leaves nothing/);
  assert.equal(engine.memory().live, 0);
  engine.close();
});

Deno.test("what is frozen is not counted as trained", async () => {
  const engine = createCpuEngine({ threads: 1 });
  const folder = await sampleBaseModel();
  const load = (freeze?: string) => loadBiEncoder(engine, folder, { trained: true, freeze });
  const [whole, frozen] = [await load(), await load("layers:-1, encoder.layer.1.output.*")];
  const [all, some] = [countTrained(whole.parameters), countTrained(frozen.parameters)];
  assert.equal(all.trained, all.all);
  assert.equal(some.all, all.all);
  const sizeOf = (pattern: RegExp) =>
    Object.entries(whole.parameters).filter(([name]) => pattern.test(name))
      .reduce((sum, [, { value }]) => sum + value.shape.reduce((a, b) => a * b, 1), 0);
  assert.equal(some.trained, sizeOf(/^encoder\.layer\.1\.(attention|intermediate)\./));
  for (const model of [whole, frozen]) freeBiEncoder(engine, model);
  engine.close();
});

Deno.test("with its embeddings frozen, every family trains its layers and what stands beside or behind them", async () => {
  const { heads } = JSON.parse(await Deno.readTextFile(goldenPath("families.json")));
  for (const { config: json } of heads as { config: Record<string, unknown> }[]) {
    const config = parseConfig(json, "config.json");
    const names = [...familyOf(config).tensors(config).keys()];
    const left = names.filter(trainedBy("embeddings", config, names));
    const others = names.filter((name) =>
      /\.layers?\.\d+\.|^layers\.\d+\.|^(final_)?norm\.|relative_attention_bias/.test(name)
    );
    assert.deepEqual(left, others, `${json["model_type"]}`);
  }
});
