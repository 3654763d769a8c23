/**
 * The masked language model: an encoder that guesses tokens, with the word embeddings as its output layer.
 *
 * @module
 */
import { join } from "node:path";
import { replaceFolder, writeJson } from "../checkpoint/folder.ts";
import { openTensors, type TensorReader, type TensorToWrite, writeSafetensors } from "../checkpoint/safetensors.ts";
import { readFolder } from "../checkpoint/sentence_transformers.ts";
import type { Activation, Engine, Handle } from "../engine/engine.ts";
import { CheckpointError } from "../error.ts";
import { embedding, layerNorm, linear, linearCrossEntropy } from "../tensor/ops.ts";
import type { Tape } from "../tensor/tape.ts";
import type { Parameters, Tensor } from "../tensor/tensor.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { type EncoderConfig, type Family, parseConfig } from "./config.ts";
import type { Encoder } from "./batch.ts";
import { encoderShapes, firstPosition, joinedProjections, PREFIXES } from "./families.ts";
import { trainedBy } from "./freeze.ts";
import { loadModelTokenizer } from "./model_tokenizer.ts";
import { fromCheckpoint, makeParameters, randomInitial, readParameters, storedName } from "./parameters.ts";

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
  /** Whether gradients are wanted. Default false. */
  readonly trained?: boolean;
  /** See `trainedBy`. */
  readonly freeze?: string | undefined;
  /** Overrides the folder's limit. */
  readonly maxSeqLength?: number | undefined;
  /** Seed of a head that the checkpoint does not have. Default 0. */
  readonly seed?: number;
}

/** What the families call the parts of the head, and their class in transformers. */
interface Head {
  readonly dense: string;
  readonly norm: string;
  readonly bias: string;
  readonly architecture: string;
}

const LM_HEAD = { dense: "lm_head.dense", norm: "lm_head.layer_norm", bias: "lm_head.bias" };
const HEADS: Readonly<Record<Family, Head>> = {
  bert: {
    dense: "cls.predictions.transform.dense",
    norm: "cls.predictions.transform.LayerNorm",
    bias: "cls.predictions.bias",
    architecture: "BertForMaskedLM",
  },
  distilbert: {
    dense: "vocab_transform",
    norm: "vocab_layer_norm",
    bias: "vocab_projector.bias",
    architecture: "DistilBertForMaskedLM",
  },
  roberta: { ...LM_HEAD, architecture: "RobertaForMaskedLM" },
  "xlm-roberta": { ...LM_HEAD, architecture: "XLMRobertaForMaskedLM" },
  mpnet: { ...LM_HEAD, architecture: "MPNetForMaskedLM" },
};
const TABLE = "embeddings.word_embeddings.weight";

/** Every tensor of the head and its shape; the output layer's weight is the table of word embeddings. */
export function headShapes(config: EncoderConfig): ReadonlyMap<string, readonly number[]> {
  const { hiddenSize: h, vocabSize, family } = config;
  const { dense, norm, bias } = HEADS[family];
  return new Map<string, readonly number[]>([
    [`${dense}.weight`, [h, h]],
    [`${dense}.bias`, [h]],
    [`${norm}.weight`, [h]],
    [`${norm}.bias`, [h]],
    [bias, [vocabSize]],
  ]);
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
  const { trained = false, freeze, seed = 0 } = options;
  const folder = await readFolder(path);
  const weights = join(path, folder.transformerPath);
  const config = parseConfig(folder.config, join(weights, "config.json"));
  const tokenizer = await loadModelTokenizer(weights, config);
  const reader = await openTensors(weights);
  try {
    const parameters = await readMaskedLmParameters(engine, config, reader, weights, {
      seed,
      trained: trained
        ? trainedBy(freeze, config, [...encoderShapes(config).keys(), ...headShapes(config).keys()])
        : () => false,
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
  const encoder = await makeParameters(engine, encoderShapes(config), initial, () => true, joinedProjections(config));
  const head = await makeParameters(engine, headShapes(config), initial, () => true);
  return {
    encoder: { config, parameters: encoder },
    parameters: { ...encoder, ...head },
    tokenizer,
    maxSeqLength: config.positions - firstPosition(config),
    config: json,
  };
}

/** The tensors of encoder and head, from an open checkpoint. `where` is for errors. */
export async function readMaskedLmParameters(
  engine: Engine,
  config: EncoderConfig,
  reader: TensorReader,
  where: string,
  options: { readonly seed: number; readonly trained: (name: string) => boolean },
): Promise<Pick<MaskedLm, "encoder" | "parameters">> {
  const read = fromCheckpoint(reader, PREFIXES[config.family], where);
  const encoder = await makeParameters(engine, encoderShapes(config), read, options.trained, joinedProjections(config));
  const head = await readHead(engine, config, reader, where, options);
  return { encoder: { config, parameters: encoder }, parameters: { ...encoder, ...head } };
}

/** The tensors of the head, from an open checkpoint; new ones if it has none. */
export async function readHead(
  engine: Engine,
  config: EncoderConfig,
  reader: TensorReader,
  where: string,
  options: { readonly seed: number; readonly trained: (name: string) => boolean },
): Promise<Parameters> {
  const prefix = PREFIXES[config.family];
  const shapes = headShapes(config);
  const present = [...shapes.keys()].filter((name) => storedName(reader, prefix, name) !== undefined);
  if (present.length > 0 && present.length < shapes.size) {
    throw new CheckpointError("the head of the masked language model is incomplete", {
      where,
      expected: [...shapes.keys()].join(", "),
      found: present.join(", "),
    });
  }
  await checkTied(reader, config, where);
  const initial = present.length > 0 ? fromCheckpoint(reader, prefix, where) : randomInitial(options.seed);
  return await makeParameters(engine, shapes, initial, options.trained);
}

/** An output layer of its own would be lost without a word: it is refused. */
async function checkTied(reader: TensorReader, config: EncoderConfig, where: string): Promise<void> {
  const names = ["cls.predictions.decoder.weight", "lm_head.decoder.weight", "vocab_projector.weight"];
  const decoder = names.find((name) => reader.tensors.has(name));
  const table = [TABLE, PREFIXES[config.family] + TABLE].find((name) => reader.tensors.has(name));
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
 * u = LN(f(x Wᵀ + b)), logits = u Eᵀ + c with E the word embeddings; mean cross-entropy over the rows whose target is
 * not −1. x [m, H], targets i32 [m] → [1]
 */
export function headLoss(
  tape: Tape,
  config: EncoderConfig,
  parameters: Parameters,
  x: Tensor,
  targets: Handle,
): Tensor {
  const { dense, norm, bias } = HEADS[config.family];
  const own = (name: string) => parameters[name]!;
  const hidden = linear(tape, x, own(`${dense}.weight`), own(`${dense}.bias`), headActivation(config));
  const u = layerNorm(tape, hidden, own(`${norm}.weight`), own(`${norm}.bias`), config.layerNormEpsilon);
  return linearCrossEntropy(tape, u, own(TABLE), own(bias), targets);
}

/** BERT's and DistilBERT's heads have the activation of their layers, the others always have gelu. */
function headActivation({ family, activation }: EncoderConfig): Activation {
  return family === "bert" || family === "distilbert" ? activation : "gelu";
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
  const { family } = model.encoder.config;
  const head = headShapes(model.encoder.config);
  const tensors: TensorToWrite[] = (await readParameters(engine, model.parameters))
    .map((tensor) => ({
      ...tensor,
      name: head.has(tensor.name) ? tensor.name : PREFIXES[family] + tensor.name,
      dtype: half ? "F16" : "F32",
    }));
  const config = { ...model.config, architectures: [HEADS[family].architecture], tie_word_embeddings: true };
  await replaceFolder(path, async (temporary) => {
    await writeJson(join(temporary, "config.json"), config);
    for (const [name, bytes] of model.tokenizer.files) await Deno.writeFile(join(temporary, name), bytes);
    await writeSafetensors(join(temporary, "model.safetensors"), tensors);
  });
}
