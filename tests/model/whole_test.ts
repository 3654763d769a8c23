import assert from "node:assert/strict";
import { join } from "node:path";
import { openTensors, writeSafetensors } from "../../lib/checkpoint/safetensors.ts";
import { sampleBaseModel } from "../../lib/data/sample/mod.ts";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { CheckpointError, UsageError } from "../../lib/error.ts";
import { loadBiEncoder } from "../../lib/model/bi_encoder.ts";
import { loadCrossEncoder } from "../../lib/model/cross_encoder.ts";
import { loadDenoisingDecoder } from "../../lib/model/denoising_decoder.ts";
import { loadMaskedLm } from "../../lib/model/masked_lm.ts";
import { withFolder } from "../folder.ts";

Deno.test("a model that cannot be loaded leaves nothing on the engine", () =>
  withFolder(async (folder) => {
    const base = await sampleBaseModel();
    for await (const { name, isFile } of Deno.readDir(base)) {
      if (isFile) await Deno.copyFile(join(base, name), join(folder, name));
    }
    const file = join(folder, "model.safetensors");
    const reader = await openTensors(file);
    const tensors = [];
    for (const [name, { shape }] of reader.tensors) tensors.push({ name, shape, data: await reader.readF32(name) });
    reader.close();
    const last = tensors.findLast(({ name }) => /layer\.\d+\..*LayerNorm\.bias$/.test(name))!;
    last.data[0] = NaN; // found out when much has been read
    await writeSafetensors(file, tensors);

    const engine = createCpuEngine({ threads: 1 });
    const model = await loadBiEncoder(engine, base, { trained: true });
    const lora = { rank: 2, targets: ["no_such_layer"] };
    for (
      const [load, error] of [
        [() => loadBiEncoder(engine, folder, { trained: true }), CheckpointError],
        [() => loadBiEncoder(engine, folder), CheckpointError],
        [() => loadBiEncoder(engine, base, { trained: true, lora }), UsageError],
        [() => loadCrossEncoder(engine, base, { trained: true, lora }), UsageError],
        [() => loadMaskedLm(engine, folder), CheckpointError],
        [() => loadDenoisingDecoder(engine, model, folder, { tie: false }), CheckpointError],
      ] as const
    ) {
      await assert.rejects(load, error);
      const { live } = engine.memory(); // with the room that kernels have taken
      await assert.rejects(load, error);
      assert.equal(engine.memory().live, live, String(load));
    }
    engine.close();
  }));
