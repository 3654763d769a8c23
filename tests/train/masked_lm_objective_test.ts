import assert from "node:assert/strict";
import { sampleBaseModel } from "../../lib/data/sample/mod.ts";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { type Engine, scopeAsync } from "../../lib/engine/engine.ts";
import { initMaskedLm, loadMaskedLm } from "../../lib/model/masked_lm.ts";
import { tokenize, tokenizerFromVocabulary } from "../../lib/text/tokenizer.ts";
import { maskedLmObjective, type MaskedLmTask } from "../../lib/train/masked_lm_objective.ts";
import { engines } from "../engine/engines.ts";
import { steps } from "../engine/steps.ts";
import { assertGradients } from "../golden/golden.ts";
import { gradientsOf } from "../tensors.ts";

const texts = ["the boy eats", "a dog runs to the old house", "the queen sleeps", "the cook helps a friend", "a nun"];
const rows = Int32Array.of(3, 1, 0, 4, 2);
const batch = { rows, streams: Int32Array.of(8, 7, 6, 5, 4), seed: 3, step: 2 };

/** Loss and gradients of a batch of the sample's model, with dropout. */
async function differentiate(engine: Engine, task: MaskedLmTask = {}) {
  const model = await loadMaskedLm(engine, await sampleBaseModel(), { trained: true });
  const objective = maskedLmObjective(model, await tokenize(model.tokenizer, texts, { maxLength: 32 }), {
    rate: 0.4,
    ...task,
  });
  return await scopeAsync(engine, async () => {
    const loss = (await engine.read(objective.differentiate(engine, batch, 0.5)))[0]!;
    return { loss, gradients: await gradientsOf(engine, objective.parameters) };
  });
}

for (const { name, create } of engines) {
  Deno.test(`${name}: a batch in parts, and one with rows of no text, have the loss and the gradient of the whole`, async () => {
    const engine = await create();
    const whole = await differentiate(engine);
    assert.ok(whole.loss > 1);
    for (const activationBudget of [1, 300_000]) {
      const parts = await differentiate(engine, { activationBudget });
      assert.ok(Math.abs(parts.loss - whole.loss) < 1e-5 * whole.loss, `${parts.loss} instead of ${whole.loss}`);
      assertGradients(parts.gradients, whole.gradients);
    }
    const more = await differentiate(steps(engine, 64));
    assert.ok(Math.abs(more.loss - whole.loss) < 1e-6 * whole.loss, `${more.loss} instead of ${whole.loss}`);
    assertGradients(more.gradients, whole.gradients);
    engine.close();
  });
}

Deno.test("masked language modelling keeps to the budget of activations", async () => {
  const tokenizer = tokenizerFromVocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "red", "rose"]);
  const activationBudget = 4 << 20;
  const engine = createCpuEngine({ threads: 1, activationBudget });
  const shape = { hidden_size: 64, num_hidden_layers: 3, num_attention_heads: 2, intermediate_size: 256 };
  const config = { model_type: "bert", vocab_size: 7, max_position_embeddings: 64, ...shape };
  const model = await initMaskedLm(engine, config, tokenizer, 1);
  const many = Array.from({ length: 256 }, () => "red rose ".repeat(7));
  const objective = maskedLmObjective(model, await tokenize(tokenizer, many, { maxLength: 64 }), { rate: 0.15 });
  const all = Int32Array.from(many, (_, i) => i);
  const before = engine.memory().live;
  await scopeAsync(engine, async () => {
    await engine.read(objective.differentiate(engine, { rows: all, streams: all, seed: 1, step: 1 }, 1));
  });
  const used = engine.memory().peak - before;
  // The tables of a kernel's own, and the chunk of logits, come on top: half a budget is plenty.
  assert.ok(used < 1.5 * activationBudget, `${used} bytes of ${activationBudget}`);
  assert.ok(used > 0.5 * activationBudget, `${used} bytes: the parts are as large as they may be`);
  engine.close();
});
