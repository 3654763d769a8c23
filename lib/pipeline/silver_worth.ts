/**
 * What the silver pairs were worth: the model that learnt from them beside those that learnt from the gold pairs alone, on
 * gold pairs that none has learnt from, and which of them is kept.
 *
 * @module
 */
import * as Effect from "effect/Effect";
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
  /** Which model is the product: the one with the silver pairs, where they add more than chance; else the best of the others. */
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
 * Measures the models on gold pairs held out. What the silver pairs add must be more than the standard error of the
 * difference, as a judge must be better than its student by more than that: what is less may be chance, and then a model that
 * learnt from what people said is the one to keep.
 */
export const worthOfSilver: (
  models: Readonly<Record<LearntFrom, Artifact<TrainedModel>>>,
  held: Artifact<Dataset<ScoredPairs>>,
) => Effect.Effect<SilverWorth, KindredError, Services> = Effect.fnUntraced(function* (models, held) {
  const { columns: { score } } = yield* valueOf(held);
  const cosinesOf = Effect.fnUntraced(function* (learntFrom: LearntFrom) {
    const as = `${STAGES[learntFrom]}-held-out`;
    return (yield* valueOf(yield* evaluateModel({ model: models[learntFrom], rows: held }, { kind: "similarity" }, as)))
      .similarities;
  });
  const ours = yield* cosinesOf("silver");
  const beside = Effect.fnUntraced(function* (learntFrom: LearntFrom) {
    const cosines = yield* cosinesOf(learntFrom);
    const { first, second: value, ...measured } = yield* attemptSync(() => comparePaired(ours, cosines, score));
    return { learntFrom, value, difference: first - value, ...measured };
  });
  const silver = yield* beside("silver");
  const alone = [yield* beside("gold alone"), yield* beside("gold alone, equal steps")] as const;
  const best = alone[1].value > alone[0].value ? alone[1] : alone[0];
  const helps = alone.every(({ difference, uncertainty }) => difference > uncertainty);
  return {
    metric: silver.metric,
    rows: silver.rows,
    kept: helps ? "silver" : best.learntFrom,
    models: [...alone, silver].map(({ metric: _, rows: __, ...model }) => model),
  };
});

/** What the stages of each model are called. */
const STAGES = {
  "silver": "train",
  "gold alone": "control",
  "gold alone, equal steps": "control-equal-steps",
} as const satisfies Readonly<Record<LearntFrom, string>>;
