/**
 * What tensors a model has: their shapes, and what each is.
 *
 * @module
 */

/**
 * What a tensor is: a table of embeddings, of which a step touches few rows; the weight of a linear map; another matrix; a
 * vector that is added; or the scale of a normalisation. Tables, weights and matrices are decayed, as by transformers'
 * trainer, the others are not.
 */
export type TensorKind = "table" | "linear" | "matrix" | "bias" | "norm";

/** One tensor of a model. */
export interface TensorSpec {
  /** Its shape. */
  readonly shape: readonly number[];
  /** What it is. */
  readonly kind: TensorKind;
}

/** The tensors of a model, or of a part of it, under the names of the checkpoint. */
export type TensorSpecs = ReadonlyMap<string, TensorSpec>;

/** Where the values of parameters come from: at once, or in pieces of whole rows, as `TensorReader.piecesF32` gives them. */
export type Initial = (
  name: string,
  spec: TensorSpec,
) => Promise<Float32Array> | Float32Array | AsyncIterable<Float32Array>;

/** Names of tensors that are kept as one, by the name of the whole. */
export type Joined = ReadonlyMap<string, readonly string[]>;

/** Collects specifications in the order in which they are named. */
export interface SpecList {
  /** What was named. */
  readonly specs: TensorSpecs;
  /** Any tensor. */
  readonly add: (name: string, kind: TensorKind, ...shape: number[]) => void;
  /** Weight [n, k], and bias [n] unless there is none. */
  readonly linear: (name: string, n: number, k: number, bias?: boolean) => void;
  /** Scale [h], and shift [h] unless there is none. */
  readonly norm: (name: string, h: number, bias?: boolean) => void;
}

/** An empty list. */
export function specList(): SpecList {
  const specs = new Map<string, TensorSpec>();
  const add: SpecList["add"] = (name, kind, ...shape) => void specs.set(name, { shape, kind });
  return {
    specs,
    add,
    linear(name, n, k, bias = true) {
      add(`${name}.weight`, "linear", n, k);
      if (bias) add(`${name}.bias`, "bias", n);
    },
    norm(name, h, bias = true) {
      add(`${name}.weight`, "norm", h);
      if (bias) add(`${name}.bias`, "bias", h);
    },
  };
}
