/**
 * What a loss of a cross-encoder is: a pure function of logits and labels, and what it needs of the data and the model.
 *
 * @module
 */
import type { Handle } from "../engine/engine.ts";
import type { Tape } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { LabelKind } from "./loss.ts";

/**
 * A loss over the logits of pairs, a mean over the rows of a batch. The first text column is paired with each of the
 * others, the candidates. `L` tells at compile time which label it wants.
 */
export interface CrossEncoderLoss<L extends LabelKind = LabelKind> {
  /** Its name in reports and cache keys. */
  readonly name: string;
  /** How many text columns it takes. */
  readonly texts: { readonly min: number; readonly max: number };
  /** Which label. A dataset with another one is refused. */
  readonly label: L;
  /** Whether the model has one label, a score, or several, classes. */
  readonly outputs: "score" | "classes";
  /** For scores as labels: the range they must lie in. */
  readonly range?: readonly [number, number];
  /** Scores a row may have as its label, for that many candidates. Default: 1. */
  readonly labelWidths?: (candidates: number) => readonly number[];
  /** How many texts of other rows each row gets as further candidates; fewer if there are not so many. Default 0. */
  readonly inBatchNegatives?: number;
  /** Its settings, as plain JSON. */
  readonly options: Readonly<Record<string, string | number | boolean>>;
  /**
   * The loss [1]. Scores: logits [B, candidates], in the order of columns, those of other rows last; labels f32
   * [B, width]. Classes: logits [B, classes]; labels i32 [B].
   */
  readonly apply: (tape: Tape, logits: Tensor, labels: Handle | undefined) => Tensor;
  /** Where the formula is from. */
  readonly paper: string;
}

/** What a loss may do to logits before anything else. */
export type LogitActivation = "identity" | "sigmoid";
