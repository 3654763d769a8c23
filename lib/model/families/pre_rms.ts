/**
 * Encoders made of the layers of language models: RMS norm before each part, rotary positions, gated products, and often
 * fewer heads of keys than of queries (Touvron et al. 2023, arXiv 2302.13971; Ainslie et al. 2023, arXiv 2305.13245).
 *
 * @module
 */
import { affine, attention, gated, headNorm, residualNorm, rmsNorm, rotate } from "../../tensor/ops.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { type ConfigReader, type EncoderConfig, NO_TOKEN } from "../config.ts";
import { lookUp, project } from "../layers.ts";
import { specList } from "../tensor_specs.ts";
import { allRows, type ClassificationHead, type Family, type Layer } from "./family.ts";
import { rotationsOf } from "./rotary.ts";

/** What these families know beside the rest. */
export interface PreRmsConfig extends EncoderConfig {
  /** Heads of keys and values. */
  readonly kvHeads: number;
  /** Size of a head. */
  readonly headSize: number;
  /** A token sees what stands before it alone. */
  readonly causal: boolean;
  /** How far each layer sees, to either side; undefined: all of the sequence. */
  readonly windows: readonly (number | undefined)[];
  /** Angles of each layer; the same array for those that share a table. */
  readonly frequencies: readonly Float32Array[];
  /** Multiplies q kᵀ. */
  readonly scale: number;
  /** Whether attention's linear maps, and those of the gated product, have biases. */
  readonly biases: { readonly attention: boolean; readonly mlp: boolean };
}

/** What tells one of them from another. */
export interface PreRms extends Pick<Family, "classes" | "maskedLm"> {
  /** Reads the configuration. */
  readonly parse: (read: ConfigReader) => PreRmsConfig;
  /** Queries and keys are normalised by head. Default: no. */
  readonly normsHeads?: boolean;
  /** What a part gives is normalised before it is added, and scales are 1 + w (Gemma). Default: no. */
  readonly normsParts?: boolean;
  /** What embeddings are multiplied by. Default: nothing. */
  readonly embeddingScale?: (config: EncoderConfig) => number;
  /** The head for scores. Default: a linear map of the last token, as transformers gives to any language model. */
  readonly classification?: ClassificationHead;
}

/** The part of the configuration that all of them write alike. */
export function preRmsConfig(
  read: ConfigReader,
  special: Pick<PreRmsConfig, "causal" | "windows" | "frequencies"> & Partial<PreRmsConfig>,
): PreRmsConfig {
  const heads = read.size("num_attention_heads");
  const headSize = headSizeOf(read);
  return {
    family: read.type,
    hiddenSize: read.size("hidden_size"),
    layers: read.size("num_hidden_layers"),
    heads,
    headSize,
    kvHeads: read.number(["num_key_value_heads"], heads),
    intermediateSize: read.size("intermediate_size"),
    activation: read.activation(["hidden_act"], "silu"),
    vocabSize: read.size("vocab_size"),
    positions: read.size("max_position_embeddings"),
    typeVocabSize: 0,
    padId: read.padId(NO_TOKEN),
    layerNormEpsilon: read.number(["rms_norm_eps"], 1e-6),
    hiddenDropout: 0,
    attentionDropout: read.rate(["attention_dropout"], 0),
    scale: 1 / Math.sqrt(headSize),
    biases: { attention: read.json["attention_bias"] === true, mlp: false },
    ...special,
  };
}

/** The size of a head: as the configuration says, else the heads share the hidden size. */
export function headSizeOf(read: ConfigReader, usual?: number): number {
  const [heads, hiddenSize] = [read.size("num_attention_heads"), read.size("hidden_size")];
  return read.number(["head_dim"], usual ?? hiddenSize / heads);
}

const LAST_TOKEN: ClassificationHead = {
  out: "score",
  hasOutBias: false,
  activation: ({ activation }) => activation,
  pooling: () => "last",
  pretrained: false,
  dropsInput: false,
  dropout: () => ({ fallback: 0 }),
};

const layerName = (i: number) => `layers.${i}`;
const PROJECTIONS = ["q_proj", "k_proj", "v_proj"];
const own = (config: EncoderConfig) => config as PreRmsConfig;

/** The family. */
export function preRms(
  { classes, parse, normsHeads = false, normsParts = false, embeddingScale, ...heads }: PreRms,
): Family {
  const names = (i: number) => {
    const layer = layerName(i);
    return {
      attention: `${layer}.self_attn`,
      mlp: `${layer}.mlp`,
      before: `${layer}.input_layernorm`,
      // With norms of the parts, this name is that of the norm behind attention.
      between: `${layer}.${normsParts ? "pre_feedforward_layernorm" : "post_attention_layernorm"}`,
      afterAttention: `${layer}.post_attention_layernorm`,
      afterMlp: `${layer}.post_feedforward_layernorm`,
    };
  };
  return {
    classes,
    parse,
    classification: heads.classification ?? LAST_TOKEN,
    ...(heads.maskedLm !== undefined && { maskedLm: heads.maskedLm }),
    prefix: "model.",
    wordTable: "embed_tokens.weight",

    tensors(config) {
      const { hiddenSize: h, intermediateSize: f, heads, kvHeads, headSize, biases } = own(config);
      const list = specList();
      // Of the scale 1 + w the checkpoint has what is added.
      const norm = (name: string, size: number) =>
        normsParts ? list.add(`${name}.weight`, "bias", size) : list.norm(name, size, false);
      list.add("embed_tokens.weight", "table", config.vocabSize, h);
      for (let i = 0; i < config.layers; i++) {
        const { attention, mlp, before, between, afterAttention, afterMlp } = names(i);
        norm(before, h);
        for (const [at, name] of PROJECTIONS.entries()) {
          list.linear(`${attention}.${name}`, (at === 0 ? heads : kvHeads) * headSize, h, biases.attention);
        }
        list.linear(`${attention}.o_proj`, h, heads * headSize, biases.attention);
        if (normsHeads) { for (const name of ["q_norm", "k_norm"]) norm(`${attention}.${name}`, headSize); }
        if (normsParts) norm(afterAttention, h);
        norm(between, h);
        for (const name of ["gate_proj", "up_proj"]) list.linear(`${mlp}.${name}`, f, h, biases.mlp);
        list.linear(`${mlp}.down_proj`, h, f, biases.mlp);
        if (normsParts) norm(afterMlp, h);
      }
      norm("norm", h);
      return list.specs;
    },

    joined(config) {
      const { biases } = own(config);
      const joined = new Map<string, readonly string[]>();
      const join = (whole: string, parts: readonly string[], hasBias: boolean) => {
        for (const part of hasBias ? ["weight", "bias"] : ["weight"]) {
          joined.set(`${whole}.${part}`, parts.map((name) => `${name}.${part}`));
        }
      };
      for (let i = 0; i < config.layers; i++) {
        const { attention, mlp } = names(i);
        join(`${attention}.qkv`, PROJECTIONS.map((name) => `${attention}.${name}`), biases.attention);
        join(`${mlp}.gate_up`, [`${mlp}.gate_proj`, `${mlp}.up_proj`], biases.mlp);
      }
      return joined;
    },

    /** x₀ = word, or a multiple of it */
    embed(tape, { parameters, config }, batch) {
      const words = lookUp(tape, parameters["embed_tokens.weight"]!, batch.ids, batch.packed.ids, config.padId);
      return embeddingScale === undefined ? words : affine(tape, words, embeddingScale(config));
    },

    /** x ← x + Wₒ attention(norm(x)); x ← x + W_down (f(W_gate norm(x)) ⊙ W_up norm(x)) */
    layers(tape, { parameters, config: shape }, batch, drop): Layer {
      const config = own(shape);
      const { heads, kvHeads, headSize, layerNormEpsilon: epsilon } = config;
      const rotation = rotationsOf(tape, batch);
      const weight = (name: string) => parameters[`${name}.weight`]!;
      const norm = (name: string) => ({ kind: "rms", weight: weight(name), epsilon, onePlus: normsParts }) as const;
      const part = (x: Tensor, name: string) =>
        normsParts ? rmsNorm(tape, x, weight(name), epsilon, { onePlus: true }) : x;
      let residual: Tensor | undefined;
      return (x, i, { number = i, only = allRows(drop) } = {}) => {
        const { attention: name, mlp, before, between, afterAttention, afterMlp } = names(i);
        const y = residual === undefined ? residualNorm(tape, x, undefined, norm(before)) : { sum: residual, y: x };
        let qkv = project(tape, parameters, `${name}.qkv`, y.y);
        if (normsHeads) {
          const ranges = [
            { weight: weight(`${name}.q_norm`), first: 0, count: heads },
            { weight: weight(`${name}.k_norm`), first: heads, count: kvHeads },
          ];
          qkv = headNorm(tape, qkv, ranges, epsilon, normsParts);
        }
        const context = attention(tape, {
          qkv: rotate(tape, qkv, rotation(config.frequencies[i]!, heads + kvHeads, headSize)),
          offsets: batch.offsets,
          heads,
          kvHeads,
          maxLength: batch.maxLength,
          causal: config.causal,
          window: config.windows[i],
          scale: config.scale,
          dropout: drop(config.attentionDropout, "attention-dropout", number),
        });
        const attended = part(project(tape, parameters, `${name}.o_proj`, only.pick(context)), afterAttention);
        const middle = residualNorm(tape, attended, only.pick(y.sum), norm(between));
        const inner = gated(tape, config.activation, project(tape, parameters, `${mlp}.gate_up`, middle.y));
        const out = part(project(tape, parameters, `${mlp}.down_proj`, inner), afterMlp);
        const next = i + 1 < config.layers ? names(i + 1).before : "norm";
        const end = residualNorm(tape, out, middle.sum, norm(next));
        residual = end.sum;
        return end.y;
      };
    },

    floatsPerToken(config) {
      const { layers, hiddenSize, intermediateSize, heads, kvHeads, headSize } = own(config);
      const wide = (heads + 2 * kvHeads) * headSize;
      const norms = (normsHeads ? wide : 0) + (normsParts ? 4 * hiddenSize : 0);
      const layer = 6 * hiddenSize + 2 * wide + 3 * intermediateSize + 4 * heads + norms;
      return layers * layer + 14 * hiddenSize + wide + 3 * intermediateSize;
    },

    longest: ({ positions }) => positions,
  };
}
