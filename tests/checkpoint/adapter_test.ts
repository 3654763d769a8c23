import assert from "node:assert/strict";
import { join } from "node:path";
import { basesOf, openWeights, readAdapter } from "../../lib/checkpoint/adapter.ts";
import { writeSafetensors } from "../../lib/checkpoint/safetensors.ts";
import { readFolder } from "../../lib/checkpoint/sentence_transformers.ts";
import { writeAdapter } from "../../lib/checkpoint/write_adapter.ts";
import { KindredError } from "../../lib/error.ts";
import { goldenPath, goldenTensors } from "../golden/golden.ts";
import { withFolder } from "../folder.ts";

const base = goldenPath("encoders/bert");
const layer = "encoder.layer.0.attention.self.query";
const weight = `bert.${layer}.weight`;

/** A folder with an adapter of two numbers in A and B each, whose configuration says this as well. */
async function adapterFolder(folder: string, config: object = {}, names = [`${layer}.lora_A`, `${layer}.lora_B`]) {
  const ones = (length: number) => new Float32Array(length).fill(1);
  await writeAdapter(folder, { base, rank: 2, alpha: 3, dropout: 0, layers: [layer], tensors: [] });
  const path = join(folder, "adapter_config.json");
  const written = JSON.parse(await Deno.readTextFile(path));
  await Deno.writeTextFile(path, JSON.stringify({ ...written, ...config }));
  await writeSafetensors(join(folder, "adapter_model.safetensors"), [
    { name: `base_model.model.${names[0]}.weight`, shape: [2, 20], data: ones(40) },
    { name: `base_model.model.${names[1]}.weight`, shape: [20, 2], data: ones(40) },
  ]);
}

/** What is added to the first number of a weight. */
async function added(folder: string): Promise<number> {
  const [plain, reader] = [await goldenTensors("encoders/bert/model.safetensors"), await openWeights(folder)];
  try {
    assert.deepEqual([...reader.tensors.keys()].sort(), [...plain.keys()].sort());
    return (await reader.readF32(weight))[0]! - plain.get(weight)![0]!;
  } finally {
    reader.close();
  }
}

const near = (found: number, expected: number) => assert.ok(Math.abs(found - expected) < 1e-6, `${found}`);

Deno.test("a folder with an adapter is its base model with s · B A in its weights", () =>
  withFolder(async (folder) => {
    await adapterFolder(folder);
    near(await added(folder), 3 / 2 * 2);
    const { weights, config, path } = await readFolder(folder);
    assert.deepEqual([weights, config["model_type"], path], [folder, "bert", base]);
    assert.deepEqual(await basesOf(folder), [base]);
    await adapterFolder(folder, { use_rslora: true });
    near(await added(folder), 3 / Math.sqrt(2) * 2);
    await adapterFolder(folder, { alpha_pattern: { "self.query": 8 } });
    near(await added(folder), 8 / 2 * 2);
    // Whole models have a prefix before their encoder's names.
    await adapterFolder(folder, {}, [`bert.${layer}.lora_A`, `bert.${layer}.lora_B`]);
    near(await added(folder), 3);
    const plain = await goldenTensors("encoders/bert/model.safetensors");
    const reader = await openWeights(folder);
    assert.deepEqual(
      await reader.readF32("bert.encoder.layer.0.attention.self.key.weight"),
      plain.get("bert.encoder.layer.0.attention.self.key.weight"),
    );
    reader.close();
  }));

Deno.test("an adapter may build upon another, but not in a circle", () =>
  withFolder(async (folder) => {
    const [first, second] = [join(folder, "first"), join(folder, "second")];
    for (const each of [first, second]) await Deno.mkdir(each);
    await adapterFolder(first);
    await adapterFolder(second, { base_model_name_or_path: "../first" });
    near(await added(second), 6);
    assert.deepEqual(await basesOf(second), [join(second, "../first"), base]);
    await adapterFolder(first, { base_model_name_or_path: second });
    await assert.rejects(openWeights(second), /circle/);
    await assert.rejects(readFolder(second), /circle/);
    await assert.rejects(basesOf(second), /circle/);
  }));

Deno.test("adapters that are more than B A beside a weight, or do not fit, are refused by name", () =>
  withFolder(async (folder) => {
    const refused = async (message: RegExp, config: object, names?: string[]) => {
      await adapterFolder(folder, config, names);
      await assert.rejects(openWeights(folder), (error) => {
        assert.ok(error instanceof KindredError, String(error));
        assert.match(error.message.replaceAll("\n", " "), message);
        return true;
      });
    };
    await refused(/peft_type.*IA3/, { peft_type: "IA3" });
    await refused(/use_dora/, { use_dora: true });
    await refused(/bias.*lora_only/, { bias: "lora_only" });
    await refused(/modules_to_save.*classifier/, { modules_to_save: ["classifier"] });
    await refused(/layer_replication/, { layer_replication: [[0, 2]] });
    await refused(/init_lora_weights.*pissa/, { init_lora_weights: "pissa" });
    await refused(/lora_alpha/, { lora_alpha: "8" });
    await refused(/alpha_pattern/, { alpha_pattern: { "(": 8 } });
    await refused(/not to be had.*no such model/s, { base_model_name_or_path: "/nowhere/at/all" });
    const other = "encoder.layer.9.attention.self.query";
    await refused(/layer that the model does not have.*layer\.9/, {}, [`${other}.lora_A`, `${other}.lora_B`]);
    await refused(/does not fit.*B \[20,2\]/, {}, [
      "encoder.layer.0.output.dense.lora_A",
      "encoder.layer.0.output.dense.lora_B",
    ]);
    const table = "embeddings.word_embeddings";
    await refused(/not supported.*embedding_A/, {}, [`${table}.lora_embedding_A`, `${table}.lora_embedding_B`]);
    await refused(/not supported.*query.lora_A/, {}, [`${layer}.lora_A`, `${layer}.lora_magnitude_vector`]);
    await adapterFolder(folder);
    await Deno.remove(join(folder, "adapter_model.safetensors"));
    await assert.rejects(readAdapter(folder), /weights of the adapter are missing/);
    // What is left of an adapter beside a whole model does not count.
    await writeSafetensors(join(folder, "model.safetensors"), []);
    assert.equal(await readAdapter(folder), undefined);
  }));
