/**
 * The shape of an encoder, read from a checkpoint's `config.json`.
 *
 * @module
 */
import { counted } from "../counted.ts";
import type { Activation } from "../engine/engine.ts";
import { CheckpointError } from "../error.ts";

/** Families of encoders: post-LN, learned positions. */
export type Family = "bert" | "distilbert" | "roberta" | "xlm-roberta" | "mpnet";

/** What a forward pass needs to know. */
export interface EncoderConfig {
  /** The architecture. */
  readonly family: Family;
  /** Features of a token. */
  readonly hiddenSize: number;
  /** Number of layers. */
  readonly layers: number;
  /** Attention heads. */
  readonly heads: number;
  /** Features between the two linear maps of a layer. */
  readonly intermediateSize: number;
  /** Between them. */
  readonly activation: Activation;
  /** Entries of the vocabulary. */
  readonly vocabSize: number;
  /** Rows of the table of positions. */
  readonly positions: number;
  /** Rows of the table of token types; 0 if there is none. */
  readonly typeVocabSize: number;
  /** Id of padding; RoBERTa and MPNet count positions from it. */
  readonly padId: number;
  /** ε of the layer normalisations. */
  readonly layerNormEpsilon: number;
  /** Dropout of embeddings and of what is added to the residual. */
  readonly hiddenDropout: number;
  /** Dropout of attention probabilities. */
  readonly attentionDropout: number;
  /** MPNet: buckets of relative positions. */
  readonly relativeBuckets: number;
}

const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  gelu: "gelu",
  gelu_python: "gelu",
  gelu_accurate: "geluTanh",
  gelu_fast: "geluTanh",
  gelu_new: "geluTanh",
  gelu_python_tanh: "geluTanh",
  gelu_pytorch_tanh: "geluTanh",
  leaky_relu: "leakyRelu",
  quick_gelu: "quickGelu",
  relu: "relu",
  relu2: "squaredRelu",
  sigmoid: "sigmoid",
  silu: "silu",
  swish: "silu",
  tanh: "tanh",
};
const FAMILIES: readonly Family[] = ["bert", "distilbert", "roberta", "xlm-roberta", "mpnet"];

/** Reads and checks `config.json`. `where` is for errors. */
export function parseConfig(json: Readonly<Record<string, unknown>>, where: string): EncoderConfig {
  const family = json["model_type"] === "camembert" ? "roberta" : json["model_type"] as Family;
  if (!FAMILIES.includes(family)) {
    throw new CheckpointError(`models of type ${json["model_type"]} are not supported`, {
      where,
      expected: FAMILIES.join(", "),
      found: String(json["model_type"]),
    });
  }
  const number = (names: readonly string[], fallback?: number): number => {
    const name = names.find((name) => json[name] !== undefined && json[name] !== null);
    const value = name === undefined ? fallback : json[name];
    if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value;
    throw new CheckpointError("the model's configuration is incomplete", {
      where,
      expected: `a number for ${names.join(" or ")}`,
      found: JSON.stringify(value) ?? "nothing",
    });
  };
  const size = (names: readonly string[]): number => {
    const value = number(names);
    if (Number.isInteger(value) && value > 0) return value;
    throw new CheckpointError("the model's configuration makes no sense", {
      where,
      expected: `a whole number above 0 for ${names.join(" or ")}`,
      found: `${value}`,
    });
  };
  const rate = (names: readonly string[]): number => {
    const value = number(names, 0.1);
    if (value < 1) return value;
    throw new CheckpointError("the model's configuration makes no sense", {
      where,
      expected: `a rate below 1 for ${names.join(" or ")}`,
      found: `${value}`,
    });
  };
  if (json["is_decoder"] === true) {
    throw new CheckpointError("a decoder is not an encoder", { where, expected: "is_decoder false", found: "true" });
  }
  const kind = json["position_embedding_type"];
  if (kind !== undefined && kind !== "absolute") {
    throw new CheckpointError("positions of this type are not supported", {
      where,
      expected: "absolute",
      found: String(kind),
    });
  }
  const activation = ACTIVATIONS[String(json["hidden_act"] ?? json["activation"] ?? "gelu")];
  if (activation === undefined) {
    throw new CheckpointError("the activation is not supported", {
      where,
      expected: Object.keys(ACTIVATIONS).join(", "),
      found: String(json["hidden_act"] ?? json["activation"]),
    });
  }
  const config: EncoderConfig = {
    family,
    hiddenSize: size(["hidden_size", "dim"]),
    layers: size(["num_hidden_layers", "n_layers"]),
    heads: size(["num_attention_heads", "n_heads"]),
    intermediateSize: size(["intermediate_size", "hidden_dim"]),
    activation,
    vocabSize: size(["vocab_size"]),
    positions: size(["max_position_embeddings"]),
    typeVocabSize: family === "distilbert" || family === "mpnet" ? 0 : number(["type_vocab_size"], 2),
    // transformers' MPNet counts positions from 1, whatever its configuration says.
    padId: family === "mpnet" ? 1 : number(["pad_token_id"], family === "bert" || family === "distilbert" ? 0 : 1),
    layerNormEpsilon: family === "distilbert" ? 1e-12 : number(["layer_norm_eps"], 1e-12),
    hiddenDropout: rate(["hidden_dropout_prob", "dropout"]),
    attentionDropout: rate(["attention_probs_dropout_prob", "attention_dropout"]),
    relativeBuckets: family === "mpnet" ? number(["relative_attention_num_buckets"], 32) : 0,
  };
  if (config.hiddenSize % config.heads !== 0) {
    throw new CheckpointError("the heads do not divide the hidden size", {
      where,
      found: `${counted(config.hiddenSize, "feature")}, ${counted(config.heads, "head")}`,
    });
  }
  return config;
}
