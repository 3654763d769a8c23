/**
 * What a domain adaptation has for its report: one way with each of its steps, or several ways, of which the best is kept.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import type { KindredError } from "../error.ts";
import { type Services, valueOf } from "../stage/stage.ts";
import {
  type Adaptation,
  type AdaptationTask,
  compareAdaptations,
  type CompareAdaptationsOptions,
  domainAdaptation,
} from "./domain_adaptation.ts";
import type { EvaluationSet } from "./evaluation.ts";
import type { Results, TrainedRun } from "./finish.ts";
import { PRIMARY_METRIC } from "./stages/evaluate_rows.ts";
import type { BeforeAndAfter } from "./training.ts";

/** What the report shows of it. */
type Shown = Pick<Results, "runs" | "tables" | "details" | "warnings" | "facts">;

/** Ways that did not help: the training that followed ends below that without an adaptation, or below the base untouched. */
const unhelpful: (
  ways: readonly (readonly [by: string, trained: TrainedRun])[],
  control: TrainedRun | undefined,
  evaluation: EvaluationSet | undefined,
) => Effect.Effect<readonly string[], KindredError> = Effect.fnUntraced(function* (ways, control, evaluation) {
  if (evaluation === undefined) return [];
  const metric = PRIMARY_METRIC[evaluation.kind];
  const without = control === undefined ? "of the model untouched" : "of the same training without it";
  const warnings: string[] = [];
  for (const [by, { before, after }] of ways) {
    const was = (yield* valueOf(control?.after ?? before!)).metrics[metric]!;
    const is = (yield* valueOf(after!)).metrics[metric]!;
    if (is >= was) continue;
    warnings.push(
      `adaptation by ${by} did not help: ${metric} ${is.toFixed(4)}, below the ${was.toFixed(4)} ${without}`,
    );
  }
  return warnings;
});

/** base → adapted → trained. */
export const oneWay: (
  run: BeforeAndAfter,
  task: AdaptationTask,
  adaptation: Adaptation,
  evaluation: EvaluationSet | undefined,
) => Effect.Effect<Shown, KindredError, Services> = Effect.fnUntraced(function* (run, task, adaptation, evaluation) {
  const { model, adapted, control, table } = yield* domainAdaptation({ ...task, adaptation });
  const main = yield* run(model);
  const beside = control && (yield* run(control));
  return {
    runs: {
      main,
      adaptation: yield* run(adapted, adaptation.by === "mlm" ? task.shape : {}),
      ...(beside && { control: beside }),
    },
    tables: [table],
    facts: { "adapted by": adaptation.by },
    warnings: yield* unhelpful([[adaptation.by, main]], beside, evaluation),
  };
});

/**
 * Several ways beside each other. The product is the model that is best in the end by the metric that the report is about;
 * without one, that of the first way.
 */
export const bestWay: (
  run: BeforeAndAfter,
  task: CompareAdaptationsOptions,
  evaluation: EvaluationSet | undefined,
) => Effect.Effect<Shown, KindredError, Services> = Effect.fnUntraced(function* (run, task, evaluation) {
  const { ways, control, table } = yield* compareAdaptations(task);
  const [trained, beside]: [[string, TrainedRun][], Record<string, TrainedRun>] = [[], {}];
  for (const { by, adapted, shape, model } of ways) {
    trained.push([by, yield* run(model)]);
    beside[by] = yield* run(adapted, shape);
  }
  if (control !== undefined) beside["control"] = yield* run(control);
  let [best, highest] = [trained[0]!, -Infinity];
  for (const way of trained) {
    const value = evaluation && (yield* valueOf(way[1].after!)).metrics[PRIMARY_METRIC[evaluation.kind]];
    if (value !== undefined && value > highest) [best, highest] = [way, value];
  }
  for (const [by, way] of trained) if (by !== best[0]) beside[`${by}, then trained`] = way;
  return {
    runs: { ...beside, main: best[1] },
    tables: [table],
    details: { "the model is adapted by": best[0] },
    facts: {
      "adapted by": ways.length === 1 ? best[0] : `${best[0]}, the best of ${ways.map(({ by }) => by).join(", ")}`,
    },
    warnings: [
      ...yield* unhelpful(trained, beside["control"], evaluation),
      ...(evaluation === undefined || trained.length === 1
        ? []
        : ["the way of adaptation was chosen on the same rows that the report is about"]),
    ],
  };
});
