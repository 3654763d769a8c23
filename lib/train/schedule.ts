/**
 * Learning-rate schedules with warmup, as in Hugging Face's trainer.
 *
 * @module
 */

/** Shape of the decay after the warmup. */
export type ScheduleKind = "linear" | "cosine" | "constant";

/** All of them. */
export const SCHEDULES: readonly ["linear", "cosine", "constant"] = ["linear", "cosine", "constant"];

/** A schedule over a known number of updates. */
export interface Schedule {
  /** The decay. */
  readonly kind: ScheduleKind;
  /** Highest rate, reached at the end of the warmup. */
  readonly learningRate: number;
  /** Updates in all. */
  readonly totalSteps: number;
  /** Updates of the warmup. */
  readonly warmupSteps: number;
}

/**
 * Warmup in updates: as given, or a share of all of them, rounded up.
 *
 * @param totalSteps Updates in all.
 * @param warmup A number of updates, or a share of all.
 * @returns A number of updates.
 *
 * @example
 * ```ts
 * import { warmupOf } from "@kindred/kindred/train";
 * import assert from "node:assert/strict";
 * assert.deepEqual([warmupOf(95, { ratio: 0.1 }), warmupOf(95, { steps: 3 })], [10, 3]);
 * ```
 */
export function warmupOf(
  totalSteps: number,
  warmup: { readonly steps?: number | undefined; readonly ratio?: number | undefined },
): number {
  return warmup.ratio === undefined ? warmup.steps ?? 0 : Math.ceil(totalSteps * warmup.ratio);
}

/**
 * The rate of update `step` (from 0): lr · step / warmup while warming up, then, with p the share of the rest that is
 * done, lr · (1 − p) (linear), lr · (1 + cos πp) / 2 (cosine) or lr (constant).
 *
 * @param schedule Kind, learning rate, warmup, updates in all.
 * @param step The update, from 0.
 * @returns Its learning rate.
 *
 * @example
 * ```ts
 * import { rateAt } from "@kindred/kindred/train";
 * import assert from "node:assert/strict";
 * const schedule = { kind: "linear", learningRate: 1, totalSteps: 10, warmupSteps: 2 } as const;
 * assert.deepEqual([0, 1, 2, 6].map((step) => rateAt(schedule, step)), [0, 0.5, 1, 0.5]);
 * ```
 */
export function rateAt(schedule: Schedule, step: number): number {
  const { kind, learningRate, totalSteps, warmupSteps } = schedule;
  if (step < warmupSteps) return learningRate * step / Math.max(1, warmupSteps);
  const done = (step - warmupSteps) / Math.max(1, totalSteps - warmupSteps);
  if (kind === "linear") return learningRate * Math.max(0, 1 - done);
  if (kind === "cosine") return learningRate * Math.max(0, (1 + Math.cos(Math.PI * Math.min(1, done))) / 2);
  return learningRate;
}
