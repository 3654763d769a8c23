/**
 * What a training run leaves behind beside the weights.
 *
 * @module
 */

/** Values of an evaluation, under sentence-transformers' key names. */
export type Metrics = { readonly [key: string]: number };

/** The course of a training run; plain JSON. */
export interface TrainingRecord {
  /** Updates done. */
  steps: number;
  /** Rows seen. */
  samples: number;
  /** Tokens seen. */
  tokens: number;
  /** Wall time of the step loop: gathering, forward, backward, optimizer; nothing else. */
  seconds: number;
  /** [update, mean loss since the last entry] */
  loss: [number, number][];
  /** Loss sum and number of updates since the last entry of `loss`. */
  pending: [number, number];
  /** [update, metrics] */
  evaluations: [number, Metrics][];
  /** Where the chosen metric was best so far. */
  best?: { step: number; value: number };
  /** Evaluations since the best one. */
  stale: number;
  /** Whether patience ran out. */
  stoppedEarly: boolean;
}

/** The record of a run that has not begun. */
export function emptyRecord(): TrainingRecord {
  return {
    steps: 0,
    samples: 0,
    tokens: 0,
    seconds: 0,
    loss: [],
    pending: [0, 0],
    evaluations: [],
    stale: 0,
    stoppedEarly: false,
  };
}
