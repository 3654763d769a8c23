/**
 * Domain adaptation: pretraining on plain texts of the target, then supervised training on what labels there are.
 *
 * @module
 */
import { Effect } from "effect";
import type { Dataset, LabelledTexts } from "../data/dataset.ts";
import type { KindredError } from "../error.ts";
import type { Metrics } from "../train/record.ts";
import type { ModelFolder, TrainedModel } from "../stage/artifact.ts";
import type { ReportTable } from "./report.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import { type DenoisingParameters, trainDenoising } from "./stages/denoise.ts";
import type { EvaluationSet } from "./evaluation.ts";
import { evaluateModel, type EvaluationKind } from "./stages/evaluate.ts";
import { evaluateByLabels } from "./stages/labels.ts";
import type { Texts } from "./stages/load.ts";
import { type MaskedLmParameters, trainMaskedLm } from "./stages/masked_lm.ts";
import type { ModelShape } from "../stage/artifact.ts";

/** How the model gets to know the target's texts. */
export type Adaptation =
  | { readonly by: "tsdae"; readonly parameters: DenoisingParameters }
  | { readonly by: "mlm"; readonly parameters: MaskedLmParameters };

/** Trains a model further on the supervised data: fine-tuning, Augmented SBERT, or anything else. */
export type Supervise = (
  model: Artifact<ModelFolder>,
  as: string,
) => Effect.Effect<Artifact<TrainedModel>, KindredError, Services>;

/** What {@linkcode domainAdaptation} takes. */
export interface DomainAdaptationOptions {
  /** Model to start from. */
  readonly model: Artifact<ModelFolder>;
  /** How it is read: the pooling of a plain checkpoint. */
  readonly shape: ModelShape;
  /** Plain texts of the target. */
  readonly texts: Artifact<Dataset<Texts>>;
  /** How the model learns from them. */
  readonly adaptation: Adaptation;
  /** What follows. */
  readonly supervise: Supervise;
  /** Rows to measure by, by name: of the target, of general language, … */
  readonly evaluations: Readonly<Record<string, EvaluationSet>>;
  /** Texts of the target with classes, by name. */
  readonly labels?: Readonly<Record<string, Artifact<Dataset<LabelledTexts>>>> | undefined;
  /** Also trains the base without the adaptation. Default true. */
  readonly control?: boolean | undefined;
}

/** What comes of it. */
export interface DomainAdaptation {
  /** The model that was adapted and then trained. */
  readonly model: Artifact<TrainedModel>;
  /** The model between the two steps. */
  readonly adapted: Artifact<TrainedModel>;
  /** Trained without the adaptation. */
  readonly control: Artifact<TrainedModel> | undefined;
  /** Every model on every evaluation. */
  readonly table: ReportTable;
}

/** The columns of the table, by what kind of evaluation it is. */
const MEASURES = {
  similarity: ["pearson_cosine", "spearman_cosine"],
  retrieval: ["cosine_ndcg@10"],
  classes: ["accuracy"],
  labels: ["knn_accuracy_cosine", "silhouette_cosine"],
} as const satisfies Readonly<Record<EvaluationKind, readonly string[]>>;

/** Neighbours that vote on a text's class. */
const NEIGHBOURS = 10;

/**
 * base → adapted → trained, each evaluated on the target and on general language; and the base trained without the
 * adaptation beside it. Source: Wang et al. 2021, arXiv 2104.06979; Gururangan et al. 2020, arXiv 2004.10964.
 */
export const domainAdaptation: (
  options: DomainAdaptationOptions,
) => Effect.Effect<DomainAdaptation, KindredError, Services> = Effect.fnUntraced(function* (options) {
  const { model, shape, texts, adaptation, supervise, evaluations, labels = {} } = options;
  const adapted = adaptation.by === "tsdae"
    ? yield* trainDenoising({ model, texts }, adaptation.parameters, "adapt")
    : yield* trainMaskedLm({ model, texts }, adaptation.parameters, "adapt");
  const trained = yield* supervise(adapted, "train");
  const control = options.control === false ? undefined : yield* supervise(model, "control");

  const rows: [string, Artifact<ModelFolder>, ModelShape][] = [
    ["base", model, shape],
    [`adapted (${adaptation.by})`, adapted, adaptation.by === "mlm" ? shape : {}],
    ["adapted and trained", trained, {}],
    ...(control === undefined ? [] : [["trained without adaptation", control, {}] as [string, typeof control, object]]),
  ];
  const columns = ["model"];
  for (const [name, { kind }] of Object.entries(evaluations)) {
    columns.push(...MEASURES[kind].map((key) => `${name} ${key}`));
  }
  for (const name of Object.keys(labels)) columns.push(...MEASURES.labels.map((key) => `${name} ${key}`));
  const cells: (string | number | null)[][] = [];
  for (const [name, candidate, read] of rows) {
    const row: (string | number | null)[] = [name];
    const add = (metrics: Metrics, keys: readonly string[]) => row.push(...keys.map((key) => metrics[key] ?? null));
    for (const { kind, rows } of Object.values(evaluations)) {
      const { metrics } = yield* valueOf(yield* evaluateModel({ model: candidate, rows }, { kind, ...read }));
      add(metrics, MEASURES[kind]);
    }
    for (const classes of Object.values(labels)) {
      const evaluation = evaluateByLabels({ model: candidate, texts: classes }, { ...read, k: NEIGHBOURS });
      add((yield* valueOf(yield* evaluation)).metrics, MEASURES.labels);
    }
    cells.push(row);
  }
  return { model: trained, adapted, control, table: { title: "Each step on each evaluation", columns, rows: cells } };
});
