/**
 * The decoder of a denoising auto-encoder (TSDAE: Wang et al. 2021, arXiv 2104.06979): it writes a text again of which
 * it sees nothing but the embedding.
 *
 * Layers are the encoder's, with cross-attention between self-attention, which is causal, and the feed-forward net; on
 * top is the head of a masked language model, whose output layer is the word embeddings. What transformers calls
 * `…LMHeadModel` with `is_decoder` and `add_cross_attention`, here for every family of encoders.
 *
 * @module
 */
import { counted } from "../counted.ts";
import { join } from "node:path";
import { openWeights } from "../checkpoint/adapter.ts";
import { openTensors, writeSafetensors } from "../checkpoint/safetensors.ts";
import { readFolder } from "../checkpoint/sentence_transformers.ts";
import type { Dropout, Engine, Handle } from "../engine/engine.ts";
import { CheckpointError } from "../error.ts";
import { embedding, reshape, scaleRows } from "../tensor/ops.ts";
import type { Tape } from "../tensor/tape.ts";
import { constant, type Parameters, type Tensor } from "../tensor/tensor.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import type { BiEncoder } from "./bi_encoder.ts";
import { type DeviceBatch, type TrainingKey, uploadRows } from "./batch.ts";
import type { EncoderConfig } from "./config.ts";
import { familyOf, parseConfig, prefixesOf } from "./families/mod.ts";
import { dropoutFor, norm, project } from "./layers.ts";
import { headLoss, headSpecs, readHead } from "./masked_lm.ts";
import { loadModelTokenizer } from "./model_tokenizer.ts";
import {
  freeParameters,
  fromCheckpoint,
  makeParameters,
  prefixed,
  randomInitial,
  readParameters,
} from "./parameters.ts";
import { specList, type TensorSpecs } from "./tensor_specs.ts";
import { wholeOrNothing } from "../engine/whole.ts";

/** A decoder beside its bi-encoder. */
export interface DenoisingDecoder {
  /** Its shape. */
  readonly config: EncoderConfig;
  /** Whether embeddings and layers are the encoder's own tensors. */
  readonly tied: boolean;
  /** All tensors it computes with, under the names of their checkpoint; shared ones are the encoder's. */
  readonly tensors: Parameters;
  /** Those that are its own, under the names they are trained and saved by: `decoder/…`. */
  readonly parameters: Parameters;
  /** The tokenizer of what it writes. */
  readonly tokenizer: Tokenizer;
}

/** Options of {@linkcode loadDenoisingDecoder}. */
export interface DenoisingDecoderOptions {
  /**
   * Whether all tensors of equal name are shared with the encoder, so that both are trained as one. Default true. If
   * not, they are read again, from `path`.
   */
  readonly tie?: boolean;
  /** Seed of what is new: the cross-attention, and a head that the checkpoint lacks. Default 0. */
  readonly seed?: number;
  /**
   * Which of its own tensors are trained, by their checkpoint names. Default: all. Cross-attention always is: a layer
   * that is frozen in the encoder has a new one all the same.
   */
  readonly trained?: (name: string) => boolean;
  /** A file by `saveDenoisingDecoder`: all its own tensors are read from it. */
  readonly saved?: string | undefined;
}

const OWN = "decoder/";

/**
 * The decoder for a bi-encoder, from the checkpoint at `path`: that of the bi-encoder, or any other of the same width if
 * nothing is tied. The head is the checkpoint's if it has one (`cls.predictions`, `lm_head`, …), else new.
 * Cross-attention is new: N(0, .02), biases 0.
 *
 * The embedding must be as wide as the decoder: one pooling mode, no dense layer; else `CheckpointError`.
 *
 * @param engine Holds the weights until they are freed.
 * @param model The encoder, to be trained.
 * @param path The checkpoint that the decoder starts from.
 * @param options Whether encoder and decoder share their weights, and the seed of what is new.
 * @returns The decoder, for `denoisingObjective`.
 * @throws {CheckpointError} The embedding is not as wide as the decoder, or the checkpoint does not fit.
 */
export async function loadDenoisingDecoder(
  engine: Engine,
  model: BiEncoder,
  path: string,
  options: DenoisingDecoderOptions = {},
): Promise<DenoisingDecoder> {
  return await wholeOrNothing(engine, (engine) => readDenoisingDecoder(engine, model, path, options));
}

async function readDenoisingDecoder(
  engine: Engine,
  model: BiEncoder,
  path: string,
  options: DenoisingDecoderOptions,
): Promise<DenoisingDecoder> {
  const { tie = true, seed = 0, saved } = options;
  const folder = await readFolder(path);
  const { weights } = folder;
  const config = tie ? model.encoder.config : parseConfig(folder.config, join(weights, "config.json"));
  if (model.width !== config.hiddenSize) {
    throw new CheckpointError("the embedding is not as wide as the decoder", {
      where: path,
      expected: counted(config.hiddenSize, "feature"),
      found: `${model.width}`,
      hint: "pool in one mode, without a dense layer",
    });
  }
  const tokenizer = tie ? model.tokenizer : await loadModelTokenizer(folder.tokenizer, config);
  const family = familyOf(config);
  const copied: TensorSpecs = tie ? new Map() : family.tensors(config);
  const joined = tie ? undefined : family.joined(config);
  const added = crossAttentionSpecs(config, path);
  const trained = (name: string) => added.has(name) || (options.trained?.(name) ?? true);
  const reader = await (saved === undefined ? openWeights(weights) : openTensors(saved));
  try {
    const read = fromCheckpoint(reader, saved === undefined ? prefixesOf(config) : [OWN], saved ?? weights);
    let own: Parameters;
    if (saved !== undefined) {
      own = await makeParameters(engine, new Map([...copied, ...added, ...headSpecs(config)]), read, trained, joined);
    } else {
      own = {
        ...await makeParameters(engine, copied, read, trained, joined),
        ...await makeParameters(engine, added, randomInitial(seed), trained),
        ...await readHead(engine, config, reader, weights, { seed: seed + 1, trained }),
      };
    }
    const parameters = prefixed(own, OWN);
    const tensors = tie ? { ...model.encoder.parameters, ...own } : own;
    return { config, tied: tie, tensors, parameters, tokenizer };
  } finally {
    reader.close();
  }
}

/**
 * Writes its own tensors as one safetensors file; those it shares are in the model's folder.
 *
 * @param engine The one that it was loaded on.
 * @param decoder The decoder.
 * @param file The safetensors file.
 * @returns When it is on the disk.
 */
export async function saveDenoisingDecoder(engine: Engine, decoder: DenoisingDecoder, file: string): Promise<void> {
  await writeSafetensors(file, await readParameters(engine, decoder.parameters));
}

/**
 * Gives the memory of its own tensors back; what it shares with the encoder is the model's.
 *
 * @param engine The one that it was loaded on.
 * @param decoder From {@linkcode loadDenoisingDecoder}.
 */
export function freeDenoisingDecoder(engine: Engine, decoder: DenoisingDecoder): void {
  freeParameters(engine, decoder.parameters);
}

/** Names of the cross-attention of layer `i`, as BERT's and RoBERTa's decoders have them. */
function crossAttentionNames(config: EncoderConfig, i: number): { value: string; output: string; norm: string } {
  const layer = familyOf(config).crossAttention!.name(i);
  return { value: `${layer}.self.value`, output: `${layer}.output.dense`, norm: `${layer}.output.LayerNorm` };
}

/**
 * What the cross-attention of all layers is made of. There is nothing to choose among one key: queries and keys would
 * have no effect and no gradient, so there are none.
 */
export function crossAttentionSpecs(config: EncoderConfig, where: string): TensorSpecs {
  if (familyOf(config).crossAttention === undefined) {
    throw new CheckpointError("models of this type cannot be the decoder of a denoising auto-encoder", {
      where,
      found: config.family,
    });
  }
  const list = specList();
  for (let i = 0; i < config.layers; i++) {
    const { value, output, norm } = crossAttentionNames(config, i);
    for (const name of [value, output]) list.linear(name, config.hiddenSize, config.hiddenSize);
    list.norm(norm, config.hiddenSize);
  }
  return list.specs;
}

/**
 * Mean cross-entropy of the next token over all tokens of all texts, given the embedding of each.
 *
 * `embeddings` [n, H], `input` n sequences of T tokens, `targets` i32 [T] what follows each of them (−1: does not count)
 * → [1]. See `nextTokens`.
 */
export function denoisingLoss(
  tape: Tape,
  decoder: DenoisingDecoder,
  embeddings: Tensor,
  input: DeviceBatch,
  targets: Handle,
  training?: TrainingKey,
): Tensor {
  const { config, tensors } = decoder;
  const parts = { config, parameters: tensors };
  const drop = dropoutFor(input.places, training);
  const sequences = uploadRows(tape.engine, sequenceOf(input.packed.offsets), input.capacity);
  const { embed, layers, crossAttention } = familyOf(config);
  const { drops } = crossAttention!;
  // Masks are told apart by layer: the encoder has the first numbers, then self-attention, then cross-attention.
  let x = embed(tape, parts, input, drop, config.layers);
  const layer = layers(tape, parts, input, drop);
  for (let i = 0; i < config.layers; i++) {
    const number = 2 * config.layers + i;
    const dropped = {
      attention: drop(config.attentionDropout, "attention-dropout", number),
      hidden: drops ? drop(config.hiddenDropout, "hidden-dropout", number) : undefined,
    };
    const between = (y: Tensor) => lookAtText(tape, decoder, i, y, embeddings, sequences, dropped);
    x = layer(x, i, { number: config.layers + i, causal: true, between });
  }
  return headLoss(tape, config, tensors, x, targets);
}

/**
 * Attention to one key has the probability 1 everywhere, so what is left of it is an affine map of the embedding:
 *
 * x ← LN(x + drop(Wₒ (Wᵥ r + bᵥ) + bₒ)), r the embedding of x's text
 *
 * once a text instead of once a token. Only dropout of that probability tells heads and positions apart: in training a
 * head is 0 with rate p, else divided by 1 − p, and Wₒ sees every token. x [T, H], r [n, H], sequences i32 [T] → [T, H]
 */
function lookAtText(
  tape: Tape,
  { config, tensors }: DenoisingDecoder,
  i: number,
  x: Tensor,
  embeddings: Tensor,
  sequences: Handle,
  dropped: { readonly attention: Dropout | undefined; readonly hidden: Dropout | undefined },
): Tensor {
  const { engine } = tape;
  const { heads, hiddenSize } = config;
  const names = crossAttentionNames(config, i);
  const value = project(tape, tensors, names.value, embeddings);
  let context: Tensor;
  if (dropped.attention === undefined) {
    context = embedding(tape, project(tape, tensors, names.output, value), sequences);
  } else {
    const tokens = x.value.shape[0]!;
    const ones = engine.full([tokens, heads], 1);
    const mask = engine.reshape(engine.dropout(ones, dropped.attention), [tokens * heads]);
    const parts = reshape(tape, embedding(tape, value, sequences), [tokens * heads, hiddenSize / heads]);
    const kept = reshape(tape, scaleRows(tape, parts, constant(mask)), [tokens, hiddenSize]);
    context = project(tape, tensors, names.output, kept);
  }
  return norm(tape, { config, parameters: tensors }, names.norm, context, x, dropped.hidden);
}

/** [n + 1] → [T]: the sequence of each token. */
function sequenceOf(offsets: Int32Array): Int32Array {
  const sequences = new Int32Array(offsets.at(-1)!);
  for (let i = 0; i + 1 < offsets.length; i++) sequences.fill(i, offsets[i]!, offsets[i + 1]!);
  return sequences;
}
