/**
 * The cross-encoder: reads two texts as one sequence, and gives the pair a score or classes.
 *
 * @module
 */
import { join } from "node:path";
import { openWeights } from "../checkpoint/adapter.ts";
import {
  parseActivation,
  readCrossEncoderFolder,
  type ScoreActivation,
  writeCrossEncoderFolder,
} from "../checkpoint/cross_encoder.ts";
import type { TensorReader } from "../checkpoint/safetensors.ts";
import type { Engine } from "../engine/engine.ts";
import { CheckpointError, UsageError } from "../error.ts";
import { expectWholeNumber } from "../expect.ts";
import type { Tape } from "../tensor/tape.ts";
import type { Parameters, Tensor } from "../tensor/tensor.ts";
import { type PairTemplate, withoutTypes } from "../text/pair_template.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { classificationHeadSpecs, classifierDropout, classify, headOf, headRows } from "./classification_head.ts";
import type { DeviceBatch, Encoder, TrainingKey } from "./batch.ts";
import { encode, encodeRows } from "./encoder.ts";
import type { ClassificationHead, HeadPooling } from "./families/family.ts";
import { classOf, familyOf, parseConfig, prefixesOf } from "./families/mod.ts";
import { trainedBy } from "./freeze.ts";
import { type LoraSettings, makeAdapters, mergedTensors } from "./lora.ts";
import { loadModelTokenizer } from "./model_tokenizer.ts";
import {
  freeParameters,
  fromCheckpoint,
  makeParameters,
  randomInitial,
  readParameters,
  storedName,
  type Trained,
} from "./parameters.ts";
import type { Initial } from "./tensor_specs.ts";
import { wholeOrNothing } from "../engine/whole.ts";

/** A model that gives a pair of texts one score, or one for each of several classes. */
export interface CrossEncoder {
  /** Token features. */
  readonly encoder: Encoder;
  /** All tensors: the encoder's and its pooler's under their plain names, the classifier's under those of the checkpoint. */
  readonly parameters: Parameters;
  /** Its tokenizer. */
  readonly tokenizer: Tokenizer;
  /** What stands around the two texts. */
  readonly pair: PairTemplate;
  /** Labels: 1 for a score, else classes. */
  readonly labels: number;
  /** What is done to logits when scores are predicted. */
  readonly activation: ScoreActivation;
  /** Longest sequence in tokens, special ones included. */
  readonly maxSeqLength: number;
  /** Its head for scores. */
  readonly head: ClassificationHead;
  /** Dropout of the head in training. */
  readonly dropout: number;
  /** Texts put before the first text of a pair, by name. */
  readonly prompts: Readonly<Record<string, string>>;
  /** The one that is used when none is named. */
  readonly defaultPromptName: string | undefined;
  /** `config.json`, to be saved again. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** Options of {@linkcode loadCrossEncoder}. */
export interface LoadCrossEncoderOptions {
  /** Labels of a new head; a checkpoint with a classifier must have so many. Default: the checkpoint's, else 1. */
  readonly labels?: number | undefined;
  /** Instead of the folder's: what is done to logits. Default of a new head: sigmoid for 1 label, else nothing. */
  readonly activation?: ScoreActivation | undefined;
  /**
   * Whether gradients are wanted. Default false: an engine may then keep the weights of linear layers as products take them, and
   * `read` them, but not slice, transpose or multiply them otherwise.
   */
  readonly trained?: boolean;
  /** See `trainedBy`. */
  readonly freeze?: string | undefined;
  /** Train adapters of low rank instead of the encoder's weights; the head is trained as it is. */
  readonly lora?: LoraSettings | undefined;
  /** Overrides the folder's limit. */
  readonly maxSeqLength?: number | undefined;
  /** Seed of a new head, N(0, .02) and biases of 0, and of adapters. Default 0. */
  readonly seed?: number;
  /** Puts a new head on a checkpoint that has one, of as many labels as are wanted. Default false. */
  readonly newHead?: boolean | undefined;
  /** Refuses a checkpoint that has no head yet: a new one knows nothing, and its scores mean nothing. Default false. */
  readonly requireHead?: boolean | undefined;
}

/**
 * Loads a cross-encoder: a sequence classifier of transformers, or a folder of sentence-transformers' CrossEncoder. From
 * any other checkpoint of an encoder, or a bi-encoder's folder, it makes one with a new head; BERT's pretrained pooler is
 * kept where there is one.
 *
 * @param engine Holds the weights until they are freed.
 * @param path The folder; a model of the hub comes into one by `fetchSnapshot`.
 * @param options How many labels a new head has, whether and how it is trained.
 * @returns The model, for `predict`, `rank`, `pairScorer` and `crossEncoderObjective`.
 * @throws {CheckpointError} A file is missing or damaged, the architecture is not supported, or there is another
 *   number of labels.
 * @throws {UsageError} `maxSeqLength` is no whole number from 1.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import { loadCrossEncoder } from "@kindred/kindred/model";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const model = await loadCrossEncoder(engine, await sampleBaseModel(), { labels: 2, seed: 1 });
 * assert.deepEqual(model.parameters["classifier.weight"]!.value.shape, [2, 128]);
 * engine.close();
 * ```
 */
export async function loadCrossEncoder(
  engine: Engine,
  path: string,
  options: LoadCrossEncoderOptions = {},
): Promise<CrossEncoder> {
  return await wholeOrNothing(engine, (engine) => readCrossEncoder(engine, path, options));
}

async function readCrossEncoder(
  engine: Engine,
  path: string,
  options: LoadCrossEncoderOptions,
): Promise<CrossEncoder> {
  const { trained = false, freeze, seed = 0, lora } = options;
  if (options.maxSeqLength !== undefined) expectWholeNumber("maxSeqLength", options.maxSeqLength);
  const folder = await readCrossEncoderFolder(path);
  const { weights } = folder;
  const found = parseConfig(folder.config, join(weights, "config.json"));
  if (options.requireHead === true && !folder.isClassifier) {
    throw new CheckpointError("the model has no trained head: its scores would mean nothing", {
      where: path,
      expected: "a cross-encoder (architectures: …ForSequenceClassification)",
      found: JSON.stringify(folder.config["architectures"] ?? null),
      hint:
        "train one from it with pipelines/cross_encoder.ts, or name one such as cross-encoder/ms-marco-MiniLM-L6-v2",
    });
  }
  const isClassifier = folder.isClassifier && options.newHead !== true;
  const labels = labelsFor(options.labels, isClassifier ? folder.labels : undefined, path);
  const tokenizer = await loadModelTokenizer(folder.tokenizer, found);
  const family = familyOf(found);
  const head = headOf(found, weights);
  const own = folder.isClassifier && !isClassifier ? withoutLabels(folder.config) : folder.config;
  const json = folder.isClassifier ? own : withPadding(own, head.pooling?.(found), tokenizer);
  const config = parseConfig(json, join(weights, "config.json"));
  const [specs, headSpecs] = [family.tensors(config), classificationHeadSpecs(head, config, labels)];
  const isTrained = trainedBy(freeze, config, [...specs.keys(), ...headSpecs.keys()]);
  const wanted: Trained = trained || lora !== undefined ? (name) => trained && isTrained(name) : undefined;
  const reader = await openWeights(weights);
  try {
    const read = fromCheckpoint(reader, prefixesOf(config), weights);
    const ofEncoder = lora === undefined ? wanted : () => false;
    const encoder = await makeParameters(engine, specs, read, ofEncoder, family.joined(config));
    const adapters = lora &&
      await makeAdapters(engine, { parameters: encoder, specs }, lora, { seed, wanted: isTrained });
    const random = randomInitial(seed, deviationOf(folder.config));
    const initial = isClassifier
      ? read
      : folder.isClassifier
      ? lastLayerInitial(head, read, random)
      : headInitial(reader, head, prefixesOf(config), read, random);
    const ofHead = await makeParameters(engine, headSpecs, initial, wanted);
    return {
      encoder: { config, parameters: encoder, adapters },
      parameters: { ...encoder, ...adapters?.parameters, ...ofHead },
      tokenizer,
      pair: config.typeVocabSize > 1 ? tokenizer.pair : withoutTypes(tokenizer.pair),
      labels,
      activation: options.activation ?? parseActivation(isClassifier ? folder.activation : undefined, labels, path),
      maxSeqLength: options.maxSeqLength ?? folder.maxSeqLength,
      head,
      dropout: classifierDropout(head, config, json),
      prompts: folder.prompts,
      defaultPromptName: folder.defaultPromptName,
      config: json,
    };
  } finally {
    reader.close();
  }
}

function labelsFor(wanted: number | undefined, found: number | undefined, where: string): number {
  if (wanted !== undefined && !(Number.isInteger(wanted) && wanted >= 1)) {
    throw new UsageError("a cross-encoder has one label or more", { expected: "a whole number", found: `${wanted}` });
  }
  if (wanted !== undefined && found !== undefined && wanted !== found) {
    throw new CheckpointError("the checkpoint has another number of labels", {
      where,
      expected: `${wanted}`,
      found: `${found}`,
      hint: "leave the number of labels out, or start from a model without a classifier",
    });
  }
  return wanted ?? found ?? 1;
}

/**
 * A new head on the last token asks the configuration what padding is: language models often do not say, and transformers
 * would take one pair at a time.
 */
function withPadding(
  json: Readonly<Record<string, unknown>>,
  pooling: HeadPooling | undefined,
  { special: { pad } }: Tokenizer,
): Readonly<Record<string, unknown>> {
  const isOpen = pooling === "last" && pad !== undefined && (json["pad_token_id"] ?? null) === null;
  return isOpen ? { ...json, pad_token_id: pad } : json;
}

/** A new head; the pretrained pooler of the checkpoint in it, where there is one. */
function headInitial(
  reader: TensorReader,
  { dense, pretrained }: ClassificationHead,
  prefixes: readonly string[],
  read: Initial,
  random: Initial,
): Initial {
  const isThere = pretrained && storedName(reader, prefixes, `${dense}.weight`) !== undefined;
  return (name, spec) => (isThere && name.startsWith(`${dense}.`) ? read : random)(name, spec);
}

/** A trained head whose last layer is a new one: what it made of the tokens is kept, and what it called the pairs is not. */
function lastLayerInitial({ out }: ClassificationHead, read: Initial, random: Initial): Initial {
  return (name, spec) => (name.startsWith(`${out}.`) ? random : read)(name, spec);
}

/** The configuration without names of classes, which a new head does not have. */
function withoutLabels(json: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { id2label: _1, label2id: _2, ...rest } = json;
  return rest;
}

function deviationOf(config: Readonly<Record<string, unknown>>): number {
  const range = config["initializer_range"];
  return typeof range === "number" && range > 0 ? range : 0.02;
}

/** Logits [n, labels] of packed pairs. */
export function score(tape: Tape, model: CrossEncoder, batch: DeviceBatch, training?: TrainingKey): Tensor {
  const { encoder, head, parameters, dropout: rate } = model;
  // In training all tokens go all the way: sums over fewer rows are rounded otherwise, and a judge that was trained before
  // would not come again to the last bit.
  const rows = training === undefined ? headRows(head, encoder.config, batch.packed) : undefined;
  const tokens = rows === undefined ? encode(tape, encoder, batch, training) : encodeRows(tape, encoder, batch, rows);
  return classify(tape, head, encoder, parameters, tokens, batch, { rate, training, isPooled: rows !== undefined });
}

/**
 * Writes the model as a folder that transformers loads as a sequence classifier, and sentence-transformers as a
 * CrossEncoder; whole or not at all, with its adapters merged into its weights.
 *
 * @param engine The one that it was loaded on.
 * @param model The model.
 * @param path The folder.
 * @param modelCard The text of its README.md.
 * @returns When all is on the disk.
 * @throws {CheckpointError} The folder cannot be written.
 */
export async function saveCrossEncoder(
  engine: Engine,
  model: CrossEncoder,
  path: string,
  modelCard: string,
): Promise<void> {
  const { prefix } = familyOf(model.encoder.config);
  const { config, labels, activation, maxSeqLength, prompts, defaultPromptName, tokenizer } = model;
  const { head } = model;
  const ofHead = new Set(classificationHeadSpecs(head, model.encoder.config, labels).keys());
  const own = (name: string) => ofHead.has(name) && !(head.pretrained && name.startsWith(`${head.dense}.`));
  const { parameters, adapters } = model.encoder;
  const ofEncoder = new Set([...Object.keys(parameters), ...Object.keys(adapters?.parameters ?? {})]);
  const rest = Object.fromEntries(Object.entries(model.parameters).filter(([name]) => !ofEncoder.has(name)));
  const all = [...await mergedTensors(engine, parameters, adapters), ...await readParameters(engine, rest)];
  const tensors = all.map((tensor) => own(tensor.name) ? tensor : { ...tensor, name: prefix + tensor.name });
  await writeCrossEncoderFolder(path, {
    config,
    architecture: `${classOf(model.encoder.config)}ForSequenceClassification`,
    labels,
    activation,
    maxSeqLength,
    prompts,
    defaultPromptName,
    tensors,
    tokenizerFiles: tokenizer.files,
    modelCard,
  });
}

/**
 * Gives the model's memory back. It must not be used afterwards.
 *
 * @param engine The one that it was loaded on.
 * @param model From {@linkcode loadCrossEncoder}.
 */
export function freeCrossEncoder(engine: Engine, model: CrossEncoder): void {
  freeParameters(engine, model.parameters);
}
