/**
 * The masked language model: an encoder that guesses tokens, with the word embeddings as its output layer.
 *
 * @module
 */
import { join } from "node:path";
import { openWeights } from "../checkpoint/adapter.ts";
import { replaceFolder, writeJson } from "../checkpoint/folder.ts";
import { type TensorReader, type TensorToWrite, writeSafetensors } from "../checkpoint/safetensors.ts";
import { readFolder } from "../checkpoint/sentence_transformers.ts";
import type { Engine, Handle } from "../engine/engine.ts";
import { CheckpointError } from "../error.ts";
import { embedding, layerNorm, linearCrossEntropy } from "../tensor/ops.ts";
import type { Tape } from "../tensor/tape.ts";
import type { Parameters, Tensor } from "../tensor/tensor.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import type { Encoder } from "./batch.ts";
import type { EncoderConfig } from "./config.ts";
import type { MaskedLmHead } from "./families/family.ts";
import { classOf, familyOf, parseConfig, prefixesOf } from "./families/mod.ts";
import { trainedBy } from "./freeze.ts";
import { project } from "./layers.ts";
import { loadModelTokenizer } from "./model_tokenizer.ts";
import {
  fromCheckpoint,
  makeParameters,
  randomInitial,
  readParameters,
  storedName,
  type Trained,
} from "./parameters.ts";
import { specList, type TensorSpecs } from "./tensor_specs.ts";
import { wholeOrNothing } from "../engine/whole.ts";

/** A model that guesses masked tokens. */
export interface MaskedLm {
  /** Token features. */
  readonly encoder: Encoder;
  /** All tensors: the encoder's under their plain names, the head's under those of the checkpoint. */
  readonly parameters: Parameters;
  /** Its tokenizer. */
  readonly tokenizer: Tokenizer;
  /** Longest sequence in tokens. */
  readonly maxSeqLength: number;
  /** `config.json`, to be saved again. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** Options of {@linkcode loadMaskedLm}. */
export interface LoadMaskedLmOptions {
  /**
   * Whether gradients are wanted. Default false: an engine may then keep the weights of linear layers as products take them, and
   * `read` them, but not slice, transpose or multiply them otherwise.
   */
  readonly trained?: boolean;
  /** See `trainedBy`. */
  readonly freeze?: string | undefined;
  /** Overrides the folder's limit. */
  readonly maxSeqLength?: number | undefined;
  /** Seed of a head that the checkpoint does not have. Default 0. */
  readonly seed?: number;
}

/** The head of the family for masked tokens. */
export function maskedLmHead(config: EncoderConfig): MaskedLmHead {
  const { maskedLm } = familyOf(config);
  if (maskedLm !== undefined) return maskedLm;
  throw new CheckpointError("models of this type are no masked language models", { found: config.family });
}

/** Every tensor of the head; the output layer's weight is the table of word embeddings, or one of its own. */
export function headSpecs(config: EncoderConfig): TensorSpecs {
  const { dense, norm, bias, biases, hasBias, output } = maskedLmHead(config);
  const has = biases?.(config) ?? { dense: true, norm: true };
  const list = specList();
  if (dense !== undefined) list.linear(dense, config.hiddenSize, config.hiddenSize, has.dense);
  if (norm !== undefined) list.norm(norm, config.hiddenSize, has.norm);
  const own = output?.(config);
  if (own !== undefined) list.add(own, "matrix", config.vocabSize, config.hiddenSize);
  if (hasBias?.(config) !== false) list.add(bias, "bias", config.vocabSize);
  return list.specs;
}

/**
 * Loads a Hugging Face checkpoint. One without a head (`BertModel`) gets a new one.
 *
 * @param engine Holds the weights until they are freed.
 * @param path The folder.
 * @param options Whether and how it is trained, and how long texts may be.
 * @returns The model, for `maskedLmObjective`.
 * @throws {CheckpointError} A file is missing or damaged, or the architecture is not supported.
 */
export async function loadMaskedLm(
  engine: Engine,
  path: string,
  options: LoadMaskedLmOptions = {},
): Promise<MaskedLm> {
  return await wholeOrNothing(engine, (engine) => readMaskedLm(engine, path, options));
}

async function readMaskedLm(
  engine: Engine,
  path: string,
  options: LoadMaskedLmOptions,
): Promise<MaskedLm> {
  const { trained = false, freeze, seed = 0 } = options;
  const folder = await readFolder(path);
  const { weights } = folder;
  const config = parseConfig(folder.config, join(weights, "config.json"));
  const tokenizer = await loadModelTokenizer(folder.tokenizer, config);
  const reader = await openWeights(weights);
  try {
    const parameters = await readMaskedLmParameters(engine, config, reader, weights, {
      seed,
      trained: trained
        ? trainedBy(freeze, config, [...familyOf(config).tensors(config).keys(), ...headSpecs(config).keys()])
        : undefined,
    });
    return {
      ...parameters,
      tokenizer,
      maxSeqLength: options.maxSeqLength ?? folder.maxSeqLength,
      config: folder.config,
    };
  } finally {
    reader.close();
  }
}

/** A new model at random (N(0, .02) as BERT's), to be trained. `json` is its `config.json`. */
export async function initMaskedLm(
  engine: Engine,
  json: Readonly<Record<string, unknown>>,
  tokenizer: Tokenizer,
  seed: number,
): Promise<MaskedLm> {
  const config = parseConfig(json, "config.json");
  const initial = randomInitial(seed);
  const { tensors, joined, longest } = familyOf(config);
  const encoder = await makeParameters(engine, tensors(config), initial, () => true, joined(config));
  const head = await makeParameters(engine, headSpecs(config), initial, () => true);
  return {
    encoder: { config, parameters: encoder },
    parameters: { ...encoder, ...head },
    tokenizer,
    maxSeqLength: longest(config),
    config: json,
  };
}

/** The tensors of encoder and head, from an open checkpoint. `where` is for errors. */
export async function readMaskedLmParameters(
  engine: Engine,
  config: EncoderConfig,
  reader: TensorReader,
  where: string,
  options: { readonly seed: number; readonly trained: Trained },
): Promise<Pick<MaskedLm, "encoder" | "parameters">> {
  const { tensors, joined } = familyOf(config);
  const read = fromCheckpoint(reader, prefixesOf(config), where);
  const encoder = await makeParameters(engine, tensors(config), read, options.trained, joined(config));
  const head = await readHead(engine, config, reader, where, options);
  return { encoder: { config, parameters: encoder }, parameters: { ...encoder, ...head } };
}

/** The tensors of the head, from an open checkpoint; new ones if it has none. */
export async function readHead(
  engine: Engine,
  config: EncoderConfig,
  reader: TensorReader,
  where: string,
  options: { readonly seed: number; readonly trained: Trained },
): Promise<Parameters> {
  const prefixes = prefixesOf(config);
  const specs = headSpecs(config);
  const present = [...specs.keys()].filter((name) => storedName(reader, prefixes, name) !== undefined);
  if (present.length > 0 && present.length < specs.size) {
    throw new CheckpointError("the head of the masked language model is incomplete", {
      where,
      expected: [...specs.keys()].join(", "),
      found: present.join(", "),
    });
  }
  await checkTied(reader, config, where);
  const initial = present.length > 0 ? fromCheckpoint(reader, prefixes, where) : randomInitial(options.seed);
  return await makeParameters(engine, specs, initial, options.trained);
}

/** An output layer of its own would be lost without a word: it is refused, unless the family knows it. */
async function checkTied(reader: TensorReader, config: EncoderConfig, where: string): Promise<void> {
  if (maskedLmHead(config).output?.(config) !== undefined) return;
  const names = [
    "cls.predictions.decoder.weight",
    "lm_head.decoder.weight",
    "vocab_projector.weight",
    "decoder.weight",
    "lm_head.weight",
  ];
  const decoder = names.find((name) => reader.tensors.has(name));
  const table = storedName(reader, prefixesOf(config), familyOf(config).wordTable);
  if (decoder === undefined || table === undefined) return;
  const [a, b] = [await reader.readF32(decoder), await reader.readF32(table)];
  if (a.length === b.length && a.every((value, i) => value === b[i])) return;
  throw new CheckpointError("the output layer is not that of the word embeddings", {
    where: `${where}, tensor ${decoder}`,
    expected: `the values of ${table}`,
    hint: "models with tie_word_embeddings false are not supported",
  });
}

/** Mean cross-entropy of the tokens at `positions` [m], whose true ids are `targets` [m]: {@linkcode headLoss} of them. */
export function maskedLmLoss(
  tape: Tape,
  model: Pick<MaskedLm, "encoder" | "parameters">,
  tokens: Tensor,
  positions: Handle,
  targets: Handle,
): Tensor {
  return headLoss(tape, model.encoder.config, model.parameters, embedding(tape, tokens, positions), targets);
}

/**
 * u = LN(f(x Wᵀ + b)), logits = u Eᵀ + c with E the word embeddings, or an output layer of its own; mean cross-entropy over
 * the rows whose target is not −1. x [m, H], targets i32 [m] → [1]
 */
export function headLoss(
  tape: Tape,
  config: EncoderConfig,
  parameters: Parameters,
  x: Tensor,
  targets: Handle,
): Tensor {
  const { dense, norm, bias, activation, output } = maskedLmHead(config);
  let u = dense === undefined ? x : project(tape, parameters, dense, x, activation(config));
  if (norm !== undefined) {
    u = layerNorm(tape, u, parameters[`${norm}.weight`]!, parameters[`${norm}.bias`], config.layerNormEpsilon);
  }
  const weight = parameters[output?.(config) ?? familyOf(config).wordTable]!;
  return linearCrossEntropy(tape, u, weight, parameters[bias], targets);
}

/**
 * Writes the model as transformers' `…ForMaskedLM` does, whole or not at all; a folder that was there is replaced. With
 * `half`, weights are rounded to 16 bits.
 *
 * @param engine The one that it was loaded on.
 * @param model The model.
 * @param path The folder.
 * @param half Weights are rounded to 16 bits. Default false.
 * @returns When all is on the disk.
 * @throws {CheckpointError} The folder cannot be written.
 */
export async function saveMaskedLm(engine: Engine, model: MaskedLm, path: string, half = false): Promise<void> {
  const { prefix, maskedLm } = familyOf(model.encoder.config);
  const head = headSpecs(model.encoder.config);
  const tensors: TensorToWrite[] = (await readParameters(engine, model.parameters))
    .map((tensor) => ({
      ...tensor,
      name: head.has(tensor.name) ? tensor.name : prefix + tensor.name,
      dtype: half ? "F16" : "F32",
    }));
  const config = {
    ...model.config,
    architectures: [`${classOf(model.encoder.config)}ForMaskedLM`],
    tie_word_embeddings: maskedLm?.output?.(model.encoder.config) === undefined,
  };
  await replaceFolder(path, async (temporary) => {
    await writeJson(join(temporary, "config.json"), config);
    for (const [name, bytes] of model.tokenizer.files) await Deno.writeFile(join(temporary, name), bytes);
    await writeSafetensors(join(temporary, "model.safetensors"), tensors);
  });
}
