/**
 * GPL, generative pseudo-labelling: an encoder learns a domain from plain passages, by queries that are made for them and the
 * margins of a cross-encoder.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt } from "../attempt.ts";
import { readFolder } from "../checkpoint/sentence_transformers.ts";
import type { Dataset, MarginRows, Pairs, ScoredPairs } from "../data/dataset.ts";
import type { Columns } from "../data/rows.ts";
import type { KindredError } from "../error.ts";
import type { MatryoshkaOptions } from "../loss/matryoshka.ts";
import { losses } from "../loss/named.ts";
import type { ColumnPrompts } from "../model/prompts.ts";
import type { CountedDataset, ModelFolder, ModelShape, TrainedModel } from "../stage/artifact.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import type { TrainSettings } from "../train/settings.ts";
import type { EvaluateParameters } from "./stages/evaluate_rows.ts";
import {
  joinCandidates,
  labelMargins,
  makeQueries,
  type MarginParameters,
  type MarginScale,
  passagesOf,
  type QueryParameters,
} from "./stages/gpl.ts";
import type { Texts } from "./stages/load.ts";
import { mineCandidates } from "./stages/negatives.ts";
import { trainBiEncoder } from "./stages/train.ts";

/** How negatives are found and labelled. */
export interface GplRowParameters extends Omit<MarginParameters, "scale"> {
  /** Nearest passages of a query that each encoder finds: negatives are drawn from them. */
  readonly candidates: number;
  /** What margins are differences of. Default: probabilities for a model of embeddings of length 1, logits otherwise. */
  readonly scale?: MarginScale | undefined;
}

/** Who finds negatives, and who judges them. */
export interface GplModels {
  /** The model to be trained. */
  readonly model: Artifact<ModelFolder>;
  /** Encoders that find negatives. None: the model itself does. */
  readonly miners: readonly Artifact<ModelFolder>[];
  /** The cross-encoder. */
  readonly judge: Artifact<ModelFolder>;
}

/** Settings of {@linkcode trainGpl}. */
export interface GplParameters extends ModelShape {
  /** Where queries come from. */
  readonly queries: QueryParameters;
  /** How negatives are found and labelled. */
  readonly rows: GplRowParameters;
  /** Hyper-parameters. */
  readonly settings: TrainSettings;
  /** See `trainedBy`. */
  readonly freeze?: string | undefined;
  /** Texts before the columns. Default: the model's own. */
  readonly prompts?: ColumnPrompts | undefined;
  /** Trains the first numbers of embeddings as well. Default: the whole embeddings alone. */
  readonly matryoshka?: MatryoshkaOptions | undefined;
}

/** The scale on which dot products of a model can follow margins: those of unit vectors are never further apart than 2. */
export const marginScaleOf: (model: Artifact<ModelFolder>) => Effect.Effect<MarginScale, KindredError> = Effect
  .fnUntraced(function* (model) {
    const { folder } = yield* valueOf(model);
    const { modules } = yield* attempt(() => readFolder(folder));
    return modules.some(({ type }) => type === "normalize") ? "probability" : "logit";
  });

/** Queries and their passages → candidates of every encoder → negatives with margins. */
export const gplRows: (
  inputs: GplModels & {
    /** Queries with their passages. */
    readonly pairs: Artifact<Dataset<Pairs>>;
    /** The corpus that negatives are looked for in. */
    readonly passages: Artifact<Dataset<Texts>>;
  },
  parameters: GplRowParameters,
) => Effect.Effect<Artifact<CountedDataset<MarginRows>>, KindredError, Services> = Effect.fnUntraced(
  function* ({ model, miners, judge, pairs, passages }, { candidates: count, scale, ...drawn }) {
    const [first, ...others] = miners.length === 0 ? [model] : miners;
    const mine = (miner: Artifact<ModelFolder>) => mineCandidates({ model: miner, pairs, corpus: passages }, { count });
    let candidates = yield* mine(first!);
    for (const miner of others) {
      candidates = yield* joinCandidates({ first: candidates, second: yield* mine(miner) }, {});
    }
    return yield* labelMargins({ candidates, judge }, { ...drawn, scale: scale ?? (yield* marginScaleOf(model)) });
  },
);

/**
 * Trains on rows with margins, by margin-MSE.
 *
 * @param inputs The model, the rows, and what to evaluate on while training.
 * @param parameters Hyper-parameters, and how rows are evaluated.
 * @param as The name that reports show of the training.
 * @returns An effect that gives the model, made or found.
 */
export function trainOnMargins(
  inputs: {
    readonly model: Artifact<ModelFolder>;
    readonly rows: Artifact<Dataset<MarginRows>>;
    readonly eval?: Artifact<Dataset<Columns>> | undefined;
  },
  parameters: Omit<GplParameters, "queries" | "rows"> & { readonly evaluation?: EvaluateParameters | undefined },
  as?: string,
): Effect.Effect<Artifact<TrainedModel>, KindredError, Services> {
  return trainBiEncoder({
    model: inputs.model,
    // Both are texts and a score; the loss counts the texts.
    data: inputs.rows as Artifact<Dataset<Columns>> as Artifact<Dataset<ScoredPairs>>,
    loss: losses.marginMse(),
    eval: inputs.eval,
    ...parameters,
    as,
  });
}

/**
 * passages → queries → negatives → margins → model, each a cached stage. Source: Wang et al. 2022, arXiv 2112.07577.
 *
 * @param inputs The passages, the model, who finds negatives, and the cross-encoder.
 * @param parameters Queries, negatives and hyper-parameters.
 * @param as The name that reports show of the training.
 * @returns An effect that gives the model, made or found.
 */
export const trainGpl: (
  inputs: GplModels & { readonly texts: Artifact<Dataset<Texts>> },
  parameters: GplParameters,
  as?: string,
) => Effect.Effect<Artifact<TrainedModel>, KindredError, Services> = Effect.fnUntraced(
  function* ({ texts, ...models }, { queries, rows: drawn, ...training }, as) {
    const pairs = yield* makeQueries({ texts }, queries);
    const rows = yield* gplRows({ ...models, pairs, passages: yield* passagesOf({ pairs }, {}) }, drawn);
    return yield* trainOnMargins({ model: models.model, rows }, training, as);
  },
);
