/**
 * The heads that transformers' `…ForSequenceClassification` put on the first token of a sequence.
 *
 * With x the features of that token, f tanh (DistilBERT: ReLU): logits = W₂ drop(f(W₁ drop(x) + b₁)) + b₂, where the inner
 * drop is RoBERTa's and MPNet's alone. W₁ [H, H] is BERT's pretrained pooler; elsewhere it is new with the classifier.
 *
 * @module
 */
import type { Activation, Handle } from "../engine/engine.ts";
import { dropout } from "../tensor/ops.ts";
import type { Tape } from "../tensor/tape.ts";
import type { Parameters, Tensor } from "../tensor/tensor.ts";
import type { EncoderConfig, Family } from "./config.ts";
import type { TrainingKey } from "./batch.ts";
import { dropoutFor, project } from "./layers.ts";

/** What a family calls its head, without `.weight` and `.bias`. */
export interface ClassificationHead {
  /** W₁ */
  readonly dense: string;
  /** W₂ */
  readonly out: string;
  /** Between them. */
  readonly activation: Activation;
  /** Whether W₁ belongs to the encoder, and a checkpoint without a classifier may have it. */
  readonly pretrained: boolean;
  /** Whether x is dropped as well. */
  readonly dropsInput: boolean;
}

const ROBERTA: ClassificationHead = {
  dense: "classifier.dense",
  out: "classifier.out_proj",
  activation: "tanh",
  pretrained: false,
  dropsInput: true,
};

/** The head of each family. */
export const CLASSIFICATION_HEADS: Readonly<Record<Family, ClassificationHead>> = {
  bert: { dense: "pooler.dense", out: "classifier", activation: "tanh", pretrained: true, dropsInput: false },
  distilbert: { dense: "pre_classifier", out: "classifier", activation: "relu", pretrained: false, dropsInput: false },
  roberta: ROBERTA,
  "xlm-roberta": ROBERTA,
  mpnet: ROBERTA,
};

/** Every tensor of the head and its shape. */
export function classificationHeadShapes(
  { family, hiddenSize }: EncoderConfig,
  labels: number,
): ReadonlyMap<string, readonly number[]> {
  const { dense, out } = CLASSIFICATION_HEADS[family];
  return new Map<string, readonly number[]>([
    [`${dense}.weight`, [hiddenSize, hiddenSize]],
    [`${dense}.bias`, [hiddenSize]],
    [`${out}.weight`, [labels, hiddenSize]],
    [`${out}.bias`, [labels]],
  ]);
}

/** Dropout of the head, as the family's class reads it from `config.json`. */
export function classifierDropout(config: EncoderConfig, json: Readonly<Record<string, unknown>>): number {
  if (config.family === "mpnet") return config.hiddenDropout;
  const [name, fallback] = config.family === "distilbert"
    ? ["seq_classif_dropout", 0.2]
    : ["classifier_dropout", config.hiddenDropout];
  const rate = json[name];
  return typeof rate === "number" ? rate : fallback;
}

/** Dropout of {@linkcode classify}. */
export interface HeadDropout {
  /** Share of features set to 0. */
  readonly rate: number;
  /** i32 [n, 2] stream and position of each first token. */
  readonly places: Handle;
  /** Undefined: nothing is dropped. */
  readonly training: TrainingKey | undefined;
}

/** First tokens [n, H] → logits [n, labels] */
export function classify(
  tape: Tape,
  family: Family,
  parameters: Parameters,
  first: Tensor,
  { rate, places, training }: HeadDropout,
): Tensor {
  const { dense, out, activation, dropsInput } = CLASSIFICATION_HEADS[family];
  const drop = dropoutFor(places, training);
  const input = dropsInput ? dropout(tape, first, drop(rate, "classifier-dropout", 0)) : first;
  const hidden = project(tape, parameters, dense, input, activation);
  return project(tape, parameters, out, dropout(tape, hidden, drop(rate, "classifier-dropout", 1)));
}
