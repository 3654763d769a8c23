/**
 * tokenize, train: a bi-encoder under a loss.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt, attemptSync } from "../../attempt.ts";
import { writeSafetensors } from "../../checkpoint/safetensors.ts";
import type {
  Dataset,
  LabelledPairs,
  LabelledTexts,
  MarginRows,
  Pairs,
  ScoredPairs,
  Triplets,
} from "../../data/dataset.ts";
import type { Columns } from "../../data/rows.ts";
import { type KindredError, TrainingError, UsageError } from "../../error.ts";
import type { Embeddings } from "../../embed/pairwise.ts";
import type { LabelKind, Loss } from "../../loss/loss.ts";
import type { MatryoshkaOptions } from "../../loss/matryoshka.ts";
import { losses, lossOf, type LossSpec } from "../../loss/named.ts";
import { readFolder } from "../../checkpoint/sentence_transformers.ts";
import { type BiEncoder, saveBiEncoder } from "../../model/bi_encoder.ts";
import { folderTokenizer } from "../../model/model_tokenizer.ts";
import { type ColumnPrompts, promptLength, trainedPrompts, trainingPrompt } from "../../model/prompts.ts";
import { freeParameters, readParameters } from "../../model/parameters.ts";
import type { Parameters } from "../../tensor/tensor.ts";
import type { TokenizedTexts } from "../../text/packed.ts";
import { tokenize } from "../../text/tokenizer.ts";
import { biEncoderObjective } from "../../train/bi_encoder_objective.ts";
import { emptyTextWarnings } from "../../train/empty_texts.ts";
import { makeHead } from "../../train/head.ts";
import { recipeOf } from "../../train/recipe.ts";
import { type ResolvedTrainSettings, resolveSettings, type TrainSettings } from "../../train/settings.ts";
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
  writeTokens,
} from "../../stage/artifact.ts";
import { TensorEngine } from "../../stage/engine.ts";
import { openBiEncoder, openOnEngine } from "../../stage/models.ts";
import { trainedCard } from "../../train/model_card.ts";
import { phase } from "../../stage/progress.ts";
import { type Artifact, defineStage, type Services, valueOf } from "../../stage/stage.ts";
import {
  type EvaluateParameters,
  evaluateRows,
  type EvaluationKind,
  PRIMARY_METRIC,
  surelyMeasured,
} from "./evaluate_rows.ts";
import { taughtRows } from "./evaluate.ts";
import { guideColumns, type Guides, guidesFormat } from "./guide.ts";
import { type Resolved, trainInto } from "./train_into.ts";

/** The rows that a loss with this label trains on. */
export type RowsOf<L extends LabelKind> = L extends "none" ? Pairs | Triplets
  : L extends "score" ? ScoredPairs | MarginRows
  : LabelledPairs | LabelledTexts;

/** A text column, by its values. */
const isTexts = (column: Columns[string]): column is readonly string[] => Array.isArray(column);

/** The text columns of a dataset, by name. */
export const textColumns = ({ columns }: Dataset<Columns>): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(Object.entries(columns).flatMap(([name, column]) => isTexts(column) ? [[name, column]] : []));

/** How texts are tokenised. */
interface TokenizeParameters {
  /** Instead of the model's own limit. */
  readonly maxSeqLength?: number | undefined;
  /** Texts before the columns, see {@linkcode trainingPrompt}. */
  readonly prompts?: ColumnPrompts | undefined;
}

/** Token ids of every text column, made once for a dataset, tokenizer and limit. */
export const tokenizeColumns: (
  inputs: { readonly model: Artifact<ModelFolder>; readonly data: Artifact<Dataset<Columns>> },
  parameters: TokenizeParameters,
) => Effect.Effect<Artifact<Readonly<Record<string, TokenizedTexts>>>, KindredError, Services> = defineStage<
  TokenizeParameters,
  { model: ModelFolder; data: Dataset<Columns> },
  Readonly<Record<string, TokenizedTexts>>
>({
  name: "tokenize",
  version: 4, // tokens as the reference has them, to the last bit of a score
  inputs: { model: modelFormat, data: datasetFormat<Columns>() },
  output: tokensFormat,
  run: ({ parameters, inputs, scratch }) =>
    attempt(async () => {
      const { folder } = await inputs.model.read();
      const read = await readFolder(folder);
      const { maxSeqLength, prompts, defaultPromptName } = read;
      const tokenizer = await folderTokenizer(read);
      const columns: Record<string, TokenizedTexts> = {};
      const texts = textColumns(await inputs.data.read());
      if (parameters.prompts !== undefined) {
        trainedPrompts({ prompts, defaultPromptName }, parameters.prompts, Object.keys(texts)); // refuses what fits no column
      }
      for (const [name, column] of Object.entries(texts)) {
        columns[name] = await tokenize(tokenizer, column, {
          maxLength: parameters.maxSeqLength ?? maxSeqLength,
          prompt: trainingPrompt({ prompts, defaultPromptName }, name, parameters.prompts),
        });
      }
      await writeTokens(scratch, columns);
    }),
});

/** Settings of the train stage. */
export interface TrainParameters extends ModelShape {
  /** The loss. */
  readonly loss: LossSpec;
  /** Hyper-parameters. */
  readonly settings: TrainSettings;
  /** See `trainedBy`. */
  readonly freeze?: string | undefined;
  /** Rate of dropout, wherever the model has a place for it. Default: the model's own rates. */
  readonly dropout?: number | undefined;
  /** Texts before the columns, see {@linkcode trainingPrompt}. Default: the model's own. */
  readonly prompts?: ColumnPrompts | undefined;
  /** Trains the first numbers of embeddings as well, see `matryoshka`. Default: the whole embeddings alone. */
  readonly matryoshka?: MatryoshkaOptions | undefined;
  /** How the evaluation rows are evaluated while training, if there are any. */
  readonly evaluation?: EvaluateParameters | undefined;
}

interface TrainInputs {
  readonly model: ModelFolder;
  readonly data: Dataset<Columns>;
  readonly tokens: Readonly<Record<string, TokenizedTexts>>;
  readonly eval?: Dataset<Columns>;
  readonly guides?: Guides;
  readonly taught?: Guides;
}

const trainStage = defineStage<Resolved<Omit<TrainParameters, "matryoshka">>, TrainInputs, TrainedModel>({
  name: "train",
  version: 9, // a loss may learn from another model, and have several scores a row
  inputs: {
    model: modelFormat,
    data: datasetFormat<Columns>(),
    tokens: tokensFormat,
    eval: datasetFormat<Columns>(),
    guides: guidesFormat,
    taught: guidesFormat,
  },
  output: trainedFormat,
  computes: true,
  how: ["settings.saveSteps", "settings.loggingSteps"],
  draws: true,
  run: Effect.fnUntraced(function* ({ parameters, inputs, scratch }) {
    const { settings, freeze, dropout, pooling, maxSeqLength, evaluation, prompts } = parameters;
    yield* phase("training");
    const engine = yield* (yield* TensorEngine).open;
    const lora = settings.lora && { ...settings.lora, seed: settings.seed };
    const opened = yield* openBiEncoder(inputs.model, {
      pooling,
      maxSeqLength,
      freeze,
      dropout,
      lora,
      trained: true,
    });
    const { folder: source } = yield* attempt(() => inputs.model.read());
    const loss = lossOf(parameters.loss);
    const head = yield* openOnEngine((engine) => makeHead(engine, loss, opened.width, settings.seed), freeParameters);
    const data = yield* attempt(() => inputs.data.read());
    const model = prompts === undefined
      ? opened
      : { ...opened, ...yield* attemptSync(() => trainedPrompts(opened, prompts, Object.keys(textColumns(data)))) };
    const tokens = yield* attempt(() => inputs.tokens.read());
    const guides = inputs.guides && (yield* attempt(() => inputs.guides!.read()));
    const objective = yield* attemptSync(() => objectiveOf(model, loss, head, data, tokens, prompts, guides));
    const rows = inputs.eval && (yield* attempt(() => inputs.eval!.read()));
    const evaluate = async (rows: Dataset<Columns>) => {
      const taught = (await inputs.taught?.read())?.[0];
      const tensors = await readParameters(engine, head);
      const values = Object.fromEntries(tensors.map(({ name, data }) => [name, data as Float32Array]));
      return (await evaluateRows(engine, model, rows, { ...evaluation!, loss: parameters.loss, head: values, taught }))
        .metrics;
    };
    yield* trainInto(scratch, engine, {
      objective,
      settings,
      warnings: emptyTextWarnings(textColumns(data)),
      evaluate: rows && attempt(() => evaluate(rows)),
      metrics: evaluation && surelyMeasured(evaluation.kind),
      save: async (folder) => {
        const card = trainedCard(loss, settings, data.rows);
        await saveBiEncoder(engine, model, folder, card);
        // The same without the base model's weights: it costs little, and who wants it need not train again.
        if (lora !== undefined) await saveBiEncoder(engine, model, join(scratch, ADAPTER), card, { adapterOf: source });
        if (Object.keys(head).length === 0) return;
        await writeSafetensors(join(scratch, "head.safetensors"), await readParameters(engine, head));
      },
    });
  }),
});

/** What {@linkcode trainBiEncoder} takes. */
export interface TrainBiEncoder<L extends LabelKind> extends TrainParameters {
  /** Model to start from. */
  readonly model: Artifact<ModelFolder>;
  /** Rows that fit the loss: another kind of rows is a compile error. */
  readonly data: Artifact<Dataset<RowsOf<L>>>;
  /** The loss. */
  readonly loss: LossSpec<L>;
  /** The model that a loss learns from, if it learns from one: it embeds the texts once, before training. */
  readonly guide?: Artifact<ModelFolder> | undefined;
  /** Rows to evaluate on while training, as `evaluation` says; without that, graded pairs. */
  readonly eval?: Artifact<Dataset<Columns>> | undefined;
  /** The name that reports show. */
  readonly as?: string | undefined;
}

/** Trains a bi-encoder: tokenize → train. A run that was cut off goes on where its last checkpoint was. */
export const trainBiEncoder: <L extends LabelKind>(
  options: TrainBiEncoder<L>,
) => Effect.Effect<Artifact<TrainedModel>, KindredError, Services> = Effect.fnUntraced(
  function* <L extends LabelKind>(options: TrainBiEncoder<L>) {
    const { model, data, eval: rowsToEvaluate, as, guide, ...chosen } = options;
    const loss = chosen.matryoshka === undefined ? options.loss : losses.matryoshka(options.loss, chosen.matryoshka);
    const { freeze, dropout, prompts, pooling, maxSeqLength } = chosen;
    const evaluation = chosen.evaluation ?? { kind: "similarity" };
    const { folder } = yield* valueOf(model);
    const recipe = yield* attempt(async () =>
      await recipeOf(folder, { rows: (await summaryOf(data)).rows, inBatch: lossOf(loss).inBatch })
    );
    const settings = yield* attemptSync(() => withMetric(resolveSettings(chosen.settings, recipe), evaluation.kind));
    const rows = data as Artifact<Dataset<Columns>>;
    const { guide: asked } = yield* attemptSync(() => requireGuide(lossOf(loss), guide !== undefined));
    const guides = guide && asked && (yield* guideColumns({ guide, data: rows }, { columns: asked.columns }));
    const tokens = yield* tokenizeColumns({ model, data: rows }, { maxSeqLength, prompts });
    const watched = settings.evalSteps !== undefined || settings.keepBest !== undefined;
    const taught = watched && rowsToEvaluate && (yield* taughtRows(evaluation.kind, guide, rowsToEvaluate));
    return yield* trainStage(
      {
        model,
        data: rows,
        tokens,
        ...(guides && { guides }),
        ...(taught && { taught }),
        ...(watched && rowsToEvaluate !== undefined && { eval: rowsToEvaluate }),
      },
      {
        loss: { name: loss.name, version: loss.version, options: loss.options },
        settings,
        freeze,
        dropout,
        prompts,
        pooling,
        maxSeqLength,
        ...(watched && rowsToEvaluate !== undefined && { evaluation }),
      },
      as,
    );
  },
);

/** A loss that learns from another model needs one, and no other loss has a use for it. */
export function requireGuide<L extends LabelKind>(loss: Loss<L>, given: boolean): Loss<L> {
  if (loss.guide !== undefined && !given) {
    throw new UsageError(`the loss ${loss.name} learns from another model`, { expected: "a guide", found: "none" });
  }
  if (loss.guide === undefined && given) {
    throw new UsageError(`the loss ${loss.name} learns from no other model`, {
      found: "a guide",
      hint: "leave it out",
    });
  }
  return loss;
}

/**
 * The metric that the best weights are chosen by: the one that stands for the kind of evaluation, where `auto` is said or
 * patience alone.
 */
function withMetric(settings: ResolvedTrainSettings, kind: EvaluationKind): ResolvedTrainSettings {
  const { keepBest, patience } = settings;
  if (keepBest === "auto" || (keepBest === undefined && patience !== undefined)) {
    return { ...settings, keepBest: PRIMARY_METRIC[kind] };
  }
  return settings;
}

/** The columns of texts among these names: those that are not named as labels are. */
export const textNames = (columns: readonly string[]): readonly string[] =>
  columns.filter((name) => !/^(label|score(_\d+)?)$/.test(name));

/**
 * Refuses rows that a loss cannot use, or would use only in part.
 *
 * @param loss The loss.
 * @param columns Names of all columns.
 * @param names Those of texts among them. Default: those that are not named as labels are.
 * @returns The names of the columns of texts, and of those of labels.
 */
export function requireFit(
  loss: Loss,
  columns: readonly string[],
  names: readonly string[] = textNames(columns),
): { readonly names: readonly string[]; readonly labels: readonly string[] } {
  const label = loss.label === "class" ? "label" : loss.label;
  const widths = loss.labelWidths?.(names.length) ?? [1];
  const labels = loss.label === "none" ? [] : labelColumns(columns, label);
  const missing = loss.label !== "none" && !widths.includes(labels.length);
  const ignored = columns.filter((name) => !names.includes(name) && !labels.includes(name));
  if (names.length < loss.texts.min || names.length > loss.texts.max || missing || ignored.length > 0) {
    const { min, max } = loss.texts;
    const texts = min === max ? `${min}` : max === Infinity ? `${min} or more` : `${min} to ${max}`;
    throw new TrainingError(`the loss ${loss.name} does not fit the data`, {
      expected: `${texts} columns of texts${
        loss.label === "none"
          ? ", no label"
          : ` and ${label}${widths.join() === "1" ? "" : `, ${widths.join(" or ")} of them`}`
      }`,
      found: columns.join(", "),
      hint: ignored.length > 0 ? `the loss would ignore ${ignored.join(", ")}` : "map columns with --columns",
    });
  }
  return { names, labels };
}

/** The objective of a loss over rows that must fit it. */
export function objectiveOf(
  model: BiEncoder,
  loss: Loss,
  head: Parameters,
  data: Dataset<Columns>,
  tokens: Readonly<Record<string, TokenizedTexts>>,
  prompts: ColumnPrompts | undefined,
  guides: readonly Embeddings[] | undefined,
) {
  const { names, labels } = requireFit(loss, Object.keys(data.columns), Object.keys(textColumns(data)));
  const columns = names.map((name) => data.columns[name] as readonly string[]);
  const values = loss.label === "none"
    ? undefined
    : loss.label === "class"
    ? data.columns["label"] as Int32Array
    : byRow(labels.map((name) => data.columns[name] as Float64Array));
  return biEncoderObjective({
    model,
    loss,
    head,
    texts: names.map((name) => tokens[name]!),
    skip: names.map((name) => {
      return promptLength(model.tokenizer, trainingPrompt(model, name, prompts), model.maxSeqLength);
    }),
    labels: values,
    guides,
    distinct: loss.inBatch ? columns : undefined,
  });
}

/** The columns of labels: `label`, or `score`, `score_2`, …, as far as there are any. */
function labelColumns(columns: readonly string[], label: string): readonly string[] {
  if (label !== "score") return columns.filter((name) => name === label);
  const named = (place: number) => place === 1 ? label : `${label}_${place}`;
  const found: string[] = [];
  while (columns.includes(named(found.length + 1))) found.push(named(found.length + 1));
  return found;
}

/** Columns of numbers, the numbers of a row beside each other. */
function byRow(columns: readonly Float64Array[]): Float32Array {
  const width = columns.length;
  const values = new Float32Array(columns[0]!.length * width);
  columns.forEach((column, at) => column.forEach((value, row) => values[row * width + at] = value));
  return values;
}
