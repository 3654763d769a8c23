/**
 * jina-embeddings-v3 as it was published first, for Python code of its own: the type of an XLM-RoBERTa that it is not, and
 * beside every matrix the adapters of all tasks, which change it. Without a task it is the same as transformers'
 * `jina_embeddings_v3`.
 *
 * @module
 */
import { CheckpointError } from "../error.ts";
import type { TensorReader, TensorToWrite } from "./safetensors.ts";

type Json = Readonly<Record<string, unknown>>;

/** Whether a `config.json` is that of jina v3 in its own layout. */
export function isOriginalJinaV3(config: Json): boolean {
  const { architectures, model_type: type, position_embedding_type: positions } = config;
  return type === "xlm-roberta" && positions === "rotary" && Array.isArray(architectures) &&
    architectures.includes("XLMRobertaLoRA");
}

/** The names of the tasks that a `config.json` tells of, in the order of their adapters. */
export function tasksOf(config: Json): readonly string[] {
  const names = config["lora_adaptations"];
  return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
}

/** The texts that go before the input, by task: those of `config.json`. */
export function taskPrompts(config: Json): Readonly<Record<string, string>> {
  const given = tasksOf(config).length === 0 ? undefined : config["task_instructions"];
  if (given === null || typeof given !== "object") return {};
  return Object.fromEntries(
    Object.entries(given).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

/** The name among prompts of the task that a folder's adapter is for: `retrieval_query` is `retrieval.query`. */
export function promptOfTask(prompts: Readonly<Record<string, string>>, adapter: string): string | undefined {
  const plain = (name: string) => name.replaceAll(/[.-]/g, "_");
  return Object.keys(prompts).find((name) => plain(name) === plain(adapter) && prompts[name] !== "");
}

/**
 * A `config.json` without what it says of adapters for tasks: of a model in which one of them is merged, or none. The type is
 * the one that transformers has for it.
 */
export function withoutTasks(config: Json): Json {
  if (tasksOf(config).length === 0) return config;
  const {
    lora_adaptations: _,
    lora_alpha: _1,
    lora_dropout_p: _2,
    lora_main_params_trainable: _3,
    lora_rank: _4,
    load_trained_adapters: _5,
    task_instructions: _6,
    ...plain
  } = config;
  if (!isOriginalJinaV3(config)) return plain;
  const { auto_map: _7, _name_or_path: _8, use_flash_attn: _9, position_embedding_type: _10, ...rest } = plain;
  const theta = config["rotary_emb_base"];
  return {
    ...rest,
    model_type: "jina_embeddings_v3",
    architectures: ["JinaEmbeddingsV3Model"],
    ...(theta !== undefined && { rope_parameters: { rope_theta: theta, rope_type: "default" } }),
  };
}

const PLACE = ".parametrizations.weight";
const ORIGINAL = `${PLACE}.original`;
const [ALL_A, ALL_B] = [`${PLACE}.0.lora_A`, `${PLACE}.0.lora_B`];

/** A checkpoint under plain names, without the adapters of tasks. Any other one stays as it is. */
export function withoutParametrizations(reader: TensorReader): TensorReader {
  if (![...reader.tensors.keys()].some((name) => name.endsWith(ALL_A))) return reader;
  const stored = new Map(
    [...reader.tensors.keys()].filter((name) => !name.endsWith(ALL_A) && !name.endsWith(ALL_B))
      .map((name) => [name.replace(ORIGINAL, ".weight"), name]),
  );
  const of = (name: string) => stored.get(name) ?? name;
  return {
    ...reader,
    tensors: new Map([...stored].map(([name, old]) => [name, { ...reader.tensors.get(old)!, name }])),
    readF32: (name) => reader.readF32(of(name)),
    piecesF32: (name) => reader.piecesF32(of(name)),
    readI32: (name) => reader.readI32(of(name)),
    readBytes: (name) => reader.readBytes(of(name)),
  };
}

/**
 * The adapter of one task, as PEFT's files have it. In the checkpoint, W [n, k] has A [tasks, r, k] and B [tasks, n, r]; a
 * table has A [tasks, n, r] and B [tasks, r, k], of which A B is added. PEFT keeps both of these turned.
 *
 * @param reader The checkpoint as it stands.
 * @param config Its `config.json`.
 * @param task One of {@linkcode tasksOf}.
 * @param where The model's folder, for errors.
 * @returns Rank, α, layers and tensors.
 * @throws {CheckpointError} The adapters are not of these shapes.
 */
export async function taskAdapter(reader: TensorReader, config: Json, task: string, where: string): Promise<{
  readonly rank: number;
  readonly alpha: number;
  readonly layers: readonly string[];
  readonly tensors: readonly TensorToWrite[];
}> {
  const { lora_rank: rank = 4, lora_alpha: alpha = 1 } = config;
  const tasks = tasksOf(config);
  const wrong = (expected: string, found: unknown): never => {
    throw new CheckpointError("the adapters of the tasks are damaged", { where, expected, found: `${found}` });
  };
  if (!(typeof rank === "number" && typeof alpha === "number")) {
    return wrong("numbers for lora_rank and lora_alpha", JSON.stringify([rank, alpha]));
  }
  const layers = [...reader.tensors.keys()].filter((name) => name.endsWith(ALL_A))
    .map((name) => name.slice(0, -ALL_A.length));
  const tensors: TensorToWrite[] = [];
  for (const layer of layers) {
    const isTable = layer.endsWith("_embeddings");
    const [n, k] = reader.tensors.get(layer + ORIGINAL)?.shape ?? [];
    const ofTask = async (name: string, shape: readonly [number | undefined, number | undefined]) => {
      const [rows, width] = shape;
      const found = reader.tensors.get(name)?.shape;
      if (rows === undefined || width === undefined || found?.join() !== [tasks.length, rows, width].join()) {
        return wrong(`${name} [${[tasks.length, ...shape]}]`, found === undefined ? "nothing" : `[${found}]`);
      }
      const at = tasks.indexOf(task) * rows * width;
      const values = (await reader.readF32(name)).subarray(at, at + rows * width);
      return isTable
        ? { shape: [width, rows], data: transposed(values, rows) }
        : { shape: [rows, width], data: values };
    };
    const a = await ofTask(layer + ALL_A, isTable ? [n, rank] : [rank, k]);
    const b = await ofTask(layer + ALL_B, isTable ? [rank, k] : [n, rank]);
    const [nameA, nameB] = isTable ? ["lora_embedding_A", "lora_embedding_B"] : ["lora_A.weight", "lora_B.weight"];
    tensors.push({ name: `${layer}.${nameA}`, ...a }, { name: `${layer}.${nameB}`, ...b });
  }
  return { rank, alpha, layers, tensors };
}

/** [rows, n] → [n, rows] */
export function transposed(values: Float32Array, rows: number): Float32Array {
  const width = values.length / rows;
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < width; i++) result[i * rows + row] = values[row * width + i]!;
  }
  return result;
}
