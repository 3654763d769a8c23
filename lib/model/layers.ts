/**
 * The parts of a post-LN transformer, which encoders and the denoising decoder are put together from.
 *
 * @module
 */
import { counted } from "../counted.ts";
import type { Activation, Dropout, Handle } from "../engine/engine.ts";
import { type Purpose, randomPurpose } from "../engine/philox.ts";
import { EngineError } from "../error.ts";
import { add, attention, dropout, embedding, layerNorm, linear } from "../tensor/ops.ts";
import type { Tape } from "../tensor/tape.ts";
import type { Parameters, Tensor } from "../tensor/tensor.ts";
import type { EncoderConfig } from "./config.ts";
import { type DeviceBatch, type Encoder, type TrainingKey, uploadRows } from "./batch.ts";
import { firstPosition, type LayerNames, positionIds, RELATIVE_BIAS, relativeBucket } from "./families.ts";

/** Dropout at one place of the model, or none. */
export type DropoutAt = (rate: number, purpose: Purpose, layer?: number) => Dropout | undefined;

/** Masks for the rows of `places` (i32 [T, 2]) in training; none otherwise. */
export function dropoutFor(places: Handle, training: TrainingKey | undefined): DropoutAt {
  return (rate, purpose, layer = 0) =>
    training === undefined || rate === 0
      ? undefined
      : { rate, key: { ...training, purpose: randomPurpose(purpose, layer) }, places };
}

/** What may be dropped in a layer. `number` tells the masks of layers apart. */
export function layerDropout(
  { family, attentionDropout, hiddenDropout }: EncoderConfig,
  drop: DropoutAt,
  number: number,
): {
  readonly attention: Dropout | undefined;
  readonly hidden: Dropout | undefined;
  readonly feedForward: Dropout | undefined;
} {
  return {
    attention: drop(attentionDropout, "attention-dropout", number),
    // DistilBERT drops nothing between attention and its residual.
    hidden: family === "distilbert" ? undefined : drop(hiddenDropout, "hidden-dropout", number),
    feedForward: drop(hiddenDropout, "ffn-dropout", number),
  };
}

/** x₀ = drop(LN(word + position + type)); ids i32 [T] → [T, H] */
export function embedTokens(tape: Tape, encoder: Encoder, batch: DeviceBatch, drop: Dropout | undefined): Tensor {
  const { parameters, config } = encoder;
  const first = firstPosition(config);
  if (batch.maxLength + first > config.positions) {
    throw new EngineError("a sequence is longer than the model's positions", {
      expected: `at most ${counted(config.positions - first, "token")}`,
      found: `${batch.maxLength}`,
      hint: "lower --max-seq-length",
    });
  }
  const positions = first === 0
    ? batch.positions
    : uploadRows(tape.engine, positionIds(config, batch.packed), batch.capacity);
  let x = embedding(tape, parameters["embeddings.word_embeddings.weight"]!, batch.ids);
  x = add(tape, x, embedding(tape, parameters["embeddings.position_embeddings.weight"]!, positions));
  const types = parameters["embeddings.token_type_embeddings.weight"];
  if (types !== undefined) x = add(tape, x, embedding(tape, types, batch.typeIds));
  return dropout(tape, norm(tape, encoder, "embeddings.LayerNorm", x), drop);
}

/** LN(x + drop(Wₒ attention(x) + bₒ)); [T, H] → [T, H] */
export function selfAttention(
  tape: Tape,
  encoder: Encoder,
  names: LayerNames,
  x: Tensor,
  batch: DeviceBatch,
  options: {
    readonly bias: Tensor | undefined;
    readonly causal?: boolean;
    readonly attention: Dropout | undefined;
    readonly hidden: Dropout | undefined;
  },
): Tensor {
  const { config, parameters } = encoder;
  const context = attention(tape, {
    qkv: project(tape, parameters, names.qkv, x),
    offsets: batch.offsets,
    heads: config.heads,
    maxLength: batch.maxLength,
    causal: options.causal ?? false,
    bias: options.bias,
    dropout: options.attention,
  });
  const attended = project(tape, parameters, names.output, context);
  return norm(tape, encoder, names.attentionNorm, attended, x, options.hidden);
}

/** LN(x + drop(W₂ f(W₁ x + b₁) + b₂)); [T, H] → [T, H] */
export function feedForward(
  tape: Tape,
  encoder: Encoder,
  names: LayerNames,
  x: Tensor,
  drop: Dropout | undefined,
): Tensor {
  const { parameters, config } = encoder;
  const hidden = project(tape, parameters, names.intermediate, x, config.activation);
  return norm(tape, encoder, names.outputNorm, project(tape, parameters, names.down, hidden), x, drop);
}

/** f(x Wᵀ + b) with the tensors of that name. */
export function project(tape: Tape, parameters: Parameters, name: string, x: Tensor, activation?: Activation): Tensor {
  return linear(tape, x, parameters[`${name}.weight`]!, parameters[`${name}.bias`], activation);
}

/** LN(drop(x) + residual) with the tensors of that name. */
export function norm(
  tape: Tape,
  { parameters, config }: Encoder,
  name: string,
  x: Tensor,
  residual?: Tensor,
  dropout?: Dropout,
): Tensor {
  const [gamma, beta] = [parameters[`${name}.weight`]!, parameters[`${name}.bias`]!];
  return layerNorm(tape, x, gamma, beta, config.layerNormEpsilon, { residual, dropout });
}

/** MPNet: the rows of the shared table for relative positions −(L−1) … L−1, [2L − 1, heads]; none elsewhere. */
export function relativeBias(
  tape: Tape,
  { parameters, config }: Encoder,
  { maxLength }: DeviceBatch,
): Tensor | undefined {
  if (config.family !== "mpnet") return undefined;
  const span = Math.max(1, maxLength);
  const buckets = Int32Array.from(
    { length: 2 * span - 1 },
    (_, i) => relativeBucket(i - span + 1, config.relativeBuckets),
  );
  return embedding(tape, parameters[RELATIVE_BIAS]!, tape.engine.upload(buckets, [buckets.length]));
}
