/**
 * What the training loop tells and checks by data set, where several take turns.
 *
 * @module
 */
import type { Batch } from "./batches.ts";
import { requireNegatives } from "./negatives.ts";
import type { Objective } from "./objective.ts";
import { type Plan, type PlanSettings, planUpdates, type Update } from "./plan.ts";
import type { StepSums, TrainingRecord } from "./record.ts";
import type { StepResult } from "./steps.ts";

/** Warnings of {@linkcode requireNegatives}, which every data set has to stand for itself. */
export function negativeWarnings(plan: Plan, objective: Objective, settings: PlanSettings): string[] {
  if (objective.sets === undefined) return requireNegatives(plan, objective);
  return objective.sets.flatMap(({ name, objective, batchSize = settings.batchSize }) => {
    if (objective.hasNegative === undefined) return [];
    const onePass = planUpdates(objective, { ...settings, batchSize, epochs: 1, maxSteps: undefined });
    return requireNegatives(onePass, objective, name);
  });
}

/** Counts on from the record how many updates each data set has had, update after update. */
export function ownCounter(
  { sets, setOf }: Objective,
  record: TrainingRecord,
): ((batches: Update) => readonly (number | undefined)[]) | undefined {
  if (sets === undefined) return undefined;
  const counts = sets.map(({ name }) => record.sets?.[name]?.updates ?? 0);
  return (batches) => {
    const present = new Set(batches.map(({ rows }) => setOf!(rows)));
    return counts.map((_, set) => present.has(set) ? ++counts[set]! : undefined);
  };
}

/** The batches of an update by their data sets, for the record. */
export function setBatches({ batches, losses, tokens, skipped }: StepResult, objective: Objective): StepSums["sets"] {
  const { sets, setOf } = objective;
  if (sets === undefined) return undefined;
  return {
    counts: !skipped,
    batches: batches.map(({ rows }, i) => ({
      set: sets[setOf!(rows)]!.name,
      loss: losses[i]!,
      samples: rows.length,
      tokens: tokens[i]!,
    })),
  };
}

/** The rows of an update, batch by batch; of several data sets by their numbers in their own. */
export function rowsTold(batches: Update, { sets, setOf }: Objective): string {
  const told = ({ rows }: Batch) => {
    if (sets === undefined) return rows.join(" ");
    const set = setOf!(rows);
    const before = sets.slice(0, set).reduce((sum, { objective }) => sum + objective.rows, 0);
    return `${rows.map((row) => row - before).join(" ")} of ${sets[set]!.name}`;
  };
  return batches.map(told).join(" | ");
}
