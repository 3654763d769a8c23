import assert from "node:assert/strict";
import { sampleBaseModel } from "../../lib/data/sample/mod.ts";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { scope } from "../../lib/engine/engine.ts";
import { binaryCrossEntropy } from "../../lib/loss/cross_encoder/binary_cross_entropy.ts";
import { embed, loadBiEncoder } from "../../lib/model/bi_encoder.ts";
import { loadCrossEncoder } from "../../lib/model/cross_encoder.ts";
import { denoisingLoss, loadDenoisingDecoder } from "../../lib/model/denoising_decoder.ts";
import { uploadBatch } from "../../lib/model/batch.ts";
import { backward, recording } from "../../lib/tensor/tape.ts";
import { nextTokens, pack } from "../../lib/text/packed.ts";
import { activationBytesPerToken, decoderBytesPerToken } from "../../lib/train/budget.ts";
import { crossEncoderObjective } from "../../lib/train/cross_encoder_objective.ts";

const LENGTH = 24;

/** Bytes that forward and backward of `count` texts hold at most, with dropout. */
async function bytesOf(count: number, withDecoder: boolean) {
  const engine = createCpuEngine({ threads: 1 });
  const model = await loadBiEncoder(engine, await sampleBaseModel(), { trained: true, pooling: "cls" });
  const decoder = await loadDenoisingDecoder(engine, model, await sampleBaseModel());
  const offsets = Int32Array.from({ length: count + 1 }, (_, i) => i * LENGTH);
  const texts = { ids: new Int32Array(count * LENGTH).fill(5), typeIds: undefined, offsets };
  const packed = pack([{ texts, rows: Array.from({ length: count }, (_, i) => i) }]);
  const { input, targets } = nextTokens(packed, -1);
  const training = { seed: 1, step: 1 };
  const before = engine.memory().live;
  scope(engine, () => {
    const tape = recording(engine);
    const embeddings = embed(tape, model, uploadBatch(engine, packed), training);
    const loss = () => {
      const at = engine.upload(targets, [targets.length]);
      return denoisingLoss(tape, decoder, embeddings, uploadBatch(engine, input), at, training);
    };
    const result = withDecoder ? loss() : embeddings;
    backward(tape, result, engine.zeros(result.value.shape));
  });
  const peak = engine.memory().peak - before;
  engine.close();
  return { peak, config: decoder.config };
}

Deno.test("the estimates of activation memory are upper ones, and not by much", async () => {
  const perText = async (withDecoder: boolean) =>
    ((await bytesOf(24, withDecoder)).peak - (await bytesOf(8, withDecoder)).peak) / 16;
  const { config } = await bytesOf(1, false);
  const encoder = LENGTH * activationBytesPerToken({ config });
  const alone = await perText(false);
  assert.ok(alone < encoder && alone > 0.8 * encoder, `${alone} bytes, estimated ${encoder}`);
  const both = encoder + (LENGTH - 1) * decoderBytesPerToken(config);
  const found = await perText(true);
  assert.ok(found < both && found > 0.8 * both, `${found} bytes, estimated ${both}`);
});

Deno.test("the adapters of a cross-encoder count in what its pairs take", async () => {
  const pairs = 64;
  const engine = createCpuEngine({ threads: 1, activationBudget: 16 << 20 });
  const lora = { rank: 8, dropout: 0.1 };
  const model = await loadCrossEncoder(engine, await sampleBaseModel(), { labels: 1, trained: true, lora });
  const offsets = Int32Array.from({ length: pairs + 1 }, (_, i) => i * LENGTH);
  const texts = { ids: new Int32Array(pairs * LENGTH).fill(5), typeIds: undefined, offsets };
  const labels = new Float32Array(pairs);
  const objective = crossEncoderObjective({ model, loss: binaryCrossEntropy(), texts: [texts, texts], labels });
  const rows = Int32Array.from({ length: pairs }, (_, i) => i);
  const { live: before, activationBudget } = engine.memory();
  scope(engine, () => objective.differentiate(engine, { rows, streams: rows, seed: 1, step: 1 }, 1));
  const { peak } = engine.memory();
  engine.close();
  assert.ok(peak - before < activationBudget, `${peak - before} bytes, of ${activationBudget}`);
});
