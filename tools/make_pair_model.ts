/**
 * Makes the model that the sample's cross-encoders start from, `lib/data/sample/pair_model.ts`, by two commands on the
 * sample's stories: masked language modelling from nothing, then next-sentence prediction. What is kept is the encoder with
 * its pooler, in 16 bits, without the classifier. `deno task make:pair-model [module]`
 *
 * @module
 */
import { join } from "node:path";
import { openTensors, type TensorToWrite, writeSafetensors } from "../lib/checkpoint/safetensors.ts";
import { packModel } from "./pack_model.ts";

const work = await Deno.makeTempDir();

/** Runs a pipeline, and gives the folder of its model. */
async function run(pipeline: string, ...flags: readonly string[]): Promise<string> {
  const output = join(work, pipeline);
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `pipelines/${pipeline}.ts`, "--no-cache", "--output", output, ...flags],
  }).spawn().status;
  if (code !== 0) {
    await Deno.remove(work, { recursive: true });
    Deno.exit(code);
  }
  return join(output, "model");
}

const masked = await run(
  "masked_language_model",
  ...["--train", "sample:stories", "--max-steps", "4000", "--learning-rate", "2e-3"],
);
const judge = await run(
  "cross_encoder",
  ...["--model", masked, "--train", "sample:next-sentences", "--limit", "100000", "--held-out", "0.02"],
  ...["--head", "classes", "--epochs", "4", "--batch-size", "64"],
);

const config = JSON.parse(await Deno.readTextFile(join(masked, "config.json")));
const reader = await openTensors(judge);
const tensors: TensorToWrite[] = [];
for (const [name, { shape }] of reader.tensors) {
  if (name.startsWith("classifier.")) continue;
  tensors.push({ name: name.replace(/^bert\./, ""), shape, data: await reader.readF32(name), dtype: "F16" });
}
reader.close();
const folder = join(work, "pair_model");
await Deno.mkdir(folder);
await Deno.writeTextFile(
  join(folder, "config.json"),
  JSON.stringify({ ...config, architectures: ["BertModel"] }, null, 2) + "\n",
);
for (const name of ["tokenizer.json", "tokenizer_config.json", "vocab.txt"]) {
  await Deno.copyFile(join(masked, name), join(folder, name));
}
await writeSafetensors(join(folder, "model.safetensors"), tensors);
await packModel(folder, Deno.args[0] ?? "lib/data/sample/pair_model.ts");
await Deno.remove(work, { recursive: true });
