/**
 * Several data sets in one run: evaluate → train → evaluate → report, each set by itself.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt, attemptSync } from "../attempt.ts";
import type { KindredError } from "../error.ts";
import { resolveLora } from "../model/lora.ts";
import { model } from "../stage/roots.ts";
import { type Services, valueOf } from "../stage/stage.ts";
import { aboutSet } from "../train/in_set.ts";
import { type MixingSettings, TEMPERATURE } from "../train/mixed_batches.ts";
import { shownSettings } from "../train/model_card.ts";
import { checkEarly } from "./early_checks.ts";
import type { PageData } from "./evaluation_page.ts";
import { TRAINING_FILES } from "./finish.ts";
import type { FlagValues, Invocation } from "./flags.ts";
import { heldSettings } from "./held_settings.ts";
import { matryoshkaOf } from "./matryoshka.ts";
import { writeOutput } from "./output.ts";
import { profileTables } from "./profile.ts";
import { settingsLeft } from "./recipe.ts";
import { metricsLines, trainingReport } from "./report.ts";
import { outputFolder, reportBase } from "./report_base.ts";
import { inModel, type LoraSave, savedModel } from "./saved_model.ts";
import { loadSet } from "./set_loading.ts";
import { trainAndMeasure } from "./set_measuring.ts";
import { promptsOfSet, type SetSpec } from "./set_specs.ts";
import { setsPage } from "./sets_page.ts";
import type { SetReport, SetsReport } from "./sets_report.ts";
import { cardOfSets, pageData, setReport } from "./sets_results.ts";
import { modelShape, number, optional, text } from "./settings.ts";
import { resolveSets } from "./stages/train_sets.ts";
import { invocationWarnings } from "./warnings.ts";

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
    loss: loaded[0]!.loss,
    prompts: undefined,
    freeze,
    lora: settings.lora && resolveLora(settings.lora),
    savesAdapter: text(values, "lora-save") === "adapter",
  });
  const { trained, sets, leaks, warnings } = yield* trainAndMeasure(loaded, {
    base,
    settings: chosen,
    seed,
    mixing,
    freeze,
    shape,
    dimensions: matryoshka?.dimensions,
  });
  const { record } = yield* valueOf(trained);
  const tables = yield* profileTables(values);
  const reportHead = yield* reportBase(invocation, {
    warnings: [...warnings, ...invocationWarnings(invocation, record)],
    output,
    files: TRAINING_FILES,
  });
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
