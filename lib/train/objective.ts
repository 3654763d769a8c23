/**
 * What is being minimised: the seam between the training loop and models, losses and data.
 *
 * @module
 */
import type { Engine, Handle } from "../engine/engine.ts";
import type { Parameters } from "../tensor/tensor.ts";
import type { Batch } from "./batches.ts";

/** A loss over rows of a dataset, with everything that is trained by it. */
export interface Objective {
  /** All trained tensors, heads of the loss included, under the names they are saved by. */
  readonly parameters: Parameters;
  /** Rows of the dataset. */
  readonly rows: number;
  /** Texts by column that must not repeat within a batch, if the loss asks for that. */
  readonly distinct?: readonly (readonly string[])[] | undefined;
  /** Class of every row, if a batch must hold at least two rows of each of its classes. */
  readonly groups?: Int32Array | undefined;
  /**
   * Whether a batch of these rows holds anything that a positive could be told from. Undefined: the loss takes no
   * negatives from the batch.
   */
  readonly hasNegative?: ((rows: Int32Array) => boolean) | undefined;
  /** The data sets that the rows are of, where there are several that take turns. */
  readonly sets?: readonly ObjectiveSet[] | undefined;
  /** Of which of them a batch is, by its place among them. */
  readonly setOf?: ((rows: Int32Array) => number) | undefined;
  /** The batches of any epoch, where rows are not shuffled all together. */
  readonly batches?:
    | ((draw: { readonly batchSize: number; readonly seed: number }) => (epoch: number) => readonly Batch[])
    | undefined;
  /** Tokens of these rows. */
  readonly tokens: (rows: Int32Array) => number;
  /**
   * Forward and backward of one batch: adds `scale` times the gradient to that of every parameter, and returns the loss
   * [1], a temporary of the current arena.
   */
  readonly differentiate: (engine: Engine, batch: ObjectiveBatch, scale: number) => Handle;
}

/** One of several data sets. */
export interface ObjectiveSet {
  /** Its name. */
  readonly name: string;
  /** It alone. */
  readonly objective: Objective;
  /** Rows of its batches. Default: those of the run. */
  readonly batchSize?: number | undefined;
  /** Names of the tensors that it alone trains: they rest in updates without a batch of it. */
  readonly own: readonly string[];
}

/** One batch of an {@linkcode Objective}. */
export interface ObjectiveBatch {
  /** Row numbers. */
  readonly rows: Int32Array;
  /** Their places in the epoch. */
  readonly streams: Int32Array;
  /** Which pass over the data, from 0 (the default): for what is drawn once per row and epoch. */
  readonly epoch?: number;
  /** The run's seed. */
  readonly seed: number;
  /** The update, from 1 over all epochs: part of the key of every random mask. */
  readonly step: number;
}
