/**
 * Domain adaptation: pretraining on plain texts of the target, then supervised training on what labels there are.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import type { Dataset, LabelledTexts } from "../data/dataset.ts";
import type { KindredError } from "../error.ts";
import type { Metrics, TrainingRecord } from "../train/record.ts";
import type { ModelFolder, TrainedModel } from "../stage/artifact.ts";
import type { ReportTable } from "./report.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import { type ContrastiveTensionParameters, trainContrastiveTension } from "./stages/contrastive_tension.ts";
import { type DenoisingParameters, trainDenoising } from "./stages/denoise.ts";
import type { EvaluationSet } from "./evaluation.ts";
import { evaluateModel } from "./stages/evaluate.ts";
import type { EvaluationKind } from "./stages/evaluate_rows.ts";
import { evaluateByLabels } from "./stages/labels.ts";
import type { Texts } from "./stages/load.ts";
import { type MaskedLmParameters, trainMaskedLm } from "./stages/masked_lm.ts";
import { type GplModels, type GplParameters, trainGpl } from "./gpl.ts";
import { checkDropout, type SimcseParameters, trainSimcse } from "./stages/simcse.ts";
import type { ModelShape } from "../stage/artifact.ts";

/** How the model gets to know the target's texts. */
export type Adaptation =
  | { readonly by: "tsdae"; readonly parameters: DenoisingParameters }
  | { readonly by: "simcse"; readonly parameters: SimcseParameters }
  | { readonly by: "ct"; readonly parameters: ContrastiveTensionParameters }
  | { readonly by: "mlm"; readonly parameters: MaskedLmParameters }
  | { readonly by: "gpl"; readonly parameters: GplParameters; readonly models: Omit<GplModels, "model"> };

/** Trains a model on plain texts in one of these ways. */
const adapt = (
  adaptation: Adaptation,
  inputs: { readonly model: Artifact<ModelFolder>; readonly texts: Artifact<Dataset<Texts>> },
  as: string,
): Effect.Effect<Artifact<TrainedModel>, KindredError, Services> => {
  switch (adaptation.by) {
    case "tsdae":
      return trainDenoising(inputs, adaptation.parameters, as);
    case "simcse":
      return trainSimcse(inputs, adaptation.parameters, as);
    case "ct":
      return trainContrastiveTension(inputs, adaptation.parameters, as);
    case "mlm":
      return trainMaskedLm(inputs, adaptation.parameters, as);
    case "gpl":
      return trainGpl({ ...inputs, ...adaptation.models }, adaptation.parameters, as);
  }
};

/** A language model has no pooling of its own: it is read as the base is. */
const shapeAfter = ({ by }: Adaptation, shape: ModelShape): ModelShape => by === "mlm" ? shape : {};

/** Trains a model further on the supervised data: fine-tuning, Augmented SBERT, or anything else. */
export type Supervise = (
  model: Artifact<ModelFolder>,
  as: string,
) => Effect.Effect<Artifact<TrainedModel>, KindredError, Services>;

/** What all of it is measured by. */
export interface AdaptationTests {
  /** Rows to measure by, by name: of the target, of general language, … */
  readonly evaluations: Readonly<Record<string, EvaluationSet>>;
  /** Texts of the target with classes, by name. */
  readonly labels?: Readonly<Record<string, Artifact<Dataset<LabelledTexts>>>> | undefined;
}

/** What {@linkcode domainAdaptation} and {@linkcode compareAdaptations} take. */
export interface AdaptationTask extends AdaptationTests {
  /** Model to start from. */
  readonly model: Artifact<ModelFolder>;
  /** How it is read: the pooling of a plain checkpoint. */
  readonly shape: ModelShape;
  /** Plain texts of the target. */
  readonly texts: Artifact<Dataset<Texts>>;
  /** What follows. */
  readonly supervise: Supervise;
  /** Also trains the base without the adaptation. Default true. */
  readonly control?: boolean | undefined;
}

/** What {@linkcode domainAdaptation} takes. */
export interface DomainAdaptationOptions extends AdaptationTask {
  /** How the model learns from the texts. */
  readonly adaptation: Adaptation;
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

/** What {@linkcode compareAdaptations} takes. */
export interface CompareAdaptationsOptions extends AdaptationTask {
  /** Ways to learn from the texts, each once. */
  readonly adaptations: readonly Adaptation[];
}

/** One way, and what came of it. */
export interface ComparedAdaptation {
  /** The way. */
  readonly by: Adaptation["by"];
  /** The model after it. */
  readonly adapted: Artifact<TrainedModel>;
  /** How that is read. */
  readonly shape: ModelShape;
  /** The model that was trained afterwards. */
  readonly model: Artifact<TrainedModel>;
}

/** What comes of {@linkcode compareAdaptations}. */
export interface ComparedAdaptations {
  /** Each way, in the order given. */
  readonly ways: readonly ComparedAdaptation[];
  /** Trained without any of them. */
  readonly control: Artifact<TrainedModel> | undefined;
  /** Every model on every evaluation. */
  readonly table: ReportTable;
}

/** The columns of the table, by what kind of evaluation it is. */
const MEASURES = {
  similarity: ["pearson_cosine", "spearman_cosine"],
  retrieval: ["cosine_ndcg@10"],
  corpus: ["cosine_ndcg@10"],
  nanobeir: ["NanoBEIR_mean_cosine_ndcg@10"],
  classes: ["accuracy"],
  labels: ["knn_accuracy_cosine", "silhouette_cosine"],
  imitation: ["negative_mse"],
  translation: ["mean_accuracy"],
} as const satisfies Readonly<Record<EvaluationKind, readonly string[]>>;

/** Neighbours that vote on a text's class. */
const NEIGHBOURS = 10;

/** A model, and how it is read. */
type Tested = readonly [model: Artifact<ModelFolder>, shape: ModelShape];

/** What a model has on every evaluation, and what each value is called. */
const tested: (
  model: Tested,
  tests: AdaptationTests,
) => Effect.Effect<readonly (readonly [name: string, value: number | null])[], KindredError, Services> = Effect
  .fnUntraced(function* ([model, shape], { evaluations, labels = {} }) {
    const values: (readonly [string, number | null])[] = [];
    const add = (name: string, metrics: Metrics, keys: readonly string[]) =>
      values.push(...keys.map((key) => [`${name} ${key}`, metrics[key] ?? null] as const));
    for (const [name, { kind, rows }] of Object.entries(evaluations)) {
      const { metrics } = yield* valueOf(yield* evaluateModel({ model, rows }, { kind, ...shape }));
      add(name, metrics, MEASURES[kind]);
    }
    for (const [name, classes] of Object.entries(labels)) {
      const evaluation = yield* evaluateByLabels({ model, texts: classes }, { ...shape, k: NEIGHBOURS });
      add(name, (yield* valueOf(evaluation)).metrics, MEASURES.labels);
    }
    return values;
  });

/**
 * base → adapted → trained, each evaluated on the target and on general language; and the base trained without the
 * adaptation beside it. Source: Wang et al. 2021, arXiv 2104.06979; Gururangan et al. 2020, arXiv 2004.10964.
 */
export const domainAdaptation: (
  options: DomainAdaptationOptions,
) => Effect.Effect<DomainAdaptation, KindredError, Services> = Effect.fnUntraced(function* (options) {
  const { model, shape, texts, adaptation, supervise } = options;
  const adapted = yield* adapt(adaptation, { model, texts }, "adapt");
  const trained = yield* supervise(adapted, "train");
  const control = options.control === false ? undefined : yield* supervise(model, "control");
  const models: (readonly [string, ...Tested])[] = [
    ["base", model, shape],
    [`adapted (${adaptation.by})`, adapted, shapeAfter(adaptation, shape)],
    ["adapted and trained", trained, {}],
    ...(control === undefined ? [] : [["trained without adaptation", control, {}] as const]),
  ];
  const columns = ["model"];
  const rows: (string | number | null)[][] = [];
  for (const [name, ...candidate] of models) {
    const values = yield* tested(candidate, options);
    if (rows.length === 0) columns.push(...values.map(([column]) => column));
    rows.push([name, ...values.map(([, value]) => value)]);
  }
  return { model: trained, adapted, control, table: { title: "Each step on each evaluation", columns, rows } };
});

/**
 * Several ways of adaptation beside each other: each begins with the same base and learns from the same texts, and the
 * same training follows. The table says what each took.
 */
export const compareAdaptations: (
  options: CompareAdaptationsOptions,
) => Effect.Effect<ComparedAdaptations, KindredError, Services> = Effect.fnUntraced(function* (options) {
  const { model, shape, texts, adaptations, supervise } = options;
  for (const way of adaptations) {
    if (way.by === "simcse") yield* checkDropout(model, way.parameters.dropout); // before any of the others is trained
  }
  const columns = ["adaptation", "updates", "seconds"];
  const rows: (string | number | null)[][] = [];
  const addRow = Effect.fnUntraced(function* (
    name: string,
    record: Pick<TrainingRecord, "steps" | "seconds"> | undefined,
    before: Tested,
    after: Tested | undefined,
  ) {
    const adapted = yield* tested(before, options);
    const trained = after && (yield* tested(after, options));
    if (rows.length === 0) columns.push(...adapted.flatMap(([column]) => [column, `${column}, trained`]));
    const values = adapted.flatMap(([, value], i) => [value, trained === undefined ? null : trained[i]![1]]);
    rows.push([name, record?.steps ?? 0, record === undefined ? 0 : Math.round(record.seconds), ...values]);
  });

  const control = options.control === false ? undefined : yield* supervise(model, "control");
  yield* addRow("none", undefined, [model, shape], control && [control, {}]);
  const ways: ComparedAdaptation[] = [];
  for (const adaptation of adaptations) {
    const { by } = adaptation;
    const adapted = yield* adapt(adaptation, { model, texts }, by);
    const way = {
      by,
      adapted,
      shape: shapeAfter(adaptation, shape),
      model: yield* supervise(adapted, `${by}, then train`),
    };
    const { record } = yield* valueOf(adapted);
    yield* addRow(by, record, [adapted, way.shape], [way.model, {}]);
    ways.push(way);
  }
  return { ways, control, table: { title: "Each way of adaptation on each evaluation", columns, rows } };
});
