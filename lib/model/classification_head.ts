/**
 * The heads that transformers' `…ForSequenceClassification` put on the first token of a sequence.
 *
 * With x the features of that token, f tanh (DistilBERT: ReLU): logits = W₂ drop(f(W₁ drop(x) + b₁)) + b₂, where the inner
 * drop is RoBERTa's and MPNet's alone. W₁ [H, H] is BERT's pretrained pooler; elsewhere it is new with the classifier.
 *
 * @module
 */
import type { Handle } from "../engine/engine.ts";
import { dropout, layerNorm } from "../tensor/ops.ts";
import type { Tape } from "../tensor/tape.ts";
import type { Parameters, Tensor } from "../tensor/tensor.ts";
import { CheckpointError } from "../error.ts";
import type { Encoder, TrainingKey } from "./batch.ts";
import type { EncoderConfig } from "./config.ts";
import type { ClassificationHead } from "./families/family.ts";
import { familyOf } from "./families/mod.ts";
import { dropoutFor, project } from "./layers.ts";
import { specList, type TensorSpecs } from "./tensor_specs.ts";

/** The head of the family. */
export function headOf(config: EncoderConfig, where: string): ClassificationHead {
  const { classification } = familyOf(config);
  if (classification !== undefined) return classification;
  throw new CheckpointError("models of this type have no head for scores of pairs", { where, found: config.family });
}

/** Every tensor of the head. */
export function classificationHeadSpecs(
  { dense, out, norm, biases }: ClassificationHead,
  config: EncoderConfig,
  labels: number,
): TensorSpecs {
  const has = biases?.(config) ?? { dense: true, norm: true };
  const list = specList();
  list.linear(dense, config.hiddenSize, config.hiddenSize, has.dense);
  if (norm !== undefined) list.norm(norm, config.hiddenSize, has.norm);
  list.linear(out, labels, config.hiddenSize);
  return list.specs;
}

/** Dropout of the head, as the family's class reads it from `config.json`. */
export function classifierDropout(
  head: ClassificationHead,
  config: EncoderConfig,
  json: Readonly<Record<string, unknown>>,
): number {
  const { name, fallback } = head.dropout(config);
  const rate = name === undefined ? undefined : json[name];
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

/** Features of each pair [n, H] → logits [n, labels] */
export function classify(
  tape: Tape,
  { dense, out, norm, activation, dropsInput }: ClassificationHead,
  { config }: Encoder,
  parameters: Parameters,
  x: Tensor,
  { rate, places, training }: HeadDropout,
): Tensor {
  const drop = dropoutFor(places, training);
  const input = dropsInput ? dropout(tape, x, drop(rate, "classifier-dropout", 0)) : x;
  let hidden = project(tape, parameters, dense, input, activation(config));
  if (norm !== undefined) {
    hidden = layerNorm(
      tape,
      hidden,
      parameters[`${norm}.weight`]!,
      parameters[`${norm}.bias`],
      config.layerNormEpsilon,
    );
  }
  return project(tape, parameters, out, dropout(tape, hidden, drop(rate, "classifier-dropout", 1)));
}
