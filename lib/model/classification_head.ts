/**
 * The heads that transformers' `…ForSequenceClassification` put on a sequence.
 *
 * With x the features of its first token, f tanh (DistilBERT: ReLU): logits = W₂ drop(f(W₁ drop(x) + b₁)) + b₂, where the
 * inner drop is RoBERTa's and MPNet's alone. W₁ [H, H] is BERT's pretrained pooler; elsewhere it is new with the classifier.
 * Families made of language models have W₂ alone, on the last token; others may take a mean.
 *
 * @module
 */
import { dropout, embedding, layerNorm, pool } from "../tensor/ops.ts";
import type { Tape } from "../tensor/tape.ts";
import type { Parameters, Tensor } from "../tensor/tensor.ts";
import { endRows, type PackedBatch } from "../text/packed.ts";
import { CheckpointError } from "../error.ts";
import type { DeviceBatch, Encoder, TrainingKey } from "./batch.ts";
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
  { dense, out, norm, biases, hasOutBias }: ClassificationHead,
  config: EncoderConfig,
  labels: number,
): TensorSpecs {
  const has = biases?.(config) ?? { dense: true, norm: true };
  const list = specList();
  if (dense !== undefined) list.linear(dense, config.hiddenSize, config.hiddenSize, has.dense);
  if (norm !== undefined) list.norm(norm, config.hiddenSize, has.norm);
  list.linear(out, labels, config.hiddenSize, hasOutBias);
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

/** How {@linkcode classify} is called. */
export interface HeadOptions {
  /** Share of features that dropout sets to 0. */
  readonly rate: number;
  /** Undefined: nothing is dropped. */
  readonly training: TrainingKey | undefined;
  /** Whether the features are those of `headRows` alone [n, H]. */
  readonly isPooled: boolean;
}

const poolingOf = ({ pooling }: ClassificationHead, config: EncoderConfig) => pooling?.(config) ?? "cls";

/** The row of each sequence's only token that the head looks at; undefined if it looks at more. */
export function headRows(head: ClassificationHead, config: EncoderConfig, packed: PackedBatch): Int32Array | undefined {
  const how = poolingOf(head, config);
  return how === "last" ? lastTokens(packed, config.padId) : how === "cls" ? endRows(packed, "first") : undefined;
}

/** Token features of n packed sequences [C, H] → logits [n, labels] */
export function classify(
  tape: Tape,
  head: ClassificationHead,
  { config }: Encoder,
  parameters: Parameters,
  tokens: Tensor,
  batch: DeviceBatch,
  { rate, training, isPooled }: HeadOptions,
): Tensor {
  const { dense, out, norm, activation, dropsInput } = head;
  const how = poolingOf(head, config);
  const { offsets, places } = batch.packed;
  const firstPlaces = new Int32Array(2 * (offsets.length - 1));
  for (let i = 0; i + 1 < offsets.length; i++) firstPlaces[2 * i] = places[2 * offsets[i]!]!;
  const drop = dropoutFor(tape.engine.upload(firstPlaces, [offsets.length - 1, 2]), training);
  const pooled = (of: Tensor): Tensor => {
    if (isPooled) return of;
    if (how !== "last") return pool(tape, of, batch.offsets, how === "late" ? "mean" : how);
    const last = lastTokens(batch.packed, config.padId);
    return embedding(tape, of, tape.engine.upload(last, [last.length]));
  };
  let x = how === "late" ? tokens : pooled(tokens);
  if (dropsInput) x = dropout(tape, x, drop(rate, "classifier-dropout", 0));
  if (dense !== undefined) x = project(tape, parameters, dense, x, activation(config));
  if (norm !== undefined) {
    const [weight, bias] = [parameters[`${norm}.weight`]!, parameters[`${norm}.bias`]];
    x = layerNorm(tape, x, weight, bias, config.layerNormEpsilon);
  }
  if (how === "late") x = pooled(x);
  return project(tape, parameters, out, dropout(tape, x, drop(rate, "classifier-dropout", 1)));
}

/**
 * The row of each sequence's last token that is not the padding token, which may stand in a text as well: of Qwen 3 it ends
 * every text. Of a sequence of nothing else it is the first.
 */
function lastTokens({ ids, offsets }: PackedBatch, padId: number): Int32Array {
  return Int32Array.from({ length: offsets.length - 1 }, (_, i) => {
    let row = offsets[i + 1]! - 1;
    while (row > offsets[i]! && ids[row] === padId) row--;
    return row;
  });
}
