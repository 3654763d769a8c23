import assert from "node:assert/strict";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { scopeAsync } from "../../lib/engine/engine.ts";
import type { Loss } from "../../lib/loss/loss.ts";
import { loadBiEncoder } from "../../lib/model/bi_encoder.ts";
import { hasDropout, withDropout } from "../../lib/model/dropout.ts";
import { uploadBatch } from "../../lib/model/batch.ts";
import { embed } from "../../lib/model/bi_encoder.ts";
import { sum } from "../../lib/tensor/ops.ts";
import { inference } from "../../lib/tensor/tape.ts";
import { pack } from "../../lib/text/packed.ts";
import { epochBatches } from "../../lib/train/batches.ts";
import { numberTexts } from "../../lib/train/distinct_batches.ts";
import { biEncoderObjective } from "../../lib/train/bi_encoder_objective.ts";
import { denoisingFolder, tokenized } from "../model/denoising.ts";

const plain = ["5 6 7", "8 9 10 11", "12 13", "14 15 16 17 18", "5 6 7"];

Deno.test("the two copies of a text have two masks, the same ones again in the same step, others in the next", async () => {
  const engine = createCpuEngine({ threads: 1 });
  const folder = await denoisingFolder("bert"); // its own rates are 0
  const model = await loadBiEncoder(engine, folder, { trained: true, dropout: 0.2 });
  const still = await loadBiEncoder(engine, folder, { trained: true });
  assert.ok(hasDropout(model.encoder.config) && !hasDropout(still.encoder.config));
  assert.ok(!hasDropout({ ...model.encoder.config, layers: 0 }), "static embeddings have no place for it");
  const more = { ...still.encoder.config, embeddingDropout: 0, dropoutName: 3 };
  assert.deepEqual(withDropout(more, 0.5), {
    ...more,
    ...{ hiddenDropout: 0.5, attentionDropout: 0.5, embeddingDropout: 0.5 },
  });

  /** Embeddings as the loss sees them, the first column's and the second's. */
  const seen = async (of: typeof model, step: number) => {
    const columns: Float32Array[] = [];
    await scopeAsync(engine, async () => {
      const texts = tokenized(plain);
      const rows = Int32Array.of(3, 1, 0);
      const packed = pack([{ texts, rows }, { texts, rows }], Int32Array.of(10, 11, 12));
      const both = await engine.read(
        embed(inference(engine), of, uploadBatch(engine, packed), { seed: 1, step }).value,
      );
      columns.push(both.slice(0, both.length / 2) as Float32Array, both.slice(both.length / 2) as Float32Array);
    });
    return columns as [Float32Array, Float32Array];
  };
  const differ = (a: Float32Array, b: Float32Array) =>
    [0, 1, 2].map((row) => {
      const width = a.length / 3;
      return a.subarray(row * width, (row + 1) * width).some((x, i) => Math.abs(x - b[row * width + i]!) > 1e-3);
    });
  const [first, second] = await seen(model, 1);
  assert.deepEqual(differ(first, second), [true, true, true]);
  assert.deepEqual((await seen(model, 1))[0], first);
  assert.deepEqual(differ(first, (await seen(model, 2))[0]), [true, true, true]);
  const [a, b] = await seen(still, 1);
  assert.deepEqual(differ(a, b), [false, false, false]);

  // The objective of the same text twice hands the loss just these.
  let handed: Float32Array[] = [];
  const loss: Loss<"none"> = {
    name: "looks",
    texts: { min: 2, max: 2 },
    label: "none",
    inBatch: true,
    options: {},
    paper: "",
    apply: (tape, columns) => {
      handed = columns.map(({ value }) => engine.read(value)) as never;
      return sum(tape, columns[0]!);
    },
  };
  const texts = tokenized(plain);
  const objective = biEncoderObjective({ model, loss, head: {}, texts: [texts, texts], distinct: [plain, plain] });
  await scopeAsync(engine, async () => {
    const rows = Int32Array.of(3, 1, 0);
    await engine.read(
      objective.differentiate(engine, { rows, streams: Int32Array.of(10, 11, 12), seed: 1, step: 1 }, 1),
    );
    assert.deepEqual(await Promise.all(handed), [first, second]);
  });

  // Equal texts are no negatives of each other.
  for (let epoch = 0; epoch < 8; epoch++) {
    const batches = epochBatches(objective.rows, {
      batchSize: 5,
      seed: 1,
      epoch,
      distinct: numberTexts(objective.distinct!),
    });
    assert.equal(batches.reduce((count, { rows }) => count + rows.length, 0), 5);
    for (const { rows } of batches) assert.ok(!(rows.includes(0) && rows.includes(4)));
  }
  engine.close();
  await Deno.remove(folder, { recursive: true });
});
