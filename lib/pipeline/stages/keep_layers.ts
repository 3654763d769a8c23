/**
 * keep-layers: a smaller encoder, made of some of the layers of another one.
 *
 * @module
 */
import { join } from "node:path";
import { attempt } from "../../attempt.ts";
import { writeJson } from "../../checkpoint/folder.ts";
import { openTensors, type TensorToWrite, writeSafetensors } from "../../checkpoint/safetensors.ts";
import { readFolder } from "../../checkpoint/sentence_transformers.ts";
import { UsageError } from "../../error.ts";
import { type ModelFolder, modelFormat } from "../../stage/artifact.ts";
import { defineStage, type Stage } from "../../stage/stage.ts";

/** Which layers. */
export interface KeepLayers {
  /** Their numbers, from 0, in the order in which the smaller encoder has them. */
  readonly layers: readonly number[];
}

/** What configurations call the number of layers. */
const COUNTS = ["num_hidden_layers", "n_layers", "n_layer"];
/** What a configuration says of single layers. */
const BY_LAYER = ["layer_types", "global_attn_every_n_layers"];
/** The number of a layer in the name of a tensor. */
const LAYER = /((?:^|\.)layers?\.)(\d+)(?=\.)/;
/** Files that hold weights, in whichever form. */
const WEIGHTS = /\.(safetensors|bin|h5|msgpack|onnx)$|\.index\.json$/;

/**
 * A student of these layers (Sanh et al. 2019, arXiv 1910.01108, keep every other one): embeddings, pooling and tokenizer
 * stay as they are. Its texts must still be trained: layers that were never neighbours do not fit each other.
 */
export const keepLayers: Stage<KeepLayers, { readonly model: ModelFolder }, ModelFolder> = defineStage<
  KeepLayers,
  { readonly model: ModelFolder },
  ModelFolder
>({
  name: "keep-layers",
  version: 1,
  inputs: { model: modelFormat },
  output: modelFormat,
  run: ({ parameters: { layers }, inputs, scratch }) =>
    attempt(async () => {
      const { folder } = await inputs.model.read();
      const { weights, config } = await readFolder(folder);
      const counted = COUNTS.find((name) => typeof config[name] === "number");
      const count = counted === undefined ? 0 : config[counted] as number;
      const single = BY_LAYER.find((name) => config[name] !== undefined);
      if (counted === undefined || single !== undefined) {
        throw new UsageError("layers of this model cannot be taken out", {
          where: folder,
          expected: "an encoder whose layers are all of one kind",
          found: single ?? "no number of layers",
        });
      }
      const wrong = layers.filter((layer) => !Number.isInteger(layer) || layer < 0 || layer >= count);
      if (layers.length === 0 || wrong.length > 0 || new Set(layers).size < layers.length) {
        throw new UsageError("these layers cannot be kept", {
          expected: `some of 0 to ${count - 1}, each once`,
          found: layers.join(", ") || "none",
        });
      }
      const to = join(scratch, "model");
      await copyFolder(folder, to, weights);
      const place = weights === folder ? to : join(to, weights.slice(folder.length + 1));
      const reader = await openTensors(weights);
      try {
        const tensors: TensorToWrite[] = [];
        for (const [name, { shape, dtype }] of reader.tensors) {
          const layer = LAYER.exec(name)?.[2];
          const at = layer === undefined ? undefined : layers.indexOf(Number(layer));
          if (at === -1 || !/^(F|BF)/.test(dtype)) continue; // buffers of positions are made anew by whoever reads
          const renamed = name.replace(LAYER, (_, before) => `${before}${at}`);
          tensors.push({ name: renamed, shape, data: await reader.readF32(name) });
        }
        await writeSafetensors(join(place, "model.safetensors"), tensors, { format: "pt" });
      } finally {
        reader.close();
      }
      const own = JSON.parse(await Deno.readTextFile(join(place, "config.json")));
      await writeJson(join(place, "config.json"), { ...own, [counted]: layers.length });
    }),
});

/** Copies what a model's folder holds beside the weights in this folder. */
async function copyFolder(from: string, to: string, weights: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name } of Deno.readDir(from)) {
    const [source, target] = [join(from, name), join(to, name)];
    const { isDirectory } = await Deno.stat(source);
    if (name.startsWith(".") || name === "onnx" || name === "openvino") continue;
    if (isDirectory) await copyFolder(source, target, weights);
    else if (from !== weights || !WEIGHTS.test(name)) await Deno.copyFile(source, target);
  }
}
