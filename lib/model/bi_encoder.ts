/**
 * The bi-encoder: an encoder, pooling, and what may follow, as sentence-transformers composes them.
 *
 * @module
 */
import { join } from "node:path";
import { openWeights } from "../checkpoint/adapter.ts";
import { embeddingWidth, type ModuleSpec } from "../checkpoint/modules.ts";
import { openTensors, type TensorToWrite } from "../checkpoint/safetensors.ts";
import { readFolder, writeFolder } from "../checkpoint/sentence_transformers.ts";
import type { Engine, PoolingMode } from "../engine/engine.ts";
import { UsageError } from "../error.ts";
import { expectWholeNumber } from "../expect.ts";
import { concatColumns, linear, normalize } from "../tensor/ops.ts";
import type { Tape } from "../tensor/tape.ts";
import type { Parameters, Tensor } from "../tensor/tensor.ts";
import type { DeviceBatch, Encoder, TrainingKey } from "./batch.ts";
import { withDropout } from "./dropout.ts";
import { familyOf, parseConfig, prefixesOf } from "./families/mod.ts";
import { trainedBy } from "./freeze.ts";
import { adaptedLayers, type LoraSettings, makeAdapters, mergedTensors } from "./lora.ts";
import { fitting, folderTokenizer } from "./model_tokenizer.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { tokenPooling } from "./token_pooling.ts";
import {
  freeParameters,
  fromCheckpoint,
  makeParameters,
  randomInitial,
  readParameters,
  type Trained,
} from "./parameters.ts";
import { type Initial, specList, type TensorSpecs } from "./tensor_specs.ts";
import { wholeOrNothing } from "../engine/whole.ts";

/** A model that gives every text one vector. */
export interface BiEncoder {
  /** Token features. */
  readonly encoder: Encoder;
  /** What follows: pooling, dense layers, normalisation. */
  readonly modules: readonly ModuleSpec[];
  /** All tensors; those of a dense module under `<module>/linear.weight`. */
  readonly parameters: Parameters;
  /** Its tokenizer. */
  readonly tokenizer: Tokenizer;
  /** Longest sequence in tokens. */
  readonly maxSeqLength: number;
  /** Texts put before the input, by name. */
  readonly prompts: Readonly<Record<string, string>>;
  /** The one that is used when none is named. */
  readonly defaultPromptName: string | undefined;
  /** cosine, dot, euclidean or manhattan. */
  readonly similarity: string;
  /** Features of an embedding, as losses see it. */
  readonly width: number;
  /** Features that are kept of it where texts are encoded (a Matryoshka model); undefined: all of them. */
  readonly truncateDim: number | undefined;
  /** `config.json`, to be saved again. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Tensors of the checkpoint that are not used (a pooler), to be saved again. */
  readonly unused: readonly TensorToWrite[];
}

/** Features of an embedding of a text: those that are kept. */
export const keptWidth = ({ width, truncateDim = width }: Pick<BiEncoder, "width" | "truncateDim">): number =>
  Math.min(width, truncateDim);

/** Options of {@linkcode loadBiEncoder}. */
export interface LoadBiEncoderOptions {
  /**
   * Whether gradients are wanted. Default false: an engine may then keep the weights of linear layers as products take them, and
   * `read` them, but not slice, transpose or multiply them otherwise.
   */
  readonly trained?: boolean;
  /** See `trainedBy`. */
  readonly freeze?: string | undefined;
  /** Train adapters of low rank and nothing else: their settings, and the seed that they begin with. */
  readonly lora?: LoraSettings & { readonly seed?: number } | undefined;
  /** Overrides the folder's pooling. */
  readonly pooling?: PoolingMode | undefined;
  /** Leave out what follows the pooling: dense layers, normalisation. Default false. */
  readonly pooledOnly?: boolean | undefined;
  /** Overrides the folder's limit. */
  readonly maxSeqLength?: number | undefined;
  /** So many features of an embedding are kept, instead of as many as the folder says. Nothing is normalised anew. */
  readonly truncateDim?: number | undefined;
  /** In training, this rate of dropout wherever the model has a place for it. Default: the folder's own rates. */
  readonly dropout?: number | undefined;
  /** Weights at random (by this seed) instead of the folder's. */
  readonly initialise?: number | undefined;
}

/**
 * Loads a sentence-transformers folder, or a plain Hugging Face checkpoint with mean pooling.
 *
 * @param engine Holds the weights until they are freed.
 * @param path The folder; a model of the hub comes into one by `fetchSnapshot`.
 * @param options Whether and how it is trained, and how long texts may be.
 * @returns The model, for `encodeTexts` and `biEncoderObjective`.
 * @throws {CheckpointError} A file is missing or damaged, or the architecture is not supported.
 * @throws {UsageError} More features are to be kept than there are, or a length is no whole number from 1.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import { encodeTexts } from "@kindred/kindred/embed";
 * import { freeBiEncoder, loadBiEncoder } from "@kindred/kindred/model";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const model = await loadBiEncoder(engine, await sampleBaseModel());
 * const { rows, width } = await encodeTexts(engine, model, ["the boy eats", "a dog runs"]);
 * assert.deepEqual([rows, width], [2, 128]);
 * freeBiEncoder(engine, model);
 * engine.close();
 * ```
 */
export async function loadBiEncoder(
  engine: Engine,
  path: string,
  options: LoadBiEncoderOptions = {},
): Promise<BiEncoder> {
  return await wholeOrNothing(engine, (engine) => readBiEncoder(engine, path, options));
}

async function readBiEncoder(
  engine: Engine,
  path: string,
  options: LoadBiEncoderOptions,
): Promise<BiEncoder> {
  const { trained = false, freeze, pooling, initialise, lora } = options;
  if (options.truncateDim !== undefined) expectWholeNumber("truncateDim", options.truncateDim);
  if (options.maxSeqLength !== undefined) expectWholeNumber("maxSeqLength", options.maxSeqLength);
  const folder = await readFolder(path);
  const { weights } = folder;
  const config = withDropout(parseConfig(folder.config, join(weights, "config.json")), options.dropout);
  const kept = folder.modules.filter(({ type }) => type === "pooling" || options.pooledOnly !== true);
  const modules = kept.map((spec) =>
    spec.type === "pooling" && pooling !== undefined ? { ...spec, modes: [pooling] } : spec
  );
  const family = familyOf(config);
  const isTrained = trainedBy(freeze, config, [
    ...family.tensors(config).keys(),
    ...modules.flatMap((spec) => spec.type === "dense" ? [...denseSpecs(spec).keys()] : []),
  ]);
  const width = embeddingWidth(modules, config.hiddenSize);
  const { truncateDim = folder.truncateDim } = options;
  // A folder that asks for more than there is keeps all, as in Python.
  if (options.truncateDim !== undefined && options.truncateDim > width) {
    throw new UsageError("truncateDim is more than the model has", {
      expected: `at most ${width}`,
      found: `${options.truncateDim}`,
    });
  }
  const wanted: Trained = trained || lora !== undefined
    ? (name) => trained && lora === undefined && isTrained(name)
    : undefined;
  const tokenizer = fitting(await folderTokenizer(folder), weights, config);
  const [specs, joined] = [family.tensors(config), family.joined(config)];
  const unused: TensorToWrite[] = [];
  let encoderParameters: Parameters;
  if (initialise !== undefined) {
    encoderParameters = await makeParameters(engine, specs, randomInitial(initialise), wanted, joined);
  } else {
    const reader = await openWeights(weights);
    try {
      encoderParameters = await makeParameters(
        engine,
        specs,
        family.initial?.(reader, weights) ?? fromCheckpoint(reader, prefixesOf(config), weights),
        wanted,
        joined,
      );
      for (const [name, { shape, dtype }] of reader.tensors) {
        if (/(^|\.)pooler\./.test(name) && /^B?F(16|32|64)$/.test(dtype)) {
          unused.push({ name, shape, data: await reader.readF32(name) });
        }
      }
    } finally {
      reader.close();
    }
  }
  const denseParameters = await loadDense(engine, folder.path, modules, wanted);
  const adapters = lora && await makeAdapters(engine, { parameters: encoderParameters, specs }, lora, {
    seed: lora.seed ?? 0,
    wanted: isTrained,
  });
  return {
    encoder: { config, parameters: encoderParameters, adapters },
    modules,
    parameters: { ...encoderParameters, ...adapters?.parameters, ...denseParameters },
    tokenizer,
    maxSeqLength: options.maxSeqLength ?? folder.maxSeqLength,
    prompts: folder.prompts,
    defaultPromptName: folder.defaultPromptName,
    similarity: folder.similarity,
    width,
    truncateDim,
    config: folder.config,
    unused,
  };
}

/** Tensors of a dense module by name. */
function denseSpecs(spec: ModuleSpec & { readonly type: "dense" }): TensorSpecs {
  const list = specList();
  list.linear(`${spec.path}/linear`, spec.outFeatures, spec.inFeatures, spec.bias);
  return list.specs;
}

async function loadDense(
  engine: Engine,
  path: string,
  modules: readonly ModuleSpec[],
  trained: Trained,
): Promise<Parameters> {
  let parameters: Parameters = {};
  for (const spec of modules) {
    if (spec.type !== "dense") continue;
    const reader = await openTensors(join(path, spec.path));
    try {
      const read = fromCheckpoint(reader, [], join(path, spec.path));
      const initial: Initial = (name, tensor) => read(name.slice(spec.path.length + 1), tensor);
      parameters = { ...parameters, ...await makeParameters(engine, denseSpecs(spec), initial, trained) };
    } finally {
      reader.close();
    }
  }
  return parameters;
}

/**
 * Embeddings [n, D] of packed sequences. `skip` leading tokens (a prompt) do not count in the pooling of models that
 * leave prompts out.
 */
export function embed(tape: Tape, model: BiEncoder, batch: DeviceBatch, training?: TrainingKey, skip = 0): Tensor {
  const { tokens, pool } = tokenPooling(tape, model.encoder, batch, training);
  let x: Tensor | undefined;
  for (const spec of model.modules) {
    if (spec.type === "pooling") {
      const ignored = spec.includePrompt ? 0 : skip;
      const parts = pool(spec.modes, ignored);
      x = parts.length === 1 ? parts[0]! : concatColumns(tape, parts);
    } else if (spec.type === "dense") {
      const [weight, bias] = [
        model.parameters[`${spec.path}/linear.weight`]!,
        model.parameters[`${spec.path}/linear.bias`],
      ];
      x = linear(tape, x ?? tokens(), weight, bias, spec.activation === "identity" ? undefined : spec.activation);
    } else x = normalize(tape, x ?? tokens());
  }
  return x ?? tokens();
}

/**
 * Writes the model as a sentence-transformers folder, whole or not at all, with its adapters merged into its weights. Files
 * of others in the folder stay.
 *
 * @param engine The one that it was loaded on.
 * @param model The model.
 * @param path The folder.
 * @param modelCard The text of its README.md: `modelCard` writes one.
 * @param options `adapterOf`: writes the adapters alone, in PEFT's files, for a model of this name: one of the hub, or a
 *   folder. Default: the whole model.
 * @returns When all is on the disk.
 * @throws {CheckpointError} The folder cannot be written.
 */
export async function saveBiEncoder(
  engine: Engine,
  model: BiEncoder,
  path: string,
  modelCard: string,
  options: { readonly adapterOf?: string | undefined } = {},
): Promise<void> {
  const { adapters } = model.encoder;
  const adapter = options.adapterOf === undefined || adapters === undefined ? undefined : {
    ...adapters.settings,
    base: options.adapterOf,
    layers: adaptedLayers(adapters),
    tensors: await readParameters(engine, adapters.parameters),
  };
  const tensors = adapter === undefined ? await mergedTensors(engine, model.encoder.parameters, adapters) : [];
  const denseTensors = new Map<string, TensorToWrite[]>();
  for (const spec of model.modules) {
    if (spec.type !== "dense") continue;
    const own = Object.entries(model.parameters).filter(([name]) => name.startsWith(`${spec.path}/`));
    const named = own.map(([name, tensor]) => [name.slice(spec.path.length + 1), tensor]);
    denseTensors.set(spec.path, await readParameters(engine, Object.fromEntries(named)));
  }
  const { config, modules, maxSeqLength, prompts, defaultPromptName, similarity, tokenizer, truncateDim } = model;
  await writeFolder(path, {
    input: config["word_embeddings"] !== undefined
      ? "words"
      : model.encoder.config.family === "static"
      ? "static"
      : "transformer",
    config,
    modules,
    maxSeqLength,
    prompts,
    defaultPromptName,
    similarity,
    truncateDim,
    tensors: [...tensors, ...model.unused],
    denseTensors,
    tokenizerFiles: tokenizer.files,
    modelCard,
    adapter,
  });
}

/**
 * Whether there are layers that multiply by weights, so that the precision of the computation matters.
 *
 * @param model From {@linkcode loadBiEncoder}.
 * @returns False for a table of embeddings alone.
 */
export function hasLayers(model: BiEncoder): boolean {
  return model.encoder.config.layers > 0 || model.modules.some(({ type }) => type === "dense");
}

/**
 * Gives the model's memory back. It must not be used afterwards.
 *
 * @param engine The one that it was loaded on.
 * @param model From {@linkcode loadBiEncoder}.
 */
export function freeBiEncoder(engine: Engine, model: BiEncoder): void {
  freeParameters(engine, model.parameters);
}
