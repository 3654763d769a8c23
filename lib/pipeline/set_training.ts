/**
 * Several data sets in one run: evaluate → train → evaluate → report, each set by itself.
 *
 * @module
 */
import { Effect } from "effect";
import { join } from "node:path";
import { attempt, attemptSync } from "../attempt.ts";
import { readFolder } from "../checkpoint/sentence_transformers.ts";
import type { Dataset } from "../data/dataset.ts";
import type { KindredError } from "../error.ts";
import type { LabelKind } from "../loss/loss.ts";
import { resolveLora } from "../model/lora.ts";
import { type ColumnPrompts, trainedPrompts } from "../model/prompts.ts";
import { type ModelFolder, type ModelShape, summaryOf } from "../stage/artifact.ts";
import { model } from "../stage/roots.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import { type MixingSettings, TEMPERATURE } from "../train/mixed_batches.ts";
import { shownSettings } from "../train/model_card.ts";
import { checkEarly } from "./early_checks.ts";
import { measuredTexts } from "./evaluation.ts";
import type { PageData } from "./evaluation_page.ts";
import { TRAINING_FILES } from "./finish.ts";
import type { FlagValues, Invocation } from "./flags.ts";
import { heldSettings } from "./held_settings.ts";
import { aboutSet } from "./in_set.ts";
import { type Leaks, leaksOf, leakWarning } from "./leaks.ts";
import { matryoshkaOf } from "./matryoshka.ts";
import { writeOutput } from "./output.ts";
import { profileTables } from "./profile.ts";
import { settingsLeft } from "./recipe.ts";
import { metricsLines, trainingReport } from "./report.ts";
import { outputFolder, reportBase } from "./report_base.ts";
import { inModel, type LoraSave, savedModel } from "./saved_model.ts";
import { type LoadedSet, loadSet } from "./set_loading.ts";
import { promptsOfSet, type SetSpec } from "./set_specs.ts";
import { setsPage } from "./sets_page.ts";
import type { SetReport, SetsReport } from "./sets_report.ts";
import { cardOfSets, type MeasuredSet, pageData, setReport } from "./sets_results.ts";
import { modelShape, number, optional, text } from "./settings.ts";
import { evaluateModel } from "./stages/evaluate.ts";
import { PRIMARY_METRIC } from "./stages/evaluate_rows.ts";
import { resolveSets, trainOnSets } from "./stages/train_sets.ts";
import { invocationWarnings, worseWarning } from "./warnings.ts";

/** How the flags let data sets take turns. */
export function mixingOf(values: FlagValues): MixingSettings {
  return { mixing: text(values, "mixing") as MixingSettings["mixing"], temperature: optional(values, "temperature") };
}

/** Evaluates the base model on each set, trains it on all, evaluates the result, and writes the report. */
export const trainOnSetsAndReport: (
  invocation: Invocation,
  specs: readonly SetSpec[],
) => Effect.Effect<SetsReport, KindredError, Services> = Effect.fnUntraced(function* (invocation, specs) {
  const { values } = invocation;
  const output = yield* outputFolder(invocation);
  const [chosen, shape, mixing] = [settingsLeft(values), modelShape(values), mixingOf(values)];
  const seed = number(values, "seed");
  const base = yield* model(text(values, "model"));
  const matryoshka = yield* matryoshkaOf(values, base);
  const loaded = yield* Effect.forEach(specs, (spec) => {
    const load = Effect.flatMap(attemptSync(() => promptsOfSet(spec, specs, values)), (prompts) =>
      loadSet(spec, {
        prompts,
        limit: optional(values, "limit"),
        holdOut: optional(values, "hold-out"),
        skipBadRows: values["skip-bad-rows"] === true,
        seed,
        matryoshka,
      }));
    return aboutSet(spec.name, load);
  });
  const { settings, sets: resolved } = yield* resolveSets({ model: base, sets: loaded, settings: chosen, ...mixing });
  const freeze = text(values, "freeze");
  yield* checkEarly({
    base,
    data: loaded[0]!.data,
    prompts: undefined,
    freeze,
    lora: settings.lora && resolveLora(settings.lora),
    savesAdapter: text(values, "lora-save") === "adapter",
  });
  const before = yield* Effect.forEach(
    loaded,
    (set) => measureSet(base, set, { seed, dimensions: matryoshka?.dimensions, ...shape }),
  );
  const trained = yield* trainOnSets<readonly LabelKind[]>({
    model: base,
    // Which rows fit which loss was checked by their columns.
    sets: loaded.map(({ data, evaluation, ...set }) => ({
      ...set,
      data: data as Artifact<unknown> as Artifact<Dataset<never>>,
      ...(evaluation && { eval: evaluation.rows, evaluation: { kind: evaluation.kind } }),
    })),
    settings: chosen,
    freeze,
    dropout: optional(values, "dropout"),
    ...mixing,
    ...shape,
  });
  const sets: MeasuredSet[] = [];
  for (const [i, set] of loaded.entries()) {
    sets.push({
      ...set,
      before: before[i],
      after: yield* measureSet(trained, set, { trainedFrom: base, seed, dimensions: matryoshka?.dimensions }),
    });
  }
  const { record } = yield* valueOf(trained);
  const leaks = yield* leaksOfSets(sets);
  const warnings = [...setWarnings(sets, leaks), ...record.warnings, ...invocationWarnings(invocation, record)];
  for (const { name, evaluation, before, after } of sets) {
    if (evaluation === undefined) continue;
    const where = `on the rows ${evaluation.heldOut ? "held out" : "of the evaluation"} of ${name}`;
    const [was, is] = [(yield* valueOf(before!)).metrics, (yield* valueOf(after!)).metrics];
    warnings.push(...worseWarning(PRIMARY_METRIC[evaluation.kind], was, is, { where }));
  }
  if (record.best !== undefined) {
    warnings.push("the best checkpoint was chosen on the same rows that the report is about");
  }
  const tables = yield* profileTables(values);
  const reportHead = yield* reportBase(invocation, { warnings, output, files: TRAINING_FILES });
  return yield* attempt(async () => {
    const trainedModel = await trained.read();
    const saved = await savedModel(
      trainedModel,
      text(values, "lora-save") as LoraSave | undefined,
      text(values, "model"),
    );
    const { sets: _, mixing: __, temperature: ___, ...common } = await heldSettings(trained);
    const reports: Record<string, SetReport> = {};
    const pages: Record<string, PageData> = {};
    for (const [i, set] of sets.entries()) {
      reports[set.name] = await setReport(set, resolved[i]!, record, leaks[i]!);
      if (set.evaluation !== undefined) pages[set.name] = await pageData(set, leaks[i]!);
    }
    const report: SetsReport = {
      schema: "kindred-sets/1",
      ...reportHead,
      mixing: mixing.mixing ?? "proportional",
      ...(mixing.mixing === "temperature" && { temperature: mixing.temperature ?? TEMPERATURE }),
      sets: reports,
      training: trainingReport(record, trained.cached),
      settings: common,
      evaluations: record.evaluations,
      ...(tables.length > 0 && { tables }),
      model: join(output, "model"),
    };
    await writeOutput(output, {
      "model/README.md": await cardOfSets(invocation, report, trainedModel, {
        losses: sets,
        settings: shownSettings(settings),
      }),
      "metrics.jsonl": metricsLines({ main: record }),
      "report.html": setsPage(report, record, pages),
      "report.json": JSON.stringify(report, null, 2) + "\n",
      ...inModel(saved.texts),
    }, { model: saved.folder });
    return report;
  });
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
    const columns = (await summaryOf(data)).columns.filter((name) => !/^(label|score(_\d+)?)$/.test(name));
    return trainedPrompts({ prompts: own, defaultPromptName }, prompts, columns);
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
