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
    prefix: string | undefined,
  ) => assert.deepEqual((await found).data, (await encodeTexts(engine, plain, texts, { prefix })).data, `${prefix}`);
  const model = { ...plain, prompts: { query: "the girl ", passage: "the dog ", corpus: "no ", other: "the king " } };
  await expect(roleEncoder(engine, model)(texts, "query"), "the girl ");
  await expect(roleEncoder(engine, model)(texts, "document"), "the dog ");
  await expect(roleEncoder(engine, model, { document: { promptName: "other" } })(texts, "document"), "the king ");
  await expect(roleEncoder(engine, model, { query: { prefix: "a queen " } })(texts, "query"), "a queen ");
  await expect(roleEncoder(engine, plain)(texts, "query"), undefined);
  const empty = { ...model, prompts: { document: "", passage: "the dog " }, defaultPromptName: "passage" };
  await expect(roleEncoder(engine, empty)(texts, "document"), "the dog ");
  await expect(roleEncoder(engine, empty)(texts, "query"), "");
  engine.close();
});
