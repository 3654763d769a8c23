/**
 * The encoder: from packed token ids to one row of features per token.
 *
 * @module
 */
import type { Dropout, Engine, Handle } from "../engine/engine.ts";
import { type Purpose, randomPurpose } from "../engine/philox.ts";
import { EngineError } from "../error.ts";
import { add, attention, dropout, embedding, layerNorm, linear } from "../tensor/ops.ts";
import type { Tape } from "../tensor/tape.ts";
import type { Parameters, Tensor } from "../tensor/tensor.ts";
import type { PackedBatch } from "../text/packed.ts";
import type { EncoderConfig } from "./config.ts";
import { firstPosition, type LayerNames, layerNames, RELATIVE_BIAS, relativeBucket } from "./families.ts";

/** An encoder: its shape and its tensors, under the names of its checkpoint. */
export interface Encoder {
  /** Its shape. */
  readonly config: EncoderConfig;
  /** Its tensors. */
  readonly parameters: Parameters;
}

/** A packed batch on the device. */
export interface DeviceBatch {
  /** i32 [T] */
  readonly ids: Handle;
  /** i32 [T] */
  readonly typeIds: Handle;
  /** i32 [T] place in the sequence, from 0 */
  readonly positions: Handle;
  /** i32 [n + 1] */
  readonly offsets: Handle;
  /** i32 [T, 2] */
  readonly places: Handle;
  /** Longest sequence. */
  readonly maxLength: number;
  /** The batch itself. */
  readonly packed: PackedBatch;
}

/** Training, as far as dropout is concerned: which run, which step. */
export interface TrainingKey {
  /** The run's seed. */
  readonly seed: number;
  /** The update. */
  readonly step: number;
}

/** Copies a batch to the device, into the current arena. */
export function uploadBatch(engine: Engine, packed: PackedBatch): DeviceBatch {
  const { ids, typeIds, positions, offsets, places, maxLength } = packed;
  return {
    ids: engine.upload(ids, [ids.length]),
    typeIds: engine.upload(typeIds, [ids.length]),
    positions: engine.upload(positions, [ids.length]),
    offsets: engine.upload(offsets, [offsets.length]),
    places: engine.upload(places, [ids.length, 2]),
    maxLength,
    packed,
  };
}

/** Token features [T, H] of all sequences. With `training`, dropout as the configuration has it. */
export function encode(tape: Tape, encoder: Encoder, batch: DeviceBatch, training?: TrainingKey): Tensor {
  const { config } = encoder;
  const first = firstPosition(config);
  if (batch.maxLength + first > config.positions) {
    throw new EngineError("a sequence is longer than the model's positions", {
      expected: `at most ${config.positions - first} tokens`,
      found: `${batch.maxLength}`,
      hint: "lower --max-seq-length",
    });
  }
  const drop = (rate: number, purpose: Purpose, layer = 0): Dropout | undefined =>
    training === undefined || rate === 0
      ? undefined
      : { rate, key: { ...training, purpose: randomPurpose(purpose, layer) }, places: batch.places };

  const bias = config.family === "mpnet" ? relativeBias(tape, encoder, batch) : undefined;
  let x = embed(tape, encoder, batch, first);
  x = dropout(tape, x, drop(config.hiddenDropout, "embedding-dropout"));
  for (let i = 0; i < config.layers; i++) {
    x = layer(tape, encoder, layerNames(config.family, i), x, batch, bias, {
      attention: drop(config.attentionDropout, "attention-dropout", i),
      // DistilBERT drops nothing between attention and its residual.
      hidden: config.family === "distilbert" ? undefined : drop(config.hiddenDropout, "hidden-dropout", i),
      feedForward: drop(config.hiddenDropout, "ffn-dropout", i),
    });
  }
  return x;
}

/** Word + position + type, normalised. */
function embed(tape: Tape, encoder: Encoder, batch: DeviceBatch, first: number): Tensor {
  const { parameters, config } = encoder;
  const { engine } = tape;
  const positions = first === 0
    ? batch.positions
    : engine.upload(batch.packed.positions.map((p) => p + first), [batch.packed.positions.length]);
  let x = embedding(tape, parameters["embeddings.word_embeddings.weight"]!, batch.ids);
  x = add(tape, x, embedding(tape, parameters["embeddings.position_embeddings.weight"]!, positions));
  const types = parameters["embeddings.token_type_embeddings.weight"];
  if (types !== undefined) x = add(tape, x, embedding(tape, types, batch.typeIds));
  return norm(tape, encoder, "embeddings.LayerNorm", x, config);
}

/** x ← LN(x + attention(x)); x ← LN(x + W₂ f(W₁ x)) */
function layer(
  tape: Tape,
  encoder: Encoder,
  names: LayerNames,
  x: Tensor,
  batch: DeviceBatch,
  bias: Tensor | undefined,
  drop: Readonly<Record<"attention" | "hidden" | "feedForward", Dropout | undefined>>,
): Tensor {
  const { config, parameters } = encoder;
  const project = (name: string, input: Tensor, activation?: EncoderConfig["activation"]) =>
    linear(tape, input, parameters[`${name}.weight`]!, parameters[`${name}.bias`], activation);
  const context = attention(tape, {
    q: project(names.query, x),
    k: project(names.key, x),
    v: project(names.value, x),
    offsets: batch.offsets,
    heads: config.heads,
    maxLength: batch.maxLength,
    bias,
    dropout: drop.attention,
  });
  const attended = norm(tape, encoder, names.attentionNorm, project(names.output, context), config, x, drop.hidden);
  const hidden = project(names.intermediate, attended, config.activation);
  return norm(tape, encoder, names.outputNorm, project(names.down, hidden), config, attended, drop.feedForward);
}

function norm(
  tape: Tape,
  { parameters }: Encoder,
  name: string,
  x: Tensor,
  config: EncoderConfig,
  residual?: Tensor,
  dropout?: Dropout,
): Tensor {
  const [gamma, beta] = [parameters[`${name}.weight`]!, parameters[`${name}.bias`]!];
  return layerNorm(tape, x, gamma, beta, config.layerNormEpsilon, { residual, dropout });
}

/** The rows of the shared table for relative positions −(L−1) … L−1: [2L − 1, heads] */
function relativeBias(tape: Tape, { parameters, config }: Encoder, { maxLength }: DeviceBatch): Tensor {
  const span = Math.max(1, maxLength);
  const buckets = Int32Array.from(
    { length: 2 * span - 1 },
    (_, i) => relativeBucket(i - span + 1, config.relativeBuckets),
  );
  return embedding(tape, parameters[RELATIVE_BIAS]!, tape.engine.upload(buckets, [buckets.length]));
}
