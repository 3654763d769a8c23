/**
 * From flags to the two steps of domain adaptation.
 *
 * @module
 */
import { Effect } from "effect";
import type { Dataset } from "../data/dataset.ts";
import type { Columns } from "../data/rows.ts";
import { type KindredError, UsageError } from "../error.ts";
import { losses } from "../loss/named.ts";
import type { CountedDataset, ModelFolder } from "../stage/artifact.ts";
import { augmentedSbert } from "./augmented_sbert.ts";
import type { Invocation } from "./flags.ts";
import type { Adaptation, Supervise } from "./domain_adaptation.ts";
import type { FlagValues } from "./flags.ts";
import { augmentationOptions } from "./gold.ts";
import { rowsWithNegatives } from "./mining.ts";
import { denoisingParameters, modelShape, number, optional, text, trainSettings, trainSource } from "./settings.ts";
import type { Artifact, Services } from "../stage/stage.ts";
import { loadPairsOrNli } from "./stages/load.ts";
import { trainBiEncoder } from "./stages/train.ts";

/** How the model gets to know the target: `--adapt`, with a learning rate and a length of its own. */
export function adaptationOf(values: FlagValues): Adaptation {
  const parameters = denoisingParameters(values);
  const settings = {
    ...parameters.settings,
    maxSteps: optional(values, "adapt-steps"),
    epochs: number(values, "adapt-epochs"),
    learningRate: number(values, "adapt-learning-rate"),
  };
  const { maxSeqLength, freeze } = parameters;
  return text(values, "adapt") === "tsdae"
    ? { by: "tsdae", parameters: { ...parameters, settings } }
    : { by: "mlm", parameters: { settings, maxSeqLength, freeze } };
}

/** What follows, `--then`, and the rows that it learns from. */
export const superviseBy: (
  invocation: Invocation,
  base: Artifact<ModelFolder>,
) => Effect.Effect<
  { readonly data: Artifact<CountedDataset<Columns>>; readonly supervise: Supervise },
  KindredError,
  Services
> = Effect.fnUntraced(function* (invocation, base) {
  const { values } = invocation;
  if (text(values, "then") === "augmented") {
    if (values["gold"] === undefined && values["train"] !== undefined) {
      return yield* Effect.fail(
        new UsageError("Augmented SBERT learns from gold pairs", { hint: "--gold SRC instead of --train SRC" }),
      );
    }
    const options = yield* augmentationOptions(invocation);
    const supervise: Supervise = (model) =>
      Effect.map(augmentedSbert({ ...options, model, controls: false }), (result) => result.model);
    return { data: options.gold as Artifact<Dataset<Columns>> as Artifact<CountedDataset<Columns>>, supervise };
  }
  const rows = yield* loadPairsOrNli(trainSource(invocation));
  const data = yield* rowsWithNegatives(invocation, rows, base);
  const supervise: Supervise = (model, as) =>
    trainBiEncoder({
      model,
      data,
      loss: losses.multipleNegativesRanking(),
      settings: trainSettings(values),
      freeze: text(values, "freeze"),
      ...modelShape(values),
      as,
    });
  return { data, supervise };
});
