/**
 * Adapters of low rank, written in PEFT's files: `adapter_config.json` and `adapter_model.safetensors`.
 *
 * @module
 */
import { join } from "node:path";
import { writeJson } from "./folder.ts";
import { type TensorToWrite, writeSafetensors } from "./safetensors.ts";

export const ADAPTER_CONFIG = "adapter_config.json";
export const ADAPTER_WEIGHTS = "adapter_model.safetensors";

/** What {@linkcode writeAdapter} writes. */
export interface AdapterToWrite {
  /** The model that it belongs to: a model of the hub, or a folder. */
  readonly base: string;
  /** r */
  readonly rank: number;
  /** α */
  readonly alpha: number;
  /** Dropout of its training. */
  readonly dropout: number;
  /** Names of the layers that have one. */
  readonly layers: readonly string[];
  /** Its weights: `<layer>.lora_A.weight` and `<layer>.lora_B.weight`; of tables `<layer>.lora_embedding_A` and `…_B`. */
  readonly tensors: readonly TensorToWrite[];
}

/**
 * Writes an adapter as PEFT does.
 *
 * @param folder An existing folder.
 * @param adapter What it is, and its weights.
 * @returns When both files are written.
 */
export async function writeAdapter(folder: string, adapter: AdapterToWrite): Promise<void> {
  const { base, rank, alpha, dropout, layers, tensors } = adapter;
  await writeJson(join(folder, ADAPTER_CONFIG), {
    peft_type: "LORA",
    task_type: "FEATURE_EXTRACTION",
    base_model_name_or_path: base,
    revision: null,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: dropout,
    target_modules: layers,
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    modules_to_save: null,
    use_dora: false,
    use_rslora: false,
  });
  await writeSafetensors(
    join(folder, ADAPTER_WEIGHTS),
    tensors.map((tensor) => ({ ...tensor, name: `base_model.model.${tensor.name}` })),
  );
}
