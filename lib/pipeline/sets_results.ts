/**
 * What came of each of several data sets, for the report, the page and the card of the model.
 *
 * @module
 */
import { counted } from "../counted.ts";
import { lossOf } from "../loss/named.ts";
import type { TrainedModel } from "../stage/artifact.ts";
import { type Facts, modelCard } from "../train/model_card.ts";
import { folderFacts, originOf, promptNames, sourceName } from "./card.ts";
import type { PageData } from "./evaluation_page.ts";
import { dataReport } from "./finish.ts";
import type { Invocation } from "./flags.ts";
import type { Leaks } from "./leaks.ts";
import { dimensionReports } from "./matryoshka.ts";
import type { HeldSettings } from "./report.ts";
import type { LoadedSet } from "./set_loading.ts";
import type { MeasuredSet } from "./set_measuring.ts";
import { lossOfSet, type SetReport, type SetsReport } from "./sets_report.ts";
import { text } from "./settings.ts";
import { PRIMARY_METRIC } from "./stages/evaluate_rows.ts";
import { baselineOf } from "./without_model.ts";

/** What a training on several sets tells of one. */
export async function setReport(
  { name, source, data, loss, evaluation, before, after, prompts }: MeasuredSet,
  { batchSize, weight }: { readonly batchSize: number; readonly weight?: number | undefined },
  record: TrainedModel["record"],
  leaks: Readonly<Record<string, Leaks>>,
): Promise<SetReport> {
  const shown = (value: unknown) =>
    typeof value === "object" ? JSON.stringify(value) : value as string | number | boolean;
  const options = Object.entries(loss.options ?? {}).map(([option, value]) => [option, shown(value)]);
  const settings: HeldSettings = {
    loss: lossOf(loss).name,
    ...Object.fromEntries(options),
    "batch size": batchSize,
    ...(weight !== undefined && { weight }),
    ...(prompts !== undefined && { prompts: shown(prompts) }),
  };
  const counts = record.sets?.[name] ?? { batches: 0, updates: 0, samples: 0, tokens: 0 };
  const [was, is] = [await before?.read(), await after?.read()];
  const dimensions = dimensionReports(was, is);
  return {
    data: {
      train: await dataReport(source, data),
      ...(evaluation && { eval: await dataReport(evaluation.source, evaluation.rows) }),
    },
    settings,
    ...counts,
    loss: lossOfSet(record, name),
    ...(evaluation && {
      evaluation: {
        kind: evaluation.kind,
        metric: PRIMARY_METRIC[evaluation.kind],
        source: evaluation.source,
        held_out: evaluation.heldOut,
      },
    }),
    baseline: evaluation === undefined ? {} : baselineOf(evaluation.kind, await evaluation.rows.read()),
    before: was?.metrics ?? {},
    metrics: is?.metrics ?? {},
    ...(dimensions && { dimensions }),
    leaks: Object.fromEntries(
      Object.entries(leaks).map(([other, { rows, of, texts, distinct }]) => [
        other,
        { rows, of, texts: texts.length, distinct },
      ]),
    ),
  };
}

/** What its page shows of it. */
export async function pageData(set: MeasuredSet, leaks: Readonly<Record<string, Leaks>>): Promise<PageData> {
  const [before, after] = [await set.before!.read(), await set.after!.read()];
  return {
    rows: await set.evaluation!.rows.read(),
    before,
    after,
    beforeEmbeddings: await before.embeddings(),
    afterEmbeddings: await after.embeddings(),
    leaks: leaks[set.name]!,
  };
}

/** The card of the model: each set with its source, rows and loss, and what came of it. */
export async function cardOfSets(
  { name, values }: Invocation,
  { sets, mixing, temperature, warnings }: SetsReport,
  { folder, record }: TrainedModel,
  { losses, settings }: { readonly losses: readonly Pick<LoadedSet, "name" | "loss">[]; readonly settings: Facts },
): Promise<string> {
  const origin = await originOf(text(values, "model"));
  const entries = Object.entries(sets);
  const facts: Record<string, string> = {};
  const [before, after]: Record<string, number>[] = [{}, {}];
  for (const [name, { data, settings, evaluation, ...set }] of entries) {
    const { paper } = lossOf(losses.find((set) => set.name === name)!.loss);
    const of = `${await sourceName(data.train.source)}, ${counted(data.train.rows, "row")}`;
    facts[`data set ${name}`] = `${of}, ${settings["loss"]} (${paper})`;
    if (evaluation === undefined) continue;
    for (const [key, value] of Object.entries(set.before)) before![`${name}: ${key}`] = value;
    for (const [key, value] of Object.entries(set.metrics)) after![`${name}: ${key}`] = value;
  }
  const measured = entries.flatMap(([name, { data }]) => data.eval === undefined ? [] : [`${name} ${data.eval.rows}`]);
  return modelCard({
    title: "A sentence-embedding model",
    story: `Trained by Kindred's \`${name}\` from ${origin.name} on ${
      counted(entries.length, "data set")
    }, each batch of one.`,
    baseModel: origin.baseModel,
    license: origin.license,
    prompts: await promptNames(folder),
    facts: {
      "trained from": origin.name,
      ...facts,
      mixing: temperature === undefined ? mixing : `${mixing} ${temperature}`,
      ...await folderFacts(folder),
      parameters: record.parameters,
      "parameters that were trained": record.trainedParameters,
    },
    evaluation: measured.length === 0
      ? undefined
      : { on: `rows of each set (${measured.join(", ")})`, before: before!, after: after! },
    settings,
    warnings,
  });
}
