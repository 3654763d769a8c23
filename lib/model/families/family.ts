/**
 * What a family of encoders is: everything that is special to it stands in one file of this folder.
 *
 * @module
 */
import type { TensorReader } from "../../checkpoint/safetensors.ts";
import type { Activation } from "../../engine/engine.ts";
import type { Tape } from "../../tensor/tape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { DeviceBatch, Encoder } from "../batch.ts";
import type { ConfigReader, EncoderConfig } from "../config.ts";
import type { DropoutAt } from "../layers.ts";
import type { Initial, Joined, TensorSpecs } from "../tensor_specs.ts";

/** Some rows of a batch. */
export interface SomeRows {
  /** Those of [C, H] that are wanted: [n, H]. */
  readonly pick: (rows: Tensor) => Tensor;
  /** Dropout of them: the same masks as where all are there. */
  readonly drop: DropoutAt;
}

/** All rows, with their dropout. */
export const allRows = (drop: DropoutAt): SomeRows => ({ pick: (rows) => rows, drop });

/** How a layer is run, beside its input. */
export interface LayerOptions {
  /** Number of its dropout masks: a decoder's layers have other ones than the encoder's. Default: the layer's own. */
  readonly number?: number;
  /** A token sees itself and what stands before it alone. Default: as the family does. */
  readonly causal?: boolean;
  /** What comes between attention and the feed-forward part: a decoder's look at the text that it decodes. */
  readonly between?: (x: Tensor) => Tensor;
  /** Which rows are wanted of what follows attention: the layer gives no others. Default: all. */
  readonly only?: SomeRows;
}

/** Layer `i` of an encoder, for one batch: [C, H] → [C, H], or the rows that are wanted. */
export type Layer = (x: Tensor, i: number, options?: LayerOptions) => Tensor;

/**
 * What a head sees of a sequence's tokens: the first one, their mean, the last one that is no padding, or the mean of what
 * the activation gives of each.
 */
export type HeadPooling = "cls" | "mean" | "last" | "late";

/** The head that transformers' `…ForSequenceClassification` puts on the tokens: names without `.weight`, `.bias`. */
export interface ClassificationHead {
  /** W₁; undefined: W₂ alone. */
  readonly dense?: string;
  /** W₂ */
  readonly out: string;
  /** Whether W₂ has a bias. Default: yes. */
  readonly hasOutBias?: boolean;
  /** Between them. */
  readonly activation: (config: EncoderConfig) => Activation;
  /** Whether W₁ belongs to the encoder, and a checkpoint without a classifier may have it. */
  readonly pretrained: boolean;
  /** Whether x is dropped as well. */
  readonly dropsInput: boolean;
  /** Whether W₁ and the normalisation have biases. Default: both. */
  readonly biases?: (config: EncoderConfig) => { readonly dense: boolean; readonly norm: boolean };
  /** A normalisation after the activation. */
  readonly norm?: string;
  /** What x is of the tokens. Default: the first one. */
  readonly pooling?: (config: EncoderConfig) => HeadPooling;
  /** Dropout of the head: its name in `config.json`, and what holds where that says nothing. */
  readonly dropout: (config: EncoderConfig) => { readonly name?: string; readonly fallback: number };
}

/** The head that transformers' `…ForMaskedLM` puts on every token. */
export interface MaskedLmHead {
  /** Its linear map; undefined: the output layer alone. */
  readonly dense?: string;
  /** Its normalisation. */
  readonly norm?: string;
  /** Its bias for each token of the vocabulary. */
  readonly bias: string;
  /** Whether there is such a bias. Default: yes. */
  readonly hasBias?: (config: EncoderConfig) => boolean;
  /** The output layer's weight, where that is not the table of word embeddings. Default: it is. */
  readonly output?: (config: EncoderConfig) => string | undefined;
  /** Between them. */
  readonly activation: (config: EncoderConfig) => Activation;
  /** Whether its linear map and its normalisation have biases. Default: both. */
  readonly biases?: (config: EncoderConfig) => { readonly dense: boolean; readonly norm: boolean };
}

/** A family of encoders. */
export interface Family {
  /** Its `model_type`s in `config.json`, and how transformers' classes of each begin. */
  readonly classes: Readonly<Record<string, string>>;
  /** Reads what is special in `config.json`. */
  readonly parse: (read: ConfigReader) => EncoderConfig;
  /** Prefix under which whole models keep their encoder. */
  readonly prefix: string;
  /** Prefixes that other libraries put there. */
  readonly otherPrefixes?: readonly string[];
  /** Every tensor of the encoder, as checkpoints have them. */
  readonly tensors: (config: EncoderConfig) => TensorSpecs;
  /** Those of them that are kept as one. */
  readonly joined: (config: EncoderConfig) => Joined;
  /** Reads checkpoints that keep the values otherwise; undefined for one that does not. */
  readonly initial?: (reader: TensorReader, where: string) => Initial | undefined;
  /** The table of word embeddings among them. */
  readonly wordTable: string;
  /** Token ids → x₀ [C, H] */
  readonly embed: (tape: Tape, encoder: Encoder, batch: DeviceBatch, drop: DropoutAt, number?: number) => Tensor;
  /** The layers for a batch, with what they share. */
  readonly layers: (tape: Tape, encoder: Encoder, batch: DeviceBatch, drop: DropoutAt) => Layer;
  /** What follows the last layer, if anything does. */
  readonly finish?: (tape: Tape, encoder: Encoder, x: Tensor) => Tensor;
  /** Floats of activations and their gradients per token, an upper estimate. */
  readonly floatsPerToken: (config: EncoderConfig) => number;
  /** Longest sequence in tokens. */
  readonly longest: (config: EncoderConfig) => number;
  /** For scores of pairs. */
  readonly classification?: ClassificationHead;
  /** For masked language modelling. */
  readonly maskedLm?: MaskedLmHead;
  /** If the family can be a decoder: the name of the cross-attention of layer `i`, and whether its result is dropped. */
  readonly crossAttention?: { readonly name: (i: number) => string; readonly drops: boolean };
}
