/**
 * What a loss is: a pure function of embeddings and labels, and what it needs of the data.
 *
 * @module
 */
import type { Handle } from "../engine/engine.ts";
import type { Tape } from "../tensor/tape.ts";
import type { Parameters, Tensor } from "../tensor/tensor.ts";

/** Which label a loss wants beside its texts: none, a class number, or a similarity. */
export type LabelKind = "none" | "class" | "score";

/** A tensor that a loss trains beside the model. */
export interface HeadTensor {
  /** Its shape. */
  readonly shape: readonly number[];
  /** Its first values. */
  readonly data: Float32Array;
  /** Whether it is trained. */
  readonly trained: boolean;
}

/** What another model says of the texts: its embeddings, made once before training. */
export interface Guide {
  /** Whose: one matrix for each text column, or that of the first alone. */
  readonly columns: "each" | "first";
  /** Whether embeddings shall become like them: then they are cut where embeddings are cut. */
  readonly imitated: boolean;
}

/** What a loss may want of a batch beside embeddings and labels. */
export interface LossBatch {
  /** The classes of its rows on the host, for a `grouped` loss: it picks rows by them, and no step waits for that. */
  readonly classes?: Int32Array | undefined;
  /** What the guide says: one f32 [B, W] for each column that the loss asks for. */
  readonly guides?: readonly Handle[] | undefined;
  /** By what a loss draws at random: the run's seed and the update, from 1. Default: nothing is drawn. */
  readonly draw?: { readonly seed: number; readonly step: number } | undefined;
}

/** A loss over embeddings. `L` tells at compile time which label it wants. */
export interface Loss<L extends LabelKind = LabelKind> {
  /** Its name in reports and cache keys. */
  readonly name: string;
  /** How many text columns it takes. */
  readonly texts: { readonly min: number; readonly max: number };
  /** Which label. A dataset with another one is refused. */
  readonly label: L;
  /** Whether the rows of a batch are each other's negatives: then no text may occur twice in it. */
  readonly inBatch: boolean;
  /** Whether the rows of a batch are compared by their class: then each class in it needs at least two of them. */
  readonly grouped?: boolean;
  /** What it wants another model to say of the texts. Default: nothing. */
  readonly guide?: Guide | undefined;
  /** How many scores a row may have, for so many text columns. Default: one. */
  readonly labelWidths?: ((columns: number) => readonly number[]) | undefined;
  /** Its settings, as plain JSON. */
  readonly options: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  /** What it trains beside the model, for embeddings of this width. */
  readonly head?: (width: number, seed: number) => Readonly<Record<string, HeadTensor>>;
  /**
   * The loss [1] of one [B, D] matrix of embeddings per text column. `labels` are i32 [B] classes, or f32 [B]
   * scores, [B, n] where a row has several.
   */
  readonly apply: (
    tape: Tape,
    embeddings: readonly Tensor[],
    labels: Handle | undefined,
    head: Parameters,
    batch?: LossBatch,
  ) => Tensor;
  /** Where the formula is from. */
  readonly paper: string;
}
