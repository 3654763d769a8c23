/**
 * tokenize, train-sets: a bi-encoder on several data sets that take turns, each under a loss of its own.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt, attemptSync } from "../../attempt.ts";
import { readFolder } from "../../checkpoint/sentence_transformers.ts";
import { writeSafetensors } from "../../checkpoint/safetensors.ts";
import { counted } from "../../counted.ts";
import type { Dataset } from "../../data/dataset.ts";
import type { Columns } from "../../data/rows.ts";
import type { KindredError } from "../../error.ts";
import type { LabelKind } from "../../loss/loss.ts";
import { lossOf, type LossSpec } from "../../loss/named.ts";
import { saveBiEncoder } from "../../model/bi_encoder.ts";
import { freeParameters, readParameters } from "../../model/parameters.ts";
import { type ColumnPrompts, trainedPrompts } from "../../model/prompts.ts";
import { setPrompts } from "../../model/set_prompts.ts";
import type { TokenizedTexts } from "../../text/packed.ts";
import {
  ADAPTER,
  datasetFormat,
  type ModelFolder,
  modelFormat,
  type ModelShape,
  summaryOf,
  tokensFormat,
  trainedFormat,
  type TrainedModel,
} from "../../stage/artifact.ts";
import { TensorEngine } from "../../stage/engine.ts";
import { openBiEncoder, openOnEngine } from "../../stage/models.ts";
import { phase } from "../../stage/progress.ts";
import { type Artifact, defineStage, type Services, valueOf } from "../../stage/stage.ts";
import { emptyTextWarnings } from "../../train/empty_texts.ts";
import { makeHead } from "../../train/head.ts";
import { aboutSet } from "../../train/in_set.ts";
import { checkMixing, type MixingSettings, requireBatch } from "../../train/mixed_batches.ts";
import { mixedObjective } from "../../train/mixed_objective.ts";
import { modelCard, shownSettings } from "../../train/model_card.ts";
import type { Metrics } from "../../train/record.ts";
import { recipeOf } from "../../train/recipe.ts";
import { type ResolvedTrainSettings, resolveSettings, type TrainSettings } from "../../train/settings.ts";
import { type EvaluateParameters, evaluateRows, PRIMARY_METRIC, surelyMeasured } from "./evaluate_rows.ts";
import { guideColumns, type Guides, guidesFormat } from "./guide.ts";
import { objectiveOf, requireFit, requireGuide, type RowsOf } from "./loss_rows.ts";
import { textColumns, tokenizeColumns } from "./tokenize.ts";
import { trainInto } from "./train_into.ts";

/** The mean of the metrics that stand for the sets' evaluations: what the best weights are chosen by where `auto` is said. */
export const MEAN_OF_SETS = "mean_of_sets";

/** A data set as the stage knows it. */
interface SetParameters {
  /** Its name. */
  readonly name: string;
  /** Its loss. */
  readonly loss: LossSpec;
  /** Rows of its batches. */
  readonly batchSize: number;
  /** See `MixedSet`. */
  readonly weight?: number | undefined;
  /** Texts before its columns. */
  readonly prompts?: ColumnPrompts | undefined;
  /** How its evaluation rows are evaluated while training, if there are any. */
  readonly evaluation?: EvaluateParameters | undefined;
}

interface TrainSetsParameters extends ModelShape, MixingSettings {
  readonly sets: readonly SetParameters[];
  readonly settings: ResolvedTrainSettings;
  readonly freeze?: string | undefined;
  readonly dropout?: number | undefined;
}

/** The model, and of set N its rows, their tokens, rows to evaluate on, and what another model says of them. */
interface TrainSetsInputs {
  readonly model: ModelFolder;
  readonly [data: `data.${number}`]: Dataset<Columns>;
  readonly [tokens: `tokens.${number}`]: Readonly<Record<string, TokenizedTexts>>;
  readonly [rows: `eval.${number}`]: Dataset<Columns>;
  readonly [guides: `guides.${number}`]: Guides;
}

const trainSetsStage = defineStage<TrainSetsParameters, TrainSetsInputs, TrainedModel>({
  name: "train-sets",
  version: 5, // no two batches of an update share random masks
  inputs: {
    model: modelFormat,
    "data.0": datasetFormat<Columns>(),
    "tokens.0": tokensFormat,
    "eval.0": datasetFormat<Columns>(),
    "guides.0": guidesFormat,
  },
  output: trainedFormat,
  computes: true,
  how: ["settings.saveSteps", "settings.loggingSteps"],
  draws: true,
  run: Effect.fnUntraced(function* ({ parameters, inputs, scratch }) {
    const { sets, settings, mixing, temperature, freeze, dropout, pooling, maxSeqLength } = parameters;
    yield* phase("training");
    const engine = yield* (yield* TensorEngine).open;
    const lora = settings.lora && { ...settings.lora, seed: settings.seed };
    const opened = yield* openBiEncoder(inputs.model, { pooling, maxSeqLength, freeze, dropout, lora, trained: true });
    const { folder: source } = yield* attempt(() => inputs.model.read());
    const open = Effect.fnUntraced(function* ({ loss: spec, prompts, ...set }: SetParameters, i: number) {
      const loss = lossOf(spec);
      const head = yield* openOnEngine((engine) => makeHead(engine, loss, opened.width, settings.seed), freeParameters);
      const data = yield* attempt(() => inputs[`data.${i}`]!.read());
      const tokens = yield* attempt(() => inputs[`tokens.${i}`]!.read());
      const guides = yield* attempt(async () => await inputs[`guides.${i}`]?.read());
      const rows = yield* attempt(async () => await inputs[`eval.${i}`]?.read());
      const columns = Object.keys(textColumns(data));
      const model = prompts === undefined
        ? opened
        : { ...opened, ...yield* attemptSync(() => trainedPrompts(opened, prompts, columns)) };
      const objective = yield* attemptSync(() => objectiveOf(model, loss, head, data, tokens, prompts, guides));
      const warnings = emptyTextWarnings(textColumns(data)).map((warning) => `${set.name}: ${warning}`);
      return { ...set, spec, prompts, columns, head, model, objective, rows, warnings, size: data.rows };
    });
    const all = yield* Effect.forEach(sets, (set, i) => aboutSet(set.name, open(set, i)));
    const evaluated = all.filter(({ rows }) => rows !== undefined);
    const evaluate = async () => {
      const metrics: Record<string, number> = {};
      const primary: number[] = [];
      for (const { name, model, rows, evaluation, spec, head } of evaluated) {
        const tensors = await readParameters(engine, head);
        const values = Object.fromEntries(tensors.map(({ name, data }) => [name, data as Float32Array]));
        const asked = { ...evaluation!, loss: spec, head: values };
        const { metrics: own } = await evaluateRows(engine, model, rows!, asked);
        for (const [key, value] of Object.entries(own)) metrics[`${name}_${key}`] = value;
        primary.push(own[PRIMARY_METRIC[evaluation!.kind]]!);
      }
      return { [MEAN_OF_SETS]: primary.reduce((a, b) => a + b) / primary.length, ...metrics } satisfies Metrics;
    };
    const objective = yield* attemptSync(() => mixedObjective(all, { mixing, temperature }));
    const heads = Object.fromEntries(
      (objective.sets ?? []).flatMap(({ own }) => own).map((name) => [
        name,
        objective.parameters[name]!,
      ]),
    );
    yield* trainInto(scratch, engine, {
      objective,
      settings,
      warnings: all.flatMap(({ warnings }) => warnings),
      evaluate: evaluated.length === 0 ? undefined : attempt(evaluate),
      metrics: [
        MEAN_OF_SETS,
        ...evaluated.flatMap(({ name, evaluation }) => surelyMeasured(evaluation!.kind).map((key) => `${name}_${key}`)),
      ],
      save: async (folder) => {
        const model = { ...opened, ...setPrompts(opened, all) };
        const card = setsCard(all, settings);
        await saveBiEncoder(engine, model, folder, card);
        if (lora !== undefined) await saveBiEncoder(engine, model, join(scratch, ADAPTER), card, { adapterOf: source });
        const beside = Object.keys(heads).length > 0 ? heads : all[0]!.head; // one set alone shares its head with nobody
        if (Object.keys(beside).length === 0) return;
        await writeSafetensors(join(scratch, "head.safetensors"), await readParameters(engine, beside));
      },
    });
  }),
});

/** The card of a model as the stage leaves it. */
function setsCard(
  sets: readonly { readonly name: string; readonly spec: LossSpec; readonly size: number }[],
  settings: ResolvedTrainSettings,
): string {
  const of = sets.map(({ name, spec, size }) => `${name} (${counted(size, "row")}, \`${lossOf(spec).name}\`)`);
  return modelCard({
    title: "A sentence-embedding model",
    story: `Trained by Kindred on ${counted(sets.length, "data set")}: ${of.join(", ")}.`,
    settings: shownSettings(settings),
  });
}

/** A data set to train on. */
export interface SetOptions<L extends LabelKind = LabelKind> {
  /** What it is called: without a slash, and different from the others. */
  readonly name: string;
  /** Rows that fit the loss: another kind of rows is a compile error. */
  readonly data: Artifact<Dataset<RowsOf<L>>>;
  /** The loss. */
  readonly loss: LossSpec<L>;
  /** Texts before the columns, see `trainingPrompt`. Default: the model's own. */
  readonly prompts?: ColumnPrompts | undefined;
  /** How many times as often as by its size alone it has its turn. Default 1. */
  readonly weight?: number | undefined;
  /** Rows of its batches. Default: those of the settings. */
  readonly batchSize?: number | undefined;
  /** The model that a loss learns from, if it learns from one. */
  readonly guide?: Artifact<ModelFolder> | undefined;
  /** Rows to evaluate on while training, as `evaluation` says; without that, graded pairs. */
  readonly eval?: Artifact<Dataset<Columns>> | undefined;
  /** How. */
  readonly evaluation?: EvaluateParameters | undefined;
}

/** What {@linkcode trainOnSets} takes. `S` are the labels that the losses want, set by set. */
export interface TrainOnSets<S extends readonly LabelKind[]> extends ModelShape, MixingSettings {
  /** Model to start from. */
  readonly model: Artifact<ModelFolder>;
  /** The data sets. */
  readonly sets: { readonly [K in keyof S]: SetOptions<S[K]> };
  /** Hyper-parameters of all sets. */
  readonly settings: TrainSettings;
  /** See `trainedBy`. */
  readonly freeze?: string | undefined;
  /** Rate of dropout. Default: the model's own rates. */
  readonly dropout?: number | undefined;
  /** The name that reports show. */
  readonly as?: string | undefined;
}

/** What of a data set can be wrong before anything is computed. */
type CheckedSet = Omit<SetOptions, "data" | "guide"> & {
  readonly data: Artifact<Dataset<Columns>>;
  readonly guide?: unknown;
};

/**
 * The batch size of each set and the settings of all, checked: names, weights, losses, columns, numbers of rows. Whatever is
 * wrong is said by the name of the set.
 */
export const resolveSets: (
  options: MixingSettings & {
    readonly model: Artifact<ModelFolder>;
    readonly sets: readonly CheckedSet[];
    readonly settings: TrainSettings;
  },
) => Effect.Effect<
  { readonly settings: ResolvedTrainSettings; readonly sets: readonly SetParameters[] },
  KindredError
> = Effect.fnUntraced(function* ({ model, sets, settings: chosen, mixing, temperature }) {
  yield* attemptSync(() => checkMixing(sets, { mixing, temperature }));
  const { folder } = yield* valueOf(model);
  const recipe = yield* attempt(() => recipeOf(folder));
  const settings = yield* attemptSync(() => withMean(resolveSettings(chosen, recipe)));
  const { prompts: own, defaultPromptName } = yield* attempt(() => readFolder(folder));
  const resolve = Effect.fnUntraced(function* ({ name, loss: spec, data, guide, prompts, weight, ...set }: CheckedSet) {
    const loss = yield* attemptSync(() => requireGuide(lossOf(spec), guide !== undefined));
    const { rows, columns } = yield* attempt(() => summaryOf(data));
    const { names } = yield* attemptSync(() => requireFit(loss, columns));
    if (prompts !== undefined) {
      yield* attemptSync(() => trainedPrompts({ prompts: own, defaultPromptName }, prompts, names));
    }
    const usual = yield* attempt(() => recipeOf(folder, { rows, inBatch: loss.inBatch }));
    const batchSize = set.batchSize ?? chosen.batchSize ?? usual.batchSize ?? settings.batchSize;
    yield* attemptSync(() => requireBatch({ name, rows, batchSize }));
    const evaluation = set.eval && (set.evaluation ?? { kind: "similarity" as const });
    return {
      name,
      loss: { name: spec.name, version: spec.version, options: spec.options },
      batchSize,
      weight,
      prompts,
      evaluation,
    };
  });
  return { settings, sets: yield* Effect.forEach(sets, (set) => aboutSet(set.name, resolve(set))) };
});

/** The metric that the best weights are chosen by, where `auto` is said or patience alone. */
function withMean(settings: ResolvedTrainSettings): ResolvedTrainSettings {
  const { keepBest, patience } = settings;
  const isOpen = keepBest === "auto" || (keepBest === undefined && patience !== undefined);
  return isOpen ? { ...settings, keepBest: MEAN_OF_SETS } : settings;
}

/**
 * Trains a bi-encoder on several data sets in one run: tokenize → train-sets. Each batch is of one set, and goes by its loss;
 * `mixing` says how they take turns. A run that was cut off goes on where its last checkpoint was, bit for bit.
 */
export const trainOnSets: <const S extends readonly LabelKind[]>(
  options: TrainOnSets<S>,
) => Effect.Effect<Artifact<TrainedModel>, KindredError, Services> = Effect.fnUntraced(
  function* <const S extends readonly LabelKind[]>(options: TrainOnSets<S>) {
    const { model, mixing, temperature, as, settings: chosen, ...shape } = options;
    const { freeze, dropout, pooling, maxSeqLength } = shape;
    const given = options.sets as readonly SetOptions[] as readonly (CheckedSet & Pick<SetOptions, "guide">)[];
    const { settings, sets } = yield* resolveSets({ model, sets: given, settings: chosen, mixing, temperature });
    const watched = settings.evalSteps !== undefined || settings.keepBest !== undefined;
    const inputs: { [name: string]: Artifact<unknown> } = { model };
    for (const [i, { data, guide, eval: rows, name }] of given.entries()) {
      const { loss, prompts } = sets[i]!;
      const asked = lossOf(loss).guide;
      inputs[`data.${i}`] = data;
      inputs[`tokens.${i}`] = yield* aboutSet(name, tokenizeColumns({ model, data }, { maxSeqLength, prompts }));
      if (guide && asked) inputs[`guides.${i}`] = yield* guideColumns({ guide, data }, { columns: asked.columns });
      if (watched && rows !== undefined) inputs[`eval.${i}`] = rows;
    }
    return yield* trainSetsStage(
      inputs as unknown as Parameters<typeof trainSetsStage>[0],
      {
        sets: sets.map(({ evaluation, ...set }) => ({ ...set, ...(watched && evaluation && { evaluation }) })),
        mixing: mixing ?? "proportional",
        temperature,
        settings,
        freeze,
        dropout,
        pooling,
        maxSeqLength,
      },
      as,
    );
  },
);
