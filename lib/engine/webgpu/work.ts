/**
 * What an engine asks of its device, counted: in all, and in the steps of trainings.
 *
 * @module
 */
import type { DeviceWork, Work } from "../engine.ts";

/** Counts, as they grow. */
export interface WorkCount {
  /** So far. */
  readonly work: DeviceWork;
  /** Adds to one of them. */
  readonly count: (kind: keyof Work, amount?: number) => void;
  /** A step begins, and goes on until another does, or until values are read. */
  readonly beginStep: () => void;
  /** What comes now belongs to no step. */
  readonly endSteps: () => void;
}

/** Counts from nothing on. */
export function countWork(): WorkCount {
  const nothing: Record<keyof Work, number> = { dispatches: 0, submits: 0, uploaded: 0, reads: 0 };
  const work = { ...nothing, steps: { count: 0, ...nothing } };
  let isStep = false;
  return {
    work,
    count(kind, amount = 1) {
      work[kind] += amount;
      if (isStep) work.steps[kind] += amount;
    },
    beginStep() {
      isStep = true;
      work.steps.count++;
    },
    endSteps: () => void (isStep = false),
  };
}
