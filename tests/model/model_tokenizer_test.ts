import assert from "node:assert/strict";
import { join } from "node:path";
import { sampleBaseModel } from "../../lib/data/sample/mod.ts";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { loadBiEncoder } from "../../lib/model/bi_encoder.ts";
import { loadCrossEncoder } from "../../lib/model/cross_encoder.ts";
import { loadMaskedLm } from "../../lib/model/masked_lm.ts";
import { withFolder } from "../folder.ts";

Deno.test("no loader takes a tokenizer that knows tokens without an embedding", () =>
  withFolder(async (folder) => {
    const sample = await sampleBaseModel();
    for (const entry of Deno.readDirSync(sample)) {
      if (entry.isFile) await Deno.copyFile(join(sample, entry.name), join(folder, entry.name));
    }
    const path = join(folder, "config.json");
    const config = JSON.parse(await Deno.readTextFile(path));
    await Deno.writeTextFile(path, JSON.stringify({ ...config, vocab_size: config.vocab_size - 1 }));
    const engine = createCpuEngine({ threads: 1 });
    for (const load of [loadBiEncoder, loadCrossEncoder, loadMaskedLm]) {
      await assert.rejects(load(engine, folder), {
        message: /^the tokenizer knows more tokens than the model/,
        expected: `at most ${config.vocab_size - 1}`,
      });
    }
    engine.close();
  }));
