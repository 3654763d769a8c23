/**
 * The heads that transformers' `…ForSequenceClassification` put on the first token of a sequence.
 *
 * With x the features of that token, f tanh (DistilBERT: ReLU): logits = W₂ drop(f(W₁ drop(x) + b₁)) + b₂, where the inner
 * drop is RoBERTa's and MPNet's alone. W₁ [H, H] is BERT's pretrained pooler; elsewhere it is new with the classifier.
 *
 * @module
 */
import type { Handle } from "../engine/engine.ts";
import { dropout } from "../tensor/ops.ts";
import type { Tape } from "../tensor/tape.ts";
import type { Parameters, Tensor } from "../tensor/tensor.ts";
import { CheckpointError } from "../error.ts";
import type { TrainingKey } from "./batch.ts";
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
  { dense, out }: ClassificationHead,
  hiddenSize: number,
  labels: number,
): TensorSpecs {
  const list = specList();
  list.linear(dense, hiddenSize, hiddenSize);
  list.linear(out, labels, hiddenSize);
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

/** First tokens [n, H] → logits [n, labels] */
export function classify(
  tape: Tape,
  { dense, out, activation, dropsInput }: ClassificationHead,
  parameters: Parameters,
  first: Tensor,
  { rate, places, training }: HeadDropout,
): Tensor {
  const drop = dropoutFor(places, training);
  const input = dropsInput ? dropout(tape, first, drop(rate, "classifier-dropout", 0)) : first;
  const hidden = project(tape, parameters, dense, input, activation);
  return project(tape, parameters, out, dropout(tape, hidden, drop(rate, "classifier-dropout", 1)));
}
