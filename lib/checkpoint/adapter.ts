/**
 * Adapters of low rank in PEFT's files: `adapter_config.json` and `adapter_model.safetensors`. A folder with them is a
 * model: the one that they name, with s · B A added to the weights that have them.
 *
 * @module
 */
import { dirname, join, resolve } from "node:path";
import { defaultCacheFolder } from "../environment.ts";
import { CheckpointError, KindredError } from "../error.ts";
import { exists } from "../exists.ts";
import { weightOf } from "./adapter_layers.ts";
import { readJson } from "./folder.ts";
import { transposed, withoutParametrizations } from "./jina_v3.ts";
import { readModuleList } from "./modules.ts";
import { locateNamed } from "./named_adapter.ts";
import { openTensors, type TensorReader } from "./safetensors.ts";
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS } from "./write_adapter.ts";

type Json = Readonly<Record<string, unknown>>;

/** An adapter in a folder. */
export interface AdapterFolder {
  /** The folder of the model that it belongs to. */
  readonly base: string;
  /** The file of its weights. */
  readonly file: string;
  /** What B A is multiplied by, of a layer whose A has so many rows. */
  readonly scale: (layer: string, rank: number) => number;
}

/** What says that an adapter is more, or is meant otherwise, than B A beside a weight. */
const BEYOND = [
  "modules_to_save",
  "fan_in_fan_out",
  "use_dora",
  "use_qalora",
  "use_bdlora",
  "lora_bias",
  "layer_replication",
  "target_parameters",
  "trainable_token_indices",
  "alora_invocation_tokens",
  "arrow_config",
  "kasa_config",
  "monteclora_config",
  "velora_config",
];
/** Beginnings of adapters that leave the base model's weights as they are. */
const PLAIN_STARTS = [true, false, "gaussian", "eva", "orthogonal"];

const isNothing = (value: unknown) =>
  value === undefined || value === null || value === false ||
  (typeof value === "object" && Object.keys(value).length === 0);

/**
 * The adapter of a folder of weights; undefined where there is none. A base model of the hub is downloaded.
 *
 * @param folder The folder of the weights.
 * @param above Folders of adapters that build upon this one. Default: none.
 * @returns Its base model, and how it is added to it.
 * @throws {CheckpointError} It has what is not supported, or its base model is not to be had.
 */
export async function readAdapter(folder: string, above: readonly string[] = []): Promise<AdapterFolder | undefined> {
  const where = join(folder, ADAPTER_CONFIG);
  const config = await readJson<Json>(where, true);
  const isThere = (name: string) => exists(join(folder, name));
  if (config === undefined || (await isThere("model.safetensors") && !await isThere(ADAPTER_WEIGHTS))) return undefined;
  const only = (name: string, is: boolean, expected: string) => {
    if (is) return;
    throw new CheckpointError(`an adapter with this ${name} is not supported`, {
      where,
      expected: `${name}: ${expected}`,
      found: JSON.stringify(config[name]) ?? "nothing",
      hint: "merge it in Python, by merge_and_unload(), and save the model",
    });
  };
  only("peft_type", config["peft_type"] === "LORA", '"LORA"');
  only("bias", (config["bias"] ?? "none") === "none", '"none"');
  for (const name of BEYOND) only(name, isNothing(config[name]), "nothing");
  const start = config["init_lora_weights"] ?? true;
  only("init_lora_weights", PLAIN_STARTS.some((each) => each === start), PLAIN_STARTS.join(", "));
  // One that names no model belongs to the one whose folder it is in, as transformers' `load_adapter` takes it.
  const [alpha, name = await modelAbove(folder)] = [
    config["lora_alpha"],
    config["base_model_name_or_path"] ?? undefined,
  ];
  only("lora_alpha", typeof alpha === "number" && Number.isFinite(alpha), "a number");
  only("base_model_name_or_path", typeof name === "string" && name !== "", "the model that it belongs to");
  if (!await isThere(ADAPTER_WEIGHTS)) {
    throw new CheckpointError("the weights of the adapter are missing", {
      where: folder,
      expected: ADAPTER_WEIGHTS,
      hint: "weights in adapter_model.bin, a pickle, are not read: save the adapter again in Python",
    });
  }
  if (above.includes(resolve(folder))) {
    throw new CheckpointError("adapters build upon each other in a circle", { where: above.join(", ") });
  }
  const alphas = alphasOf(config["alpha_pattern"] ?? {});
  only("alpha_pattern", alphas !== undefined, "numbers by regular expressions");
  const byRoot = config["use_rslora"] === true; // rank-stabilised: Kalajdzievski 2023, arXiv 2312.03732
  return {
    base: await baseFolder(folder, name as string, config["revision"]),
    file: join(folder, ADAPTER_WEIGHTS),
    scale: (layer, rank) =>
      (alphas!.find(([pattern]) => pattern.test(layer))?.[1] ?? alpha as number) / (byRoot ? Math.sqrt(rank) : rank),
  };
}

/** The folder above, if there is a model in it. */
async function modelAbove(folder: string): Promise<string | undefined> {
  const above = dirname(resolve(folder));
  return await Deno.stat(join(above, "config.json")).then(() => above, () => undefined);
}

/** Other α than the usual, by patterns of the ends of names. */
function alphasOf(patterns: object): readonly (readonly [RegExp, number])[] | undefined {
  try {
    const alphas = Object.entries(patterns).map(([end, alpha]) =>
      [new RegExp(`^(?:.*\\.)?(?:${end})$`), alpha as number] as const
    );
    return alphas.every(([, alpha]) => Number.isFinite(alpha)) ? alphas : undefined;
  } catch {
    return undefined; // no regular expression
  }
}

/** A base model is a folder, as seen from here or from the adapter; or a model of the hub. */
async function baseFolder(folder: string, name: string, revision: unknown): Promise<string> {
  const beside = join(folder, name);
  for (const path of [name, beside]) {
    if (await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false)) return path;
  }
  try {
    const named = typeof revision === "string" ? name.replace(/(#|$)/, `@${revision}$1`) : name;
    return (await locateNamed(named, defaultCacheFolder())).folder;
  } catch (error) {
    throw new CheckpointError("the model that the adapter belongs to is not to be had", {
      where: join(folder, ADAPTER_CONFIG),
      expected: "base_model_name_or_path: a folder, or a model of the hub",
      found: name,
      hint: error instanceof KindredError ? error.summary : (error as Error).message,
      cause: error,
    });
  }
}

/** The folders of all models that an adapter in a model's folder builds upon; none where there is no adapter. */
export async function basesOf(path: string, above: readonly string[] = []): Promise<string[]> {
  const { transformerPath } = await readModuleList(path);
  const weights = join(path, transformerPath);
  const adapter = await readAdapter(weights, above);
  return adapter === undefined ? [] : [adapter.base, ...await basesOf(adapter.base, [...above, resolve(weights)])];
}

/**
 * The weights of a folder as {@linkcode openTensors} gives them; of a folder with an adapter those of its base model, with
 * the adapter merged into them as they are read.
 *
 * @param folder The folder of the weights.
 * @param above Folders of adapters that build upon this one. Default: none.
 * @returns Names, shapes, types, and values when they are asked for. To be closed.
 * @throws {CheckpointError} A file is missing or damaged; or the adapter has what is not supported, or layers that the base
 *   model does not have.
 */
export async function openWeights(folder: string, above: readonly string[] = []): Promise<TensorReader> {
  const adapter = await readAdapter(folder, above);
  if (adapter === undefined) return withoutParametrizations(await openTensors(folder));
  const { transformerPath } = await readModuleList(adapter.base);
  const base = await openWeights(join(adapter.base, transformerPath), [...above, resolve(folder)]);
  try {
    const own = await openTensors(adapter.file);
    try {
      return merged(base, own, adapter);
    } catch (error) {
      own.close();
      throw error;
    }
  } catch (error) {
    base.close();
    throw error;
  }
}

/** s · B A of one weight, or of some of its rows. */
interface Update {
  readonly a: string;
  readonly b: string;
  readonly rank: number;
  readonly scale: number;
  /** Of a table, PEFT keeps both turned: A [r, rows] and B [width, r]. */
  readonly isTable: boolean;
  /** Its first row. */
  readonly from: number;
}

/** Names of an adapter's tensors: the layer, whether it is a table of embeddings, A or B. */
const TENSOR = /^(?:base_model\.model\.)?(.+)\.lora_(embedding_)?([AB])(?:\.default)?(\.weight)?$/;

function merged(base: TensorReader, own: TensorReader, { file, scale }: AdapterFolder): TensorReader {
  const updates = new Map<string, Update[]>();
  for (const name of own.tensors.keys()) {
    const [, layer, table, kind, ending] = TENSOR.exec(name) ?? [];
    const a = name.replace(/\.lora_(embedding_)?B(?=\.|$)/, ".lora_$1A");
    const b = name.replace(/\.lora_(embedding_)?A(?=\.|$)/, ".lora_$1B");
    const [isTable, isWeight] = [table !== undefined, ending !== undefined];
    if (layer === undefined || isTable === isWeight || !own.tensors.has(a) || !own.tensors.has(b)) {
      throw new CheckpointError("a tensor of the adapter is not supported", {
        where: `${file}, ${name}`,
        expected: "lora_A.weight and lora_B.weight of a linear layer, lora_embedding_A and lora_embedding_B of a table",
        found: name,
        hint: "merge it in Python, by merge_and_unload(), and save the model",
      });
    }
    if (kind === "B") continue;
    const { weight, from, rows } = weightOf(base, layer, file);
    const [shapeA, shapeB] = [own.tensors.get(a)!.shape, own.tensors.get(b)!.shape];
    const [rank, width] = [shapeA[0]!, base.tensors.get(weight)!.shape[1]];
    const [wantedA, wantedB] = isTable ? [[rank, rows], [width, rank]] : [[rank, width], [rows, rank]];
    if (width === undefined || [shapeA, shapeB].join(" ; ") !== [wantedA, wantedB].join(" ; ")) {
      throw new CheckpointError("the adapter does not fit the weight", {
        where: `${file}, ${layer}`,
        expected: isTable ? `B [${width}, r], A [r, ${rows}]` : `B [${rows}, r], A [r, ${width}]`,
        found: `B [${shapeB}], A [${shapeA}]`,
        hint: "it belongs to another model",
      });
    }
    const update = { a, b, rank, scale: scale(layer, rank), isTable, from };
    updates.set(weight, [...updates.get(weight) ?? [], update]);
  }
  const readF32 = async (name: string) => {
    const values = await base.readF32(name);
    for (const update of updates.get(name) ?? []) await applyUpdate(values, own, update);
    return values;
  };
  return {
    ...base,
    readF32,
    async *piecesF32(name) {
      if (updates.has(name)) yield await readF32(name);
      else yield* base.piecesF32(name);
    },
    close() {
      base.close();
      own.close();
    },
  };
}

async function applyUpdate(values: Float32Array, own: TensorReader, update: Update): Promise<void> {
  const { rank, isTable, from } = update;
  const [a, b] = [await own.readF32(update.a), await own.readF32(update.b)];
  // (B A)ᵀ = Aᵀ Bᵀ
  const [left, right] = isTable ? [transposed(a, rank), transposed(b, b.length / rank)] : [b, a];
  const [rows, width] = [left.length / rank, right.length / rank];
  addProduct(values.subarray(from * width, (from + rows) * width), left, right, update);
}

/** W [N, K] += s · B [N, r] A [r, K] */
export function addProduct(
  w: Float32Array,
  b: Float32Array,
  a: Float32Array,
  { rank, scale }: { readonly rank: number; readonly scale: number },
): void {
  const [rows, width] = [b.length / rank, a.length / rank];
  const sum = new Float64Array(width);
  for (let row = 0; row < rows; row++) {
    sum.fill(0);
    for (let j = 0; j < rank; j++) {
      const factor = scale * b[row * rank + j]!;
      for (let i = 0, at = j * width; i < width; i++) sum[i]! += factor * a[at + i]!;
    }
    for (let i = 0, at = row * width; i < width; i++) w[at + i]! += sum[i]!;
  }
}
