/**
 * ModernBERT (Warner et al. 2024, arXiv 2412.13663), and what has its shape: mmBERT, granite r2, ettin. Normalisation
 * before each part, rotary positions, gated products, and a window in two of three layers.
 *
 * @module
 */
import { attention, dropout, gated, layerNorm, residualNorm, rotate } from "../../tensor/ops.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Encoder } from "../batch.ts";
import type { ConfigReader, EncoderConfig } from "../config.ts";
import { lookUp, project } from "../layers.ts";
import { specList } from "../tensor_specs.ts";
import { allRows, type Family, type Layer } from "./family.ts";
import { frequenciesOf, rotationsOf } from "./rotary.ts";

/** What ModernBERT knows beside the rest. */
interface ModernBertConfig extends EncoderConfig {
  /** Which layers see the whole sequence. */
  readonly isGlobal: readonly boolean[];
  /** How far the others see, to either side. */
  readonly window: number;
  /** Angles of layers that see all. */
  readonly globalFrequencies: Float32Array;
  /** Angles of the others. */
  readonly localFrequencies: Float32Array;
  /** Dropout of the embeddings. */
  readonly embeddingDropout: number;
  /** Which linear maps and normalisations have a bias. */
  readonly biases: {
    readonly attention: boolean;
    readonly mlp: boolean;
    readonly norm: boolean;
    readonly head: boolean;
    readonly decoder: boolean;
  };
  /** Of the head for scores. */
  readonly head: Pick<EncoderConfig, "activation"> & { readonly pooling: "cls" | "mean" };
}

const own = (config: EncoderConfig) => config as ModernBertConfig;

function isGlobalOf(read: ConfigReader, layers: number): boolean[] {
  const types = read.layerTypes(layers);
  if (types !== undefined) return types.map((type) => type === "full_attention");
  const every = read.number(["global_attn_every_n_layers"], 3);
  return Array.from({ length: layers }, (_, i) => i % every === 0);
}

const headBiases = (config: EncoderConfig) => {
  const { head, norm } = own(config).biases;
  return { dense: head, norm };
};
const layerName = (i: number) => `layers.${i}`;

/** The family. */
export const modernbert: Family = {
  classes: { modernbert: "ModernBert" },

  parse(read): ModernBertConfig {
    const [hiddenSize, layers, heads] = [
      read.size("hidden_size"),
      read.size("num_hidden_layers"),
      read.heads("num_attention_heads"),
    ];
    const headSize = hiddenSize / heads;
    read.only("classifier_pooling", "cls", "mean");
    return {
      family: read.type,
      hiddenSize,
      layers,
      heads,
      intermediateSize: read.size("intermediate_size"),
      activation: read.activation(["hidden_activation"]),
      vocabSize: read.size("vocab_size"),
      positions: read.size("max_position_embeddings"),
      typeVocabSize: 0,
      padId: read.padId(50_283),
      layerNormEpsilon: read.number(["norm_eps"], 1e-5),
      hiddenDropout: read.rate(["mlp_dropout"], 0),
      attentionDropout: read.rate(["attention_dropout"], 0),
      embeddingDropout: read.rate(["embedding_dropout"], 0),
      isGlobal: isGlobalOf(read, layers),
      window: Math.floor(read.number(["local_attention"], 128) / 2),
      globalFrequencies: frequenciesOf(read, {
        headSize,
        theta: 160_000,
        names: ["global_rope_theta"],
        kind: "full_attention",
      }),
      localFrequencies: frequenciesOf(read, {
        headSize,
        theta: 10_000,
        names: ["local_rope_theta"],
        kind: "sliding_attention",
      }),
      biases: {
        attention: read.json["attention_bias"] === true,
        mlp: read.json["mlp_bias"] === true,
        norm: read.json["norm_bias"] === true,
        head: read.json["classifier_bias"] === true,
        decoder: read.json["decoder_bias"] !== false,
      },
      head: {
        activation: read.activation(["classifier_activation"]),
        pooling: read.json["classifier_pooling"] === "mean" ? "mean" : "cls",
      },
    };
  },

  prefix: "model.",
  wordTable: "embeddings.tok_embeddings.weight",

  tensors(config) {
    const { hiddenSize: h, intermediateSize: f, biases } = own(config);
    const list = specList();
    list.add("embeddings.tok_embeddings.weight", "table", config.vocabSize, h);
    list.norm("embeddings.norm", h, biases.norm);
    for (let i = 0; i < config.layers; i++) {
      const layer = layerName(i);
      if (i > 0) list.norm(`${layer}.attn_norm`, h, biases.norm);
      list.linear(`${layer}.attn.Wqkv`, 3 * h, h, biases.attention);
      list.linear(`${layer}.attn.Wo`, h, h, biases.attention);
      list.norm(`${layer}.mlp_norm`, h, biases.norm);
      list.linear(`${layer}.mlp.Wi`, 2 * f, h, biases.mlp);
      list.linear(`${layer}.mlp.Wo`, h, f, biases.mlp);
    }
    list.norm("final_norm", h, biases.norm);
    return list.specs;
  },
  joined: () => new Map(),

  /** x₀ = drop(LN(word)) */
  embed(tape, encoder, batch, drop, number = 0) {
    const table = encoder.parameters["embeddings.tok_embeddings.weight"]!;
    const words = lookUp(tape, table, batch.ids, batch.packed.ids, encoder.config.padId);
    const { weight, bias, epsilon } = normOf(encoder, "embeddings.norm");
    const x = layerNorm(tape, words, weight, bias, epsilon);
    return dropout(tape, x, drop(own(encoder.config).embeddingDropout, "embedding-dropout", number));
  },

  /**
   * x ← x + drop(Wₒ attention(LN(x))), in layer 0 without the norm; x ← x + Wₒ drop(f(a) ⊙ b), [a | b] = Wᵢ LN(x).
   * The last sum is normalised at once: a layer gives LN(x) of the layer that follows, and x goes beside it.
   */
  layers(tape, encoder, batch, drop): Layer {
    const { parameters } = encoder;
    const config = own(encoder.config);
    const [heads, headSize] = [config.heads, config.hiddenSize / config.heads];
    const rotation = rotationsOf(tape, batch);
    let residual: Tensor | undefined;
    return (x, i, { number = i, causal = false, only = allRows(drop) } = {}) => {
      const [layer, isGlobal] = [layerName(i), config.isGlobal[i]!];
      residual ??= x;
      const qkv = project(tape, parameters, `${layer}.attn.Wqkv`, x);
      const frequencies = isGlobal ? config.globalFrequencies : config.localFrequencies;
      const context = attention(tape, {
        qkv: rotate(tape, qkv, rotation(frequencies, 2 * heads, headSize)),
        offsets: batch.offsets,
        heads,
        maxLength: batch.maxLength,
        causal,
        window: isGlobal ? undefined : config.window,
        dropout: drop(config.attentionDropout, "attention-dropout", number),
      });
      const attended = project(tape, parameters, `${layer}.attn.Wo`, only.pick(context));
      const dropped = only.drop(config.attentionDropout, "hidden-dropout", number);
      const middle = residualNorm(tape, attended, only.pick(residual), normOf(encoder, `${layer}.mlp_norm`), dropped);
      const inner = gated(tape, config.activation, project(tape, parameters, `${layer}.mlp.Wi`, middle.y));
      const kept = dropout(tape, inner, only.drop(config.hiddenDropout, "ffn-dropout", number));
      const out = project(tape, parameters, `${layer}.mlp.Wo`, kept);
      const next = i + 1 < config.layers ? `${layerName(i + 1)}.attn_norm` : "final_norm";
      const end = residualNorm(tape, out, middle.sum, normOf(encoder, next));
      residual = end.sum;
      return end.y;
    };
  },

  /**
   * Per layer what its backward pass needs: eleven of the hidden size (queries, keys, values, context, projections, sums,
   * normalised rows) and three of the intermediate size; beside the layers, embeddings, pooling and the gradients of one.
   */
  floatsPerToken: ({ layers, hiddenSize, intermediateSize, heads }) =>
    layers * (11 * hiddenSize + 3 * intermediateSize + 4 * heads) + 16 * hiddenSize + 3 * intermediateSize,

  longest: ({ positions }) => positions,

  classification: {
    dense: "head.dense",
    norm: "head.norm",
    out: "classifier",
    activation: (config) => own(config).head.activation,
    biases: headBiases,
    pooling: (config) => own(config).head.pooling,
    pretrained: false,
    dropsInput: false,
    dropout: () => ({ name: "classifier_dropout", fallback: 0 }),
  },
  maskedLm: {
    dense: "head.dense",
    norm: "head.norm",
    bias: "decoder.bias",
    hasBias: (config) => own(config).biases.decoder,
    activation: (config) => own(config).head.activation,
    biases: headBiases,
  },
};

/** The layer norm of that name. */
function normOf({ parameters, config }: Encoder, name: string) {
  const [weight, bias] = [parameters[`${name}.weight`]!, parameters[`${name}.bias`]];
  return { kind: "layer", weight, bias, epsilon: config.layerNormEpsilon } as const;
}
