/**
 * Which weight of a model's files an adapter's layer is. PEFT knows layers by the names of transformers' modules; files may
 * have a prefix more or less, and some families keep other names there, and queries, keys and values as one matrix.
 *
 * @module
 */
import { CheckpointError } from "../error.ts";
import type { TensorReader } from "./safetensors.ts";

/** Rows of a weight. */
export interface WeightRows {
  /** Its name in the model's files. */
  readonly weight: string;
  /** The first of the rows. */
  readonly from: number;
  /** How many there are. */
  readonly rows: number;
}

/** Names of jina v3's modules, and what its files call them. */
const JINA: readonly (readonly [module: RegExp, stored: string])[] = [
  [/(^|\.)layers\.(\d+)\.self_attn\.[qkv]_proj$/, "$1encoder.layers.$2.mixer.Wqkv"],
  [/(^|\.)layers\.(\d+)\.self_attn\.o_proj$/, "$1encoder.layers.$2.mixer.out_proj"],
];

/**
 * The weight of a layer in the base model.
 *
 * @param base The model's files.
 * @param layer The adapter's name of it.
 * @param file The adapter's file, for errors.
 * @returns The weight; of queries, keys or values that are kept as one matrix, a third of its rows.
 * @throws {CheckpointError} The model has no such layer.
 */
export function weightOf(base: TensorReader, layer: string, file: string): WeightRows {
  const found = named(base, layer);
  if (found.length === 1) return { weight: found[0]!, from: 0, rows: rowsOf(base, found[0]!) };
  const part = "qkv".indexOf(/\.([qkv])_proj$/.exec(layer)?.[1] ?? "none");
  const stored = JINA.filter(([module]) => module.test(layer)).flatMap(([module, name]) =>
    named(base, layer.replace(module, name))
  );
  if (stored.length === 1) {
    const [weight, all] = [stored[0]!, rowsOf(base, stored[0]!)];
    return part < 0 ? { weight, from: 0, rows: all } : { weight, from: part * all / 3, rows: all / 3 };
  }
  throw new CheckpointError("the adapter is for a layer that the model does not have", {
    where: `${file}, ${layer}`,
    expected: "layers of its base model, under the names that the model's files have",
    found: found.length === 0 ? layer : found.join(" or "),
  });
}

const rowsOf = (base: TensorReader, weight: string) => base.tensors.get(weight)!.shape[0]!;

/** Weights by a name that may have a prefix more or less. */
function named(base: TensorReader, layer: string): string[] {
  const name = `${layer}.weight`;
  if (base.tensors.has(name)) return [name];
  return [...base.tensors.keys()].filter((each) => each.endsWith(`.${name}`) || name.endsWith(`.${each}`));
}
