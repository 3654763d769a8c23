/**
 * A training on several data sets, and what it was worth on each: before, after, and what of the evaluation was trained on.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt } from "../attempt.ts";
import { readFolder } from "../checkpoint/sentence_transformers.ts";
import type { Dataset } from "../data/dataset.ts";
import type { KindredError } from "../error.ts";
import type { LabelKind } from "../loss/loss.ts";
import { type ColumnPrompts, trainedPrompts } from "../model/prompts.ts";
import { type Evaluation, type ModelFolder, type ModelShape, summaryOf, type TrainedModel } from "../stage/artifact.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import type { MixingSettings } from "../train/mixed_batches.ts";
import type { TrainSettings } from "../train/settings.ts";
import { measuredTexts } from "./evaluation.ts";
import { type Leaks, leaksOf, leakWarning } from "./leaks.ts";
import type { LoadedSet } from "./set_loading.ts";
import { evaluateModel } from "./stages/evaluate.ts";
import { PRIMARY_METRIC } from "./stages/evaluate_rows.ts";
import { textNames } from "./stages/loss_rows.ts";
import { trainOnSets } from "./stages/train_sets.ts";
import { bestWarning, worseWarning } from "./warnings.ts";

/** A set, and what models are worth on its evaluation rows. */
export interface MeasuredSet extends LoadedSet {
  /** The model it started from; undefined where there are no such rows. */
  readonly before?: Artifact<Evaluation> | undefined;
  /** The model itself. */
  readonly after?: Artifact<Evaluation> | undefined;
}

/** Evaluates the base model on each set, trains it on all, and evaluates the result on each. */
export const trainAndMeasure: (
  loaded: readonly LoadedSet[],
  options: {
    readonly base: Artifact<ModelFolder>;
    readonly settings: TrainSettings;
    readonly seed: number;
    readonly mixing: MixingSettings;
    readonly freeze?: string | undefined;
    readonly shape?: ModelShape;
    /** Lengths to which embeddings are cut and measured as well. */
    readonly dimensions?: readonly number[] | undefined;
  },
) => Effect.Effect<
  {
    readonly trained: Artifact<TrainedModel>;
    readonly sets: readonly MeasuredSet[];
    /** Of each set's evaluation, what is in the training data of each, by its name. */
    readonly leaks: readonly Readonly<Record<string, Leaks>>[];
    readonly warnings: readonly string[];
  },
  KindredError,
  Services
> = Effect.fnUntraced(function* (loaded, { base, settings, seed, mixing, freeze, shape = {}, dimensions }) {
  const before = yield* Effect.forEach(loaded, (set) => measureSet(base, set, { seed, dimensions, ...shape }));
  const trained = yield* trainOnSets<readonly LabelKind[]>({
    model: base,
    // Which rows fit which loss was checked by their columns.
    sets: loaded.map(({ data, evaluation, ...set }) => ({
      ...set,
      data: data as Artifact<unknown> as Artifact<Dataset<never>>,
      ...(evaluation && { eval: evaluation.rows, evaluation: { kind: evaluation.kind } }),
    })),
    settings,
    freeze,
    ...mixing,
    ...shape,
  });
  const sets: MeasuredSet[] = [];
  for (const [i, set] of loaded.entries()) {
    const after = yield* measureSet(trained, set, { trainedFrom: base, seed, dimensions });
    sets.push({ ...set, before: before[i], after });
  }
  const { record } = yield* valueOf(trained);
  const leaks = yield* leaksOfSets(sets);
  const warnings = [...setWarnings(sets, leaks), ...record.warnings];
  for (const { name, evaluation, before, after } of sets) {
    if (evaluation === undefined) continue;
    const where = `on the rows ${evaluation.heldOut ? "held out" : "of the evaluation"} of ${name}`;
    const [was, is] = [(yield* valueOf(before!)).metrics, (yield* valueOf(after!)).metrics];
    warnings.push(...worseWarning(PRIMARY_METRIC[evaluation.kind], was, is, { where }));
  }
  warnings.push(...bestWarning(record));
  return { trained, sets, leaks, warnings };
});

/** What a model is worth on the evaluation rows of a set; one that was trained reads them behind the set's prompts. */
const measureSet = Effect.fnUntraced(function* (
  model: Artifact<ModelFolder>,
  { name, evaluation, loss, prompts, data }: LoadedSet,
  { trainedFrom, seed, dimensions, ...shape }: ModelShape & {
    readonly trainedFrom?: Artifact<ModelFolder>;
    readonly seed: number;
    readonly dimensions: readonly number[] | undefined;
  },
) {
  if (evaluation === undefined) return undefined;
  const { kind, rows } = evaluation;
  const reads = trainedFrom && prompts !== undefined ? yield* readsOf(trainedFrom, prompts, data) : undefined;
  const isTrained = trainedFrom !== undefined;
  return yield* evaluateModel(
    { model, rows },
    {
      kind,
      loss,
      seed,
      dimensions,
      ...(kind === "classes" && isTrained && { set: name }),
      ...(reads && { reads }),
      ...shape,
    },
    `evaluate-${name}${isTrained ? "" : "-before"}`,
  );
});

/** The prompts of a model as if it had been trained on one set alone. */
const readsOf = (base: Artifact<ModelFolder>, prompts: ColumnPrompts, data: LoadedSet["data"]) =>
  attempt(async () => {
    const { prompts: own, defaultPromptName } = await readFolder((await base.read()).folder);
    const { columns } = await summaryOf(data);
    return trainedPrompts({ prompts: own, defaultPromptName }, prompts, textNames(columns));
  });

/** Of each set with evaluation rows: what of them is in the training data of each set. */
const leaksOfSets = Effect.fnUntraced(function* (sets: readonly MeasuredSet[]) {
  const found: Record<string, Leaks>[] = [];
  for (const { evaluation } of sets) {
    const leaks: Record<string, Leaks> = {};
    if (evaluation !== undefined) {
      const measured = measuredTexts(evaluation.kind, yield* valueOf(evaluation.rows));
      for (const { name, data } of sets) leaks[name] = leaksOf(measured, yield* valueOf(data));
    }
    found.push(leaks);
  }
  return found;
});

const setWarnings = (sets: readonly MeasuredSet[], leaks: readonly Readonly<Record<string, Leaks>>[]) =>
  sets.flatMap(({ name, warnings }, i) => [
    ...warnings.map((warning) => `${name}: ${warning}`),
    ...Object.entries(leaks[i]!).flatMap(([other, leak]) =>
      leakWarning(leak, "evaluation", `the training data of ${other}`).map((warning) => `${name}: ${warning}`)
    ),
  ]);
