/**
 * What a loss over lists is: a query, its documents and how relevant each is; the order of a list's scores is learned.
 *
 * Lists lie end to end and are never padded: scores are one column [n, 1] of all documents of a batch.
 *
 * @module
 */
import type { Handle } from "../engine/engine.ts";
import type { Tape } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Lists of a batch, end to end. */
export interface Lists {
  /** [L + 1] list l has documents offsets[l] … offsets[l + 1] − 1, at least one. */
  readonly offsets: Int32Array;
  /** [n] how relevant each document is to the query of its list: more is better. */
  readonly labels: Float32Array;
}

/** A loss before its mean is taken: parts of a batch are added up, and the sum of losses is divided by that of counts. */
export interface ListTotal {
  /** [1] */
  readonly sum: Tensor;
  /** What the sum is divided by, unless it is 0: on the host where the labels alone tell it, else [1] on the device. */
  readonly count: number | Handle;
}

/** A loss over the scores of lists of documents, for cross-encoders with one label. */
export interface ListLoss {
  /** Its name in reports and cache keys. */
  readonly name: string;
  /** Documents with a label each. */
  readonly label: "list";
  /** The model has one label, a score. */
  readonly outputs: "score";
  /** Its settings, as plain JSON. */
  readonly options: Readonly<Record<string, string | number | boolean>>;
  /** The count of a list with these labels; undefined where it depends on scores. */
  readonly countOf: (labels: Float32Array) => number | undefined;
  /** The loss of a batch, before its mean is taken; scores are the logits [n, 1]. */
  readonly total: (tape: Tape, scores: Tensor, lists: Lists) => ListTotal;
  /** Where the formula is from. */
  readonly paper: string;
}

/** The count of all lists; undefined where that of one depends on scores. */
export function countOf(loss: ListLoss, { offsets, labels }: Lists): number | undefined {
  let count = 0;
  for (let list = 0; list + 1 < offsets.length; list++) {
    const own = loss.countOf(labels.subarray(offsets[list]!, offsets[list + 1]!));
    if (own === undefined) return undefined;
    count += own;
  }
  return count;
}
