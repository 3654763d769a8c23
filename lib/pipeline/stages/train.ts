/**
 * train: a bi-encoder under a loss.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt, attemptSync } from "../../attempt.ts";
import { writeSafetensors } from "../../checkpoint/safetensors.ts";
import type { Dataset } from "../../data/dataset.ts";
import type { Columns } from "../../data/rows.ts";
import type { KindredError } from "../../error.ts";
import type { LabelKind } from "../../loss/loss.ts";
import type { MatryoshkaOptions } from "../../loss/matryoshka.ts";
import { losses, lossOf, type LossSpec } from "../../loss/named.ts";
import { saveBiEncoder } from "../../model/bi_encoder.ts";
import { type ColumnPrompts, trainedPrompts } from "../../model/prompts.ts";
import { freeParameters, readParameters } from "../../model/parameters.ts";
import type { TokenizedTexts } from "../../text/packed.ts";
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
import { objectiveOf, requireGuide, type RowsOf } from "./loss_rows.ts";
import { textColumns, tokenizeColumns } from "./tokenize.ts";
import { type Resolved, trainInto } from "./train_into.ts";

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
  /** Texts before the columns, see `trainingPrompt`. Default: the model's own. */
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
  version: 12, // padding that stands in a text trains no row of a table
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
