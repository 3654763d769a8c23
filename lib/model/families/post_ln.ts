/**
 * Encoders as BERT is one: normalisation after each residual (Devlin et al. 2019, arXiv 1810.04805). Positions are learned
 * or rotary, the feed-forward part is plain or gated.
 *
 * @module
 */
import { counted } from "../../counted.ts";
import { scope } from "../../engine/engine.ts";
import { EngineError } from "../../error.ts";
import { add, attention, dropout, embedding, gated, rotate } from "../../tensor/ops.ts";
import type { Tape } from "../../tensor/tape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { PackedBatch } from "../../text/packed.ts";
import { type DeviceBatch, type Encoder, uploadRows } from "../batch.ts";
import type { ConfigReader, EncoderConfig } from "../config.ts";
import { lookUp, norm, project } from "../layers.ts";
import { type Joined, type SpecList, specList } from "../tensor_specs.ts";
import { allRows, type Family, type Layer } from "./family.ts";
import { rotationsOf } from "./rotary.ts";

/** Names of the tensors of one layer, without `.weight` and `.bias`. */
export interface LayerNames {
  /** Projections to queries, keys and values, where the checkpoint keeps them apart. */
  readonly projections?: readonly [query: string, key: string, value: string];
  /** The three as one. */
  readonly qkv: string;
  /** Projection of the heads' outputs. */
  readonly output: string;
  /** Normalisation after attention. */
  readonly attentionNorm: string;
  /** To the intermediate size; where the part is gated, to twice of it: [up | gate], of which the gate is activated. */
  readonly intermediate: string;
  /** The two halves of it, where the checkpoint keeps them apart. */
  readonly halves?: readonly [up: string, gate: string];
  /** And back. */
  readonly down: string;
  /** Normalisation after that. */
  readonly outputNorm: string;
}

/** What tells one post-LN family from another. */
export interface PostLn
  extends
    Pick<Family, "classes" | "parse" | "prefix" | "otherPrefixes" | "classification" | "maskedLm" | "crossAttention"> {
  /** Names of layer `i`. */
  readonly names: (i: number) => LayerNames;
  /** Position id of a sequence's first token. Default: 0. */
  readonly firstPosition?: (config: EncoderConfig) => number;
  /** Whether anything is dropped between attention and its residual. Default: yes. */
  readonly dropsAttended?: boolean;
  /** Whether anything is dropped behind the activation. Default: no. */
  readonly dropsInner?: boolean;
  /** Whether the feed-forward part is gated. Default: no. */
  readonly isGated?: boolean;
  /** Which linear maps have no bias. Default: all have one. */
  readonly plain?: readonly ("attention" | "intermediate" | "down")[];
  /** Name of the normalisation of the embeddings. */
  readonly embeddingNorm?: string;
  /** Angles of rotary positions, instead of a table of learned ones. */
  readonly frequencies?: (config: EncoderConfig) => Float32Array;
  /** Tensors beside embeddings and layers. */
  readonly more?: (list: SpecList, config: EncoderConfig) => void;
  /** [2L − 1, heads] what attention adds to the scores by relative position. */
  readonly bias?: (tape: Tape, encoder: Encoder, batch: DeviceBatch) => Tensor;
}

const WORDS = "embeddings.word_embeddings";
const POSITIONS = "embeddings.position_embeddings";
const TYPES = "embeddings.token_type_embeddings";

/** The family. */
export function postLn(
  { names, firstPosition = () => 0, dropsAttended = true, dropsInner = false, isGated = false, ...options }: PostLn,
): Family {
  const { plain = [], embeddingNorm = "embeddings.LayerNorm", frequencies, more, bias, ...rest } = options;
  const has = (part: NonNullable<PostLn["plain"]>[number]) => !plain.includes(part);
  return {
    ...rest,
    parse(read) {
      // Each of them turns positions, or has a table of them, and does not do as the configuration says.
      read.only("position_embedding_type", ...(frequencies === undefined ? ["absolute"] : ["rope", "rotary"]));
      const config = rest.parse(read);
      const headSize = config.hiddenSize / config.heads;
      if (frequencies !== undefined) read.only("head_dim", null, headSize);
      return config;
    },
    wordTable: `${WORDS}.weight`,

    tensors(config) {
      const { hiddenSize: h, intermediateSize: f } = config;
      const list = specList();
      list.add(`${WORDS}.weight`, "table", config.vocabSize, h);
      if (frequencies === undefined) list.add(`${POSITIONS}.weight`, "matrix", config.positions, h);
      if (config.typeVocabSize > 0) list.add(`${TYPES}.weight`, "matrix", config.typeVocabSize, h);
      list.norm(embeddingNorm, h);
      more?.(list, config);
      for (let i = 0; i < config.layers; i++) {
        const layer = names(i);
        for (const name of layer.projections ?? []) list.linear(name, h, h, has("attention"));
        if (layer.projections === undefined) list.linear(layer.qkv, 3 * h, h, has("attention"));
        list.linear(layer.output, h, h, has("attention"));
        list.norm(layer.attentionNorm, h);
        for (const name of layer.halves ?? []) list.linear(name, f, h, has("intermediate"));
        if (layer.halves === undefined) list.linear(layer.intermediate, isGated ? 2 * f : f, h, has("intermediate"));
        list.linear(layer.down, h, f, has("down"));
        list.norm(layer.outputNorm, h);
      }
      return list.specs;
    },

    joined({ layers }): Joined {
      const joined = new Map<string, readonly string[]>();
      const join = (whole: string, parts: readonly string[] | undefined, hasBias: boolean) => {
        for (const kind of parts === undefined ? [] : hasBias ? ["weight", "bias"] : ["weight"]) {
          joined.set(`${whole}.${kind}`, parts!.map((name) => `${name}.${kind}`));
        }
      };
      for (let i = 0; i < layers; i++) {
        const { qkv, projections, intermediate, halves } = names(i);
        join(qkv, projections, has("attention"));
        join(intermediate, halves, has("intermediate"));
      }
      return joined;
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
      let x = lookUp(tape, parameters[`${WORDS}.weight`]!, batch.ids, batch.packed.ids, config.padId);
      if (frequencies === undefined) {
        const table = parameters[`${POSITIONS}.weight`]!;
        x = add(
          tape,
          x,
          first === 0 ? embedding(tape, table, batch.positions) : countedRows(tape, table, config, first, batch),
        );
      }
      const types = parameters[`${TYPES}.weight`];
      if (types !== undefined) x = add(tape, x, embedding(tape, types, batch.typeIds));
      return dropout(
        tape,
        norm(tape, encoder, embeddingNorm, x),
        drop(config.hiddenDropout, "embedding-dropout", number),
      );
    },

    /** x ← LN(x + drop(Wₒ attention(x) + bₒ)); x ← LN(x + drop(W₂ f(W₁ x + b₁) + b₂)) */
    layers(tape, encoder, batch, drop): Layer {
      const { config, parameters } = encoder;
      const relative = bias?.(tape, encoder, batch);
      const headSize = config.hiddenSize / config.heads;
      const rotation = frequencies && rotationsOf(tape, batch)(frequencies(config), 2 * config.heads, headSize);
      const layer: Layer = (x, i, options = {}) => {
        const { number = i, causal = false, between = (y: Tensor) => y, only = allRows(drop) } = options;
        const named = names(i);
        const qkv = project(tape, parameters, named.qkv, x);
        const context = attention(tape, {
          qkv: rotation === undefined ? qkv : rotate(tape, qkv, rotation),
          offsets: batch.offsets,
          heads: config.heads,
          maxLength: batch.maxLength,
          causal,
          bias: relative,
          dropout: drop(config.attentionDropout, "attention-dropout", number),
        });
        const attended = project(tape, parameters, named.output, only.pick(context));
        const dropped = dropsAttended ? only.drop(config.hiddenDropout, "hidden-dropout", number) : undefined;
        const y = between(norm(tape, encoder, named.attentionNorm, attended, only.pick(x), dropped));
        const hidden = isGated
          ? gated(tape, config.activation, project(tape, parameters, named.intermediate, y), "second")
          : project(tape, parameters, named.intermediate, y, config.activation);
        const kept = dropsInner
          ? dropout(tape, hidden, only.drop(config.hiddenDropout, "gate-dropout", number))
          : hidden;
        const down = project(tape, parameters, named.down, kept);
        return norm(tape, encoder, named.outputNorm, down, y, only.drop(config.hiddenDropout, "ffn-dropout", number));
      };
      // Where nothing is kept for a backward pass, layers take each other's place, in memory that is near.
      return tape.closures === undefined ? (...args) => scope(tape.engine, () => layer(...args)) : layer;
    },

    /**
     * Per layer what its backward pass needs: ten of the hidden size (queries, keys, values, context, projections, sums,
     * normalised rows) and two of the intermediate size, or four; beside the layers, embeddings, pooling, and the
     * gradients of one layer, which are given back to those of the next.
     */
    floatsPerToken({ layers, hiddenSize, intermediateSize, heads }) {
      const inner = (isGated ? 4 : 2) * intermediateSize;
      return layers * (10 * hiddenSize + inner + 4 * heads) + 16 * hiddenSize + inner;
    },

    longest: (config) => config.positions - firstPosition(config),
  };
}

/** Rows of a table of positions that are counted from `first`, behind the one of padding. */
function countedRows(tape: Tape, table: Tensor, { padId }: EncoderConfig, first: number, batch: DeviceBatch): Tensor {
  const positions = countedPositions(padId, first, batch.packed);
  return lookUp(tape, table, uploadRows(tape.engine, positions, batch.capacity), positions, padId);
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
    hiddenSize: read.size("hidden_size", "dim", "n_embd"),
    layers: read.size("num_hidden_layers", "n_layers", "n_layer"),
    heads: read.heads("num_attention_heads", "n_heads", "n_head"),
    intermediateSize: read.size("intermediate_size", "hidden_dim", "n_inner"),
    activation: read.activation(["hidden_act", "activation"]),
    vocabSize: read.size("vocab_size"),
    positions: read.size("max_position_embeddings", "n_positions"),
    typeVocabSize: read.number(["type_vocab_size"], 2),
    padId: read.padId(0),
    layerNormEpsilon: read.number(["layer_norm_eps"], 1e-12),
    hiddenDropout: read.rate(["hidden_dropout_prob", "dropout"], 0.1),
    attentionDropout: read.rate(["attention_probs_dropout_prob", "attention_dropout"], 0.1),
    ...special,
  };
}
