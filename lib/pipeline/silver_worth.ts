/**
 * What the silver pairs were worth: the model that learnt from them beside those that learnt from the gold pairs alone, on
 * gold pairs that none has learnt from, and which of them is kept.
 *
 * @module
 */
import { Effect } from "effect";
import { attemptSync } from "../attempt.ts";
import { comparePaired, type PairedComparison } from "../augment/paired_comparison.ts";
import type { Dataset, ScoredPairs } from "../data/dataset.ts";
import type { KindredError } from "../error.ts";
import type { TrainedModel } from "../stage/artifact.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import { evaluateModel } from "./stages/evaluate.ts";

/** What a bi-encoder of Augmented SBERT has learnt from; the controls with as many epochs, or as many updates. */
export type LearntFrom = "silver" | "gold alone" | "gold alone, equal steps";

/** The models beside each other. */
export interface SilverWorth extends Pick<PairedComparison, "metric" | "rows"> {
  /** Which model knows most of the gold pairs held out: the product. */
  readonly kept: LearntFrom;
  /** What each model reaches. */
  readonly models: readonly {
    /** Which model. */
    readonly learntFrom: LearntFrom;
    /** What it reaches. */
    readonly value: number;
    /** What the silver pairs add to it, and the standard error of that. */
    readonly difference: number;
    /** Standard error of the difference, by a paired bootstrap. */
    readonly uncertainty: number;
  }[];
}

/**
 * Measures the models on gold pairs held out. Where gold alone reaches as much as the silver pairs do, they were for nothing,
 * and a model that learnt from what people said is the one to keep.
 */
export const worthOfSilver: (
  models: Readonly<Record<LearntFrom, Artifact<TrainedModel>>>,
  held: Artifact<Dataset<ScoredPairs>>,
) => Effect.Effect<SilverWorth, KindredError, Services> = Effect.fnUntraced(function* (models, held) {
  const { columns: { score } } = yield* valueOf(held);
  const cosinesOf = Effect.fnUntraced(function* (learntFrom: LearntFrom) {
    const as = `${STAGES[learntFrom]}-held-out`;
    const rows = held as Artifact<Dataset<ScoredPairs>>;
    return (yield* valueOf(yield* evaluateModel({ model: models[learntFrom], rows }, { kind: "similarity" }, as)))
      .similarities;
  });
  const ours = yield* cosinesOf("silver");
  const measured: { learntFrom: LearntFrom; comparison: PairedComparison }[] = [];
  for (const learntFrom of Object.keys(STAGES) as LearntFrom[]) {
    const cosines = yield* cosinesOf(learntFrom);
    measured.push({ learntFrom, comparison: yield* attemptSync(() => comparePaired(ours, cosines, score)) });
  }
  // The first of the best: gold alone, then silver.
  const best = measured.reduce((best, other) => other.comparison.second > best.comparison.second ? other : best);
  const { metric, rows } = best.comparison;
  return {
    metric,
    rows,
    kept: best.learntFrom,
    models: measured.map(({ learntFrom, comparison: { first, second, uncertainty } }) => ({
      learntFrom,
      value: second,
      difference: first - second,
      uncertainty,
    })),
  };
});

/** What the stages of each model are called; those of the gold pairs alone come first, so that a tie is theirs. */
const STAGES = {
  "gold alone": "control",
  "gold alone, equal steps": "control-equal-steps",
  "silver": "train",
} as const satisfies Readonly<Record<LearntFrom, string>>;
