/**
 * The shape of an encoder, and how it is read from a checkpoint's `config.json`.
 *
 * @module
 */
import type { Activation } from "../engine/engine.ts";
import { counted } from "../counted.ts";
import { CheckpointError } from "../error.ts";

/** What a forward pass needs to know; a family may know more of its own. */
export interface EncoderConfig {
  /** The `model_type` of the checkpoint. */
  readonly family: string;
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
  /** Positions that the model knows. */
  readonly positions: number;
  /** Rows of the table of token types; 0 if there is none. */
  readonly typeVocabSize: number;
  /** Id of padding; −1 of a model that has none. */
  readonly padId: number;
  /** ε of the normalisations. */
  readonly layerNormEpsilon: number;
  /** Dropout of embeddings and of what is added to the residual. */
  readonly hiddenDropout: number;
  /** Dropout of attention probabilities. */
  readonly attentionDropout: number;
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

/** Reads entries of `config.json`, each under any of its names; what cannot be used is refused by name. */
export interface ConfigReader {
  /** Its `model_type`. */
  readonly type: string;
  /** All of it. */
  readonly json: Readonly<Record<string, unknown>>;
  /** A number from 0. */
  readonly number: (names: readonly string[], fallback?: number) => number;
  /** A whole number above 0. */
  readonly size: (...names: string[]) => number;
  /** Id of padding: as it says, −1 where it says that there is none. */
  readonly padId: (usual: number) => number;
  /** A number of heads that divides the hidden size. */
  readonly heads: (...names: string[]) => number;
  /** Refuses the configuration: `what` is not supported. */
  readonly refuse: (what: string) => never;
  /** A rate of dropout. */
  readonly rate: (names: readonly string[], fallback: number) => number;
  /** An activation; where nothing is said, the one that the family's class has. Default GELU. */
  readonly activation: (names: readonly string[], fallback?: Activation) => Activation;
  /** `layer_types`: which layers see a window alone; undefined where nothing is said. */
  readonly layerTypes: (layers: number) => readonly LayerKind[] | undefined;
  /** Refuses the configuration unless the entry is one of these; the first holds where nothing is said. */
  readonly only: (name: string, ...values: unknown[]) => void;
}

/** Kinds of layers: those that see the whole sequence, and those that see a window of it. */
export type LayerKind = "full_attention" | "sliding_attention";

/** The padding of a model that pads with no token. */
export const NO_TOKEN = -1;

/** A reader. `where` is for errors. What no family has is refused here: decoders, weights of few bits, heads cut out. */
export function configReader(json: Readonly<Record<string, unknown>>, where: string): ConfigReader {
  const wrong = (expected: string, found: unknown): never => {
    throw new CheckpointError("the model's configuration makes no sense", { where, expected, found: `${found}` });
  };
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
  const reader: ConfigReader = {
    type: String(json["model_type"]),
    json,
    number,
    size(...names) {
      const value = number(names);
      if (Number.isInteger(value) && value > 0) return value;
      return wrong(`a whole number above 0 for ${names.join(" or ")}`, value);
    },
    padId(usual) {
      const { pad_token_id: id = usual } = json;
      return typeof id === "number" ? id : NO_TOKEN;
    },
    heads(...names) {
      const [heads, hiddenSize] = [reader.size(...names), reader.size("hidden_size", "dim", "n_embd")];
      if (hiddenSize % heads === 0) return heads;
      throw new CheckpointError("the heads do not divide the hidden size", {
        where,
        found: `${counted(hiddenSize, "feature")}, ${counted(heads, "head")}`,
      });
    },
    refuse(what) {
      throw new CheckpointError(`${what} are not supported`, { where, found: what });
    },
    rate(names, fallback) {
      const value = number(names, fallback);
      return value < 1 ? value : wrong(`a rate below 1 for ${names.join(" or ")}`, value);
    },
    activation(names, fallback = "gelu") {
      const named = names.map((each) => json[each]).find((value) => value !== undefined && value !== null);
      if (named === undefined) return fallback;
      const name = String(named);
      if (Object.hasOwn(ACTIVATIONS, name)) return ACTIVATIONS[name]!;
      throw new CheckpointError("the activation is not supported", {
        where,
        expected: Object.keys(ACTIVATIONS).join(", "),
        found: name,
      });
    },
    layerTypes(layers) {
      const types = json["layer_types"];
      if (types === undefined || types === null) return undefined;
      const kinds: readonly unknown[] = ["full_attention", "sliding_attention"];
      const isRight = Array.isArray(types) && types.length === layers && types.every((type) => kinds.includes(type));
      return isRight
        ? types as readonly LayerKind[]
        : wrong(`layer_types of ${counted(layers, "layer")}, each ${kinds.join(" or ")}`, JSON.stringify(types));
    },
    only(name, ...values) {
      const found = json[name] ?? values[0];
      if (values.includes(found)) return;
      throw new CheckpointError(`${name} of this kind is not supported`, {
        where,
        expected: values.join(" or "),
        found: JSON.stringify(found),
      });
    },
  };
  if (json["is_decoder"] === true) {
    throw new CheckpointError("a decoder is not an encoder", { where, expected: "is_decoder false", found: "true" });
  }
  const isSet = (value: unknown) =>
    value !== undefined && value !== null && value !== false && Object.keys(Object(value)).length > 0;
  for (const name of ["pruned_heads", "quantization_config", "per_layer_config"]) {
    if (!isSet(json[name])) continue;
    throw new CheckpointError(`${name} is not supported`, {
      where,
      expected: "whole weights of one shape for all layers, not quantised",
      found: JSON.stringify(json[name]),
    });
  }
  return reader;
}
