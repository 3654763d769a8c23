import assert from "node:assert/strict";
import { sampleBaseModel } from "../../lib/data/sample/mod.ts";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { encodeTexts } from "../../lib/embed/encode.ts";
import { loadBiEncoder } from "../../lib/model/bi_encoder.ts";
import { roleEncoder } from "../../lib/embed/roles.ts";

Deno.test("anchors and documents get the prompts that the model has for them, or those that are asked for", async () => {
  const engine = createCpuEngine({ threads: 1 });
  const plain = await loadBiEncoder(engine, await sampleBaseModel());
  const texts = ["the boy eats", "a dog runs"];
  const expect = async (
    found: Promise<{ data: Float32Array }>,
    prompt: string | undefined,
  ) => assert.deepEqual((await found).data, (await encodeTexts(engine, plain, texts, { prompt })).data, `${prompt}`);
  const model = { ...plain, prompts: { query: "the girl ", document: "", passage: "the dog ", other: "the king " } };
  await expect(roleEncoder(engine, model)(texts, "query"), "the girl ");
  await expect(roleEncoder(engine, model)(texts, "document"), "the dog ");
  await expect(roleEncoder(engine, model, { documentPrompt: "other" })(texts, "document"), "the king ");
  await expect(roleEncoder(engine, model, { queryPrompt: "a queen " })(texts, "query"), "a queen ");
  await expect(roleEncoder(engine, plain)(texts, "query"), undefined);
  engine.close();
});
