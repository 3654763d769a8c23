/**
 * Encoders as BERT is one: learned positions, normalisation after each residual (Devlin et al. 2019, arXiv 1810.04805).
 *
 * @module
 */
import { counted } from "../../counted.ts";
import { EngineError } from "../../error.ts";
import { add, attention, dropout, embedding } from "../../tensor/ops.ts";
import type { Tape } from "../../tensor/tape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { PackedBatch } from "../../text/packed.ts";
import { type DeviceBatch, type Encoder, uploadRows } from "../batch.ts";
import type { ConfigReader, EncoderConfig } from "../config.ts";
import { norm, project } from "../layers.ts";
import { type Joined, type SpecList, specList } from "../tensor_specs.ts";
import type { Family, Layer } from "./family.ts";

/** Names of the tensors of one layer, without `.weight` and `.bias`. */
export interface LayerNames {
  /** Projections to queries, keys and values, which the checkpoint keeps apart. */
  readonly projections: readonly [query: string, key: string, value: string];
  /** The three as one. */
  readonly qkv: string;
  /** Projection of the heads' outputs. */
  readonly output: string;
  /** Normalisation after attention. */
  readonly attentionNorm: string;
  /** To the intermediate size. */
  readonly intermediate: string;
  /** And back. */
  readonly down: string;
  /** Normalisation after that. */
  readonly outputNorm: string;
}

/** What tells one post-LN family from another. */
export interface PostLn
  extends Pick<Family, "classes" | "parse" | "prefix" | "classification" | "maskedLm" | "crossAttention"> {
  /** Names of layer `i`. */
  readonly names: (i: number) => LayerNames;
  /** Position id of a sequence's first token. Default: 0. */
  readonly firstPosition?: (config: EncoderConfig) => number;
  /** Whether anything is dropped between attention and its residual. Default: yes. */
  readonly dropsAttended?: boolean;
  /** Tensors beside embeddings and layers. */
  readonly more?: (list: SpecList, config: EncoderConfig) => void;
  /** [2L − 1, heads] what attention adds to the scores by relative position. */
  readonly bias?: (tape: Tape, encoder: Encoder, batch: DeviceBatch) => Tensor;
}

const WORDS = "embeddings.word_embeddings";
const POSITIONS = "embeddings.position_embeddings";
const TYPES = "embeddings.token_type_embeddings";
const NORM = "embeddings.LayerNorm";

/** The family. */
export function postLn(
  { names, firstPosition = () => 0, dropsAttended = true, more, bias, ...rest }: PostLn,
): Family {
  return {
    ...rest,
    wordTable: `${WORDS}.weight`,

    tensors(config) {
      const { hiddenSize: h, intermediateSize: f } = config;
      const list = specList();
      list.add(`${WORDS}.weight`, "table", config.vocabSize, h);
      list.add(`${POSITIONS}.weight`, "matrix", config.positions, h);
      if (config.typeVocabSize > 0) list.add(`${TYPES}.weight`, "matrix", config.typeVocabSize, h);
      list.norm(NORM, h);
      more?.(list, config);
      for (let i = 0; i < config.layers; i++) {
        const layer = names(i);
        for (const name of [...layer.projections, layer.output]) list.linear(name, h, h);
        list.norm(layer.attentionNorm, h);
        list.linear(layer.intermediate, f, h);
        list.linear(layer.down, h, f);
        list.norm(layer.outputNorm, h);
      }
      return list.specs;
    },

    joined({ layers }): Joined {
      return new Map(
        Array.from({ length: layers }, (_, i) => names(i)).flatMap(({ projections, qkv }) =>
          ["weight", "bias"].map((part) => [`${qkv}.${part}`, projections.map((name) => `${name}.${part}`)] as const)
        ),
      );
    },

    /** x₀ = drop(LN(word + position + type)) */
    embed(tape, encoder, batch, drop, number = 0) {
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
        : uploadRows(tape.engine, countedPositions(config.padId, first, batch.packed), batch.capacity);
      let x = embedding(tape, parameters[`${WORDS}.weight`]!, batch.ids);
      x = add(tape, x, embedding(tape, parameters[`${POSITIONS}.weight`]!, positions));
      const types = parameters[`${TYPES}.weight`];
      if (types !== undefined) x = add(tape, x, embedding(tape, types, batch.typeIds));
      return dropout(tape, norm(tape, encoder, NORM, x), drop(config.hiddenDropout, "embedding-dropout", number));
    },

    /** x ← LN(x + drop(Wₒ attention(x) + bₒ)); x ← LN(x + drop(W₂ f(W₁ x + b₁) + b₂)) */
    layers(tape, encoder, batch, drop): Layer {
      const { config, parameters } = encoder;
      const relative = bias?.(tape, encoder, batch);
      return (x, i, { number = i, causal = false, between = (y: Tensor) => y } = {}) => {
        const layer = names(i);
        const context = attention(tape, {
          qkv: project(tape, parameters, layer.qkv, x),
          offsets: batch.offsets,
          heads: config.heads,
          maxLength: batch.maxLength,
          causal,
          bias: relative,
          dropout: drop(config.attentionDropout, "attention-dropout", number),
        });
        const attended = project(tape, parameters, layer.output, context);
        const dropped = dropsAttended ? drop(config.hiddenDropout, "hidden-dropout", number) : undefined;
        const y = between(norm(tape, encoder, layer.attentionNorm, attended, x, dropped));
        const hidden = project(tape, parameters, layer.intermediate, y, config.activation);
        const down = project(tape, parameters, layer.down, hidden);
        return norm(tape, encoder, layer.outputNorm, down, y, drop(config.hiddenDropout, "ffn-dropout", number));
      };
    },

    /**
     * Per layer, of the hidden size: forward ten (queries, keys, values, context, projections, sums, normalised rows),
     * backward seventeen with dropout; four of the intermediate size; beside the layers, embeddings and pooling.
     */
    floatsPerToken: ({ layers, hiddenSize, intermediateSize, heads }) =>
      layers * (27 * hiddenSize + 4 * intermediateSize + 4 * heads) + 14 * hiddenSize,

    longest: (config) => config.positions - firstPosition(config),
  };
}

/**
 * Position ids [T] of families that count from behind the padding id: a padding token that stands in a text literally has
 * the position `padId` and is not counted.
 */
export function countedPositions(padId: number, first: number, { ids, offsets }: PackedBatch): Int32Array {
  const result = new Int32Array(ids.length);
  for (let i = 0; i + 1 < offsets.length; i++) {
    let next = first;
    for (let t = offsets[i]!; t < offsets[i + 1]!; t++) result[t] = ids[t] === padId ? padId : next++;
  }
  return result;
}

/** The configuration of a post-LN family, as most of them write it. */
export function postLnConfig(
  read: ConfigReader,
  special: Partial<EncoderConfig> = {},
): EncoderConfig {
  return {
    family: read.type,
    hiddenSize: read.size("hidden_size", "dim"),
    layers: read.size("num_hidden_layers", "n_layers"),
    heads: read.heads("num_attention_heads", "n_heads"),
    intermediateSize: read.size("intermediate_size", "hidden_dim"),
    activation: read.activation("hidden_act", "activation"),
    vocabSize: read.size("vocab_size"),
    positions: read.size("max_position_embeddings"),
    typeVocabSize: read.number(["type_vocab_size"], 2),
    padId: read.number(["pad_token_id"], 0),
    layerNormEpsilon: read.number(["layer_norm_eps"], 1e-12),
    hiddenDropout: read.rate(["hidden_dropout_prob", "dropout"], 0.1),
    attentionDropout: read.rate(["attention_probs_dropout_prob", "attention_dropout"], 0.1),
    ...special,
  };
}
