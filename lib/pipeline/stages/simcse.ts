/**
 * same-text-pairs, train: SimCSE, a bi-encoder learns from plain texts to know each of them again under another dropout mask.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt } from "../../attempt.ts";
import { readFolder } from "../../checkpoint/sentence_transformers.ts";
import type { Dataset, Pairs } from "../../data/dataset.ts";
import type { Columns } from "../../data/rows.ts";
import { type KindredError, TrainingError } from "../../error.ts";
import type { MatryoshkaOptions } from "../../loss/matryoshka.ts";
import { losses } from "../../loss/named.ts";
import { hasDropout, withDropout } from "../../model/dropout.ts";
import { parseConfig } from "../../model/families/mod.ts";
import {
  type CountedDataset,
  datasetFormat,
  type ModelFolder,
  type ModelShape,
  type TrainedModel,
  writeDataset,
} from "../../stage/artifact.ts";
import { type Artifact, defineStage, type Services } from "../../stage/stage.ts";
import type { TrainSettings } from "../../train/settings.ts";
import type { EvaluateParameters } from "./evaluate_rows.ts";
import type { Texts } from "./load.ts";
import { trainBiEncoder } from "./train.ts";

/** Settings of {@linkcode trainSimcse}. */
export interface SimcseParameters extends ModelShape {
  /** Hyper-parameters. */
  readonly settings: TrainSettings;
  /** What cosines are multiplied by: 1 / temperature. Default 20. */
  readonly scale?: number | undefined;
  /** Rate of dropout, wherever the model has a place for it. Default: the model's own rates. */
  readonly dropout?: number | undefined;
  /** See `trainedBy`. */
  readonly freeze?: string | undefined;
  /** Trains the first numbers of embeddings as well. Default: the whole embeddings alone. */
  readonly matryoshka?: MatryoshkaOptions | undefined;
  /** How the evaluation rows are evaluated while training, if there are any. */
  readonly evaluation?: EvaluateParameters | undefined;
}

/** What {@linkcode trainSimcse} takes. */
export interface SimcseInputs {
  /** Model to start from. */
  readonly model: Artifact<ModelFolder>;
  /** Plain texts. */
  readonly texts: Artifact<Dataset<Texts>>;
  /** Rows to evaluate on while training. */
  readonly eval?: Artifact<Dataset<Columns>> | undefined;
}

const sameTextPairs = defineStage<Record<never, never>, { texts: Dataset<Texts> }, CountedDataset<Pairs>>({
  name: "same-text-pairs",
  version: 1,
  inputs: { texts: datasetFormat<Texts>() },
  output: datasetFormat<Pairs>(),
  run: ({ inputs, scratch }) =>
    attempt(async () => {
      const { columns: { text }, rows } = await inputs.texts.read();
      await writeDataset(scratch, { columns: { anchor: text, positive: text }, rows });
    }),
});

/**
 * Trains a bi-encoder by unsupervised SimCSE (Gao et al. 2021, arXiv 2104.08821): the same text twice, under two dropout
 * masks, is a pair, and every other text of the batch a negative. Equal texts never stand in one batch. A model without
 * dropout is refused: both copies would have the same embedding.
 */
export const trainSimcse: (
  inputs: SimcseInputs,
  parameters: SimcseParameters,
  as?: string,
) => Effect.Effect<Artifact<TrainedModel>, KindredError, Services> = Effect.fnUntraced(
  function* ({ model, texts, eval: rows }, { scale, ...parameters }, as) {
    yield* checkDropout(model, parameters.dropout);
    return yield* trainBiEncoder({
      model,
      data: yield* sameTextPairs({ texts }, {}),
      loss: losses.multipleNegativesRanking(scale === undefined ? undefined : { scale }),
      eval: rows,
      ...parameters,
      as,
    });
  },
);

/** Fails where the model would embed a text alike each time. */
export const checkDropout = (
  model: Artifact<ModelFolder>,
  rate: number | undefined,
): Effect.Effect<void, KindredError> =>
  attempt(async () => {
    const { folder: path } = await model.read();
    const folder = await readFolder(path);
    const config = parseConfig(folder.config, join(folder.weights, "config.json"));
    if (hasDropout(withDropout(config, rate))) return;
    const isStatic = config.layers === 0;
    throw new TrainingError("the model has no dropout: both copies of a text would have the same embedding", {
      where: path,
      expected: "a rate of dropout above 0",
      found: isStatic ? "static embeddings, which have no place for dropout" : `${config.family} with a rate of 0`,
      hint: isStatic ? "Contrastive Tension needs no dropout" : "--dropout 0.1",
    });
  });
