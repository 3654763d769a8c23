/**
 * Training by labels: which texts are held out, and how each loss gets its rows.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attemptSync } from "../attempt.ts";
import type { Dataset, LabelledTexts } from "../data/dataset.ts";
import type { Columns } from "../data/rows.ts";
import { type KindredError, UsageError } from "../error.ts";
import type { LabelKind } from "../loss/loss.ts";
import { losses, type LossSpec } from "../loss/named.ts";
import type { CountedDataset, ModelFolder, TrainedModel } from "../stage/artifact.ts";
import { parseColumns } from "../data/column_mapping.ts";
import { blind, cut, unusable } from "./evaluation.ts";
import type { Invocation } from "./flags.ts";
import type { FlagValues } from "./flags.ts";
import { modelShape, number, promptsOf, text, trainSettings, trainSource } from "./settings.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import { labelPairs, labelTriplets, loadLabelledTexts } from "./stages/labels.ts";
import type { RowsOf } from "./stages/loss_rows.ts";
import { trainBiEncoder, type TrainParameters } from "./stages/train.ts";

/** Labelled texts for training and for evaluation. */
export interface LabelledParts {
  /** To train on. */
  readonly texts: Artifact<CountedDataset<LabelledTexts>>;
  /** To evaluate on; undefined where there are none. */
  readonly heldOut: Artifact<CountedDataset<LabelledTexts>> | undefined;
  /** What is worth knowing. */
  readonly warnings: readonly string[];
  /** Names of the labels, by number. */
  readonly labels: readonly string[];
}

/** The texts of `--train` and `--eval`; without the latter, some are held out. Equal texts stay on one side. */
export const labelledParts: (invocation: Invocation) => Effect.Effect<LabelledParts, KindredError, Services> = Effect
  .fnUntraced(function* (invocation) {
    const { values, preset } = invocation;
    const seed = number(values, "seed");
    const train = { ...trainSource(invocation), seed };
    const evaluation = text(values, "eval");
    if (evaluation !== undefined && train.from === undefined) {
      return yield* Effect.fail(
        new UsageError("--eval has no labels in common with the sample", {
          hint: "name your training data with --train",
        }),
      );
    }
    const all = yield* loadLabelledTexts(train);
    if (evaluation !== undefined) {
      const named = text(values, "eval-columns");
      const heldOut = yield* loadLabelledTexts({
        ...train,
        ...(named !== undefined && { columns: parseColumns(named) }),
        columnsFlag: "--eval-columns",
        from: evaluation,
        limit: undefined,
        like: all,
      });
      return { texts: all, heldOut, labels: (yield* valueOf(heldOut)).classes, warnings: [] };
    }
    const labels = (yield* valueOf(all)).classes;
    if (train.from === undefined) {
      const heldOut = yield* loadLabelledTexts({ heldOut: true, limit: preset === "test" ? 150 : 900 });
      return { texts: all, heldOut, labels, warnings: [] };
    }
    const parts = yield* cut<LabelledTexts>(invocation, all);
    const { train: texts, heldOut, warnings } = parts;
    const trouble = heldOut &&
      (yield* unusable({ kind: "labels", rows: heldOut as Artifact<CountedDataset<Columns>> }));
    if (trouble !== undefined) return { texts: all, heldOut: undefined, labels, warnings: [blind(trouble)] };
    return { texts, heldOut, labels, warnings };
  });

/** What was trained, on which rows. */
export interface TrainedByLabels {
  /** Texts, pairs or triplets. */
  readonly data: Artifact<CountedDataset<Columns>>;
  /** The model. */
  readonly trained: Artifact<TrainedModel>;
}

/** Makes the rows of `--loss`, and trains on them. */
export const trainByLabels: (
  invocation: Invocation,
  base: Artifact<ModelFolder>,
  texts: Artifact<CountedDataset<LabelledTexts>>,
  how: Pick<LabelledParts, "heldOut"> & Pick<TrainParameters, "matryoshka">,
) => Effect.Effect<TrainedByLabels, KindredError, Services> = Effect.fnUntraced(function* (
  { values },
  base,
  texts,
  { heldOut, matryoshka },
) {
  const [settings, seed] = [trainSettings(values), number(values, "seed")];
  const options = yield* attemptSync(() => lossOptions(values));
  const prompts = yield* attemptSync(() => promptsOf(values));
  const on = Effect.fnUntraced(function* <L extends LabelKind>(
    loss: LossSpec<L>,
    rows: Artifact<CountedDataset<RowsOf<L>>>,
  ) {
    const data = rows as Artifact<Dataset<RowsOf<L>>>;
    const shape = { freeze: text(values, "freeze"), prompts, matryoshka, ...modelShape(values) };
    const evaluated = heldOut && {
      eval: heldOut as Artifact<Dataset<Columns>>,
      evaluation: { kind: "labels", neighbors: number(values, "neighbors") } as const,
    };
    const trained = yield* trainBiEncoder({ model: base, data, loss, settings, ...shape, ...evaluated });
    return { data: rows as Artifact<CountedDataset<Columns>>, trained };
  });
  switch (text(values, "loss")) {
    case "batch-hard":
      return yield* on(losses.batchHardTriplet(options), texts);
    case "batch-hard-soft-margin":
      return yield* on(losses.batchHardSoftMarginTriplet(options), texts);
    case "batch-semi-hard":
      return yield* on(losses.batchSemiHardTriplet(options), texts);
    case "triplet":
      return yield* on(losses.triplet(options), yield* labelTriplets(texts, seed));
    case "contrastive":
      return yield* on(losses.contrastive(options), yield* labelPairs(texts, seed));
    case "online-contrastive":
      return yield* on(losses.onlineContrastive(options), yield* labelPairs(texts, seed));
    default:
      return yield* on(losses.batchAllTriplet(options), texts);
  }
});

/** What the loss is told. A flag that it would ignore is an error. */
function lossOptions(values: FlagValues): { readonly margin?: number; readonly distance?: "cosine" } {
  const [loss, distance] = [text(values, "loss") ?? "batch-all", text(values, "distance")];
  if (loss === "batch-hard-soft-margin" && values["margin"] !== undefined) {
    throw new UsageError("the soft margin has no --margin", { hint: "leave it out, or take --loss batch-hard" });
  }
  if (loss.startsWith("batch") && distance === "manhattan") {
    throw new UsageError(`--loss ${loss} cannot use this --distance`, {
      expected: "euclidean, cosine",
      found: distance,
    });
  }
  return {
    ...(values["margin"] !== undefined && { margin: number(values, "margin") }),
    ...(distance !== undefined && { distance: distance as "cosine" }),
  };
}
