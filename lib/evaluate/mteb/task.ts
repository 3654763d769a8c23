/**
 * Tasks of the Massive Text Embedding Benchmark as data. Names of settings are mteb's own.
 *
 * @module
 */
import * as Schema from "effect/Schema";
import * as SchemaIssue from "effect/SchemaIssue";
import { Yaml } from "effect/encoding";
import { UsageError } from "../../error.ts";

/** What a task has in common with all others. */
export interface TaskBasics {
  /** As results are filed. */
  readonly name: string;
  /** The dataset of the hub and its commit; without one, the task lives on files alone. */
  readonly dataset?: { readonly path: string; readonly revision: string };
  /** Splits that are scored, each for itself. */
  readonly eval_splits: readonly string[];
  /** Languages as `eng-Latn`; by subset where the dataset has several. Default `["eng-Latn"]`. */
  readonly eval_langs?: readonly string[] | Readonly<Record<string, readonly string[]>>;
  /** The score that stands for the task; default: that of its type. */
  readonly main_score?: string;
  /** Names of the file's columns, by the protocol's names. */
  readonly columns?: Readonly<Record<string, string>>;
  /** Files by split (or part: corpus, queries, qrels, top_ranked), beside the task's own file. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Logistic regression on a few rows of each class. */
export interface ClassificationTask extends TaskBasics {
  /** Its protocol. */
  readonly type: "Classification";
  /** Rows of each class that a classifier is fitted to. Default 8. */
  readonly samples_per_label?: number;
  /** Classifiers, each on other rows. Default 10. */
  readonly n_experiments?: number;
  /** Where the rows come from. Default train. */
  readonly train_split?: string;
}

/** Correlation of similarities with grades. */
export interface StsTask extends TaskBasics {
  /** Its protocol. */
  readonly type: "STS";
  /** Lowest grade. Default 0. */
  readonly min_score?: number;
  /** Highest grade. Default 5. */
  readonly max_score?: number;
}

/** Thresholds on similarities. */
export interface PairClassificationTask extends TaskBasics {
  /** Its protocol. */
  readonly type: "PairClassification";
}

/** Ranking of a corpus; or, as reranking, of the documents that are listed for each query. */
export interface RetrievalTask extends TaskBasics {
  /** Its protocol. */
  readonly type: "Retrieval" | "Reranking";
  /** A document with the query's own id does not count. Default false. */
  readonly ignore_identical_ids?: boolean;
}

/** Agreement of clusters with classes. */
export interface ClusteringTask extends TaskBasics {
  /** Its protocol. */
  readonly type: "Clustering";
  /** Every row of the file is a set of sentences that is clustered whole, as in the first version of mteb. */
  readonly legacy?: boolean;
  /** Rows hold lists of sentences and labels that are laid end to end. */
  readonly flatten?: boolean;
  /** Leaves out rows whose label occurs once. */
  readonly drop_singletons?: boolean;
  /** Share of the rows that is embedded. Default 0.04; null: all. */
  readonly max_fraction_of_documents_to_embed?: number | null;
  /** The same as a number of rows. */
  readonly max_document_to_embed?: number | null;
  /** Rows that are drawn, with replacement, for each clustering. Default 16384. */
  readonly max_documents_per_cluster?: number;
  /** Clusterings. Default 10. */
  readonly n_clusters?: number;
  /** Rows of a batch of k-means. Default 512. */
  readonly k_mean_batch_size?: number;
  /** Levels of the labels at most; default all. */
  readonly max_depth?: number | null;
}

/** Correlation of similarities to summaries by people with their judgement of summaries by machines. */
export interface SummarizationTask extends TaskBasics {
  /** Its protocol. */
  readonly type: "Summarization";
  /** Lowest grade. Default 0. */
  readonly min_score?: number;
  /** Highest grade. Default 5. */
  readonly max_score?: number;
  /** Averages correlations together with their p-values, a slip that SummEval's first results contain. */
  readonly averages_p_values?: boolean;
}

/** Nearest neighbours across languages. */
export interface BitextMiningTask extends TaskBasics {
  /** Its protocol. */
  readonly type: "BitextMining";
}

/** Any task. */
export type MtebTask =
  | ClassificationTask
  | StsTask
  | PairClassificationTask
  | RetrievalTask
  | ClusteringTask
  | SummarizationTask
  | BitextMiningTask;

const texts = Schema.Array(Schema.NonEmptyString);
const whole = Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0)));
const number = Schema.optionalKey(Schema.Finite);
const flag = Schema.optionalKey(Schema.Boolean);
const common = {
  name: Schema.String.check(Schema.isPattern(/^[\w.-]+$/, { message: "letters, digits, . _ - only" })),
  dataset: Schema.optionalKey(Schema.Struct({ path: Schema.NonEmptyString, revision: Schema.NonEmptyString })),
  eval_splits: texts.check(Schema.isMinLength(1)),
  eval_langs: Schema.optionalKey(Schema.Union([texts, Schema.Record(Schema.String, texts)])),
  main_score: Schema.optionalKey(Schema.NonEmptyString),
  columns: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  files: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
};

const TaskSchema = Schema.Union([
  Schema.Struct({
    ...common,
    type: Schema.Literal("Classification"),
    samples_per_label: whole,
    n_experiments: whole,
    train_split: Schema.optionalKey(Schema.NonEmptyString),
  }),
  Schema.Struct({ ...common, type: Schema.Literal("STS"), min_score: number, max_score: number }),
  Schema.Struct({ ...common, type: Schema.Literal("PairClassification") }),
  Schema.Struct({ ...common, type: Schema.Literals(["Retrieval", "Reranking"]), ignore_identical_ids: flag }),
  Schema.Struct({
    ...common,
    type: Schema.Literal("Clustering"),
    legacy: flag,
    flatten: flag,
    drop_singletons: flag,
    max_fraction_of_documents_to_embed: Schema.optionalKey(
      Schema.NullOr(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))),
    ),
    max_document_to_embed: Schema.optionalKey(Schema.NullOr(Schema.Int.check(Schema.isGreaterThan(0)))),
    max_documents_per_cluster: whole,
    n_clusters: whole,
    k_mean_batch_size: whole,
    max_depth: Schema.optionalKey(Schema.NullOr(Schema.Int.check(Schema.isGreaterThan(0)))),
  }),
  Schema.Struct({
    ...common,
    type: Schema.Literal("Summarization"),
    min_score: number,
    max_score: number,
    averages_p_values: flag,
  }),
  Schema.Struct({ ...common, type: Schema.Literal("BitextMining") }),
]);

/** The types of tasks. */
const TASK_TYPES: readonly MtebTask["type"][] = [
  "Classification",
  "STS",
  "PairClassification",
  "Retrieval",
  "Reranking",
  "Clustering",
  "Summarization",
  "BitextMining",
];

/**
 * A task of your own from plain JSON, checked setting by setting.
 *
 * @param value The parsed JSON.
 * @param where What errors call it. Default: task.
 * @returns The task.
 * @throws {UsageError} A setting is wrong or unknown: it names each.
 *
 * @example
 * ```ts
 * import { parseTask } from "@kindred/kindred/mteb-protocol";
 * import assert from "node:assert/strict";
 * assert.equal(parseTask({ name: "Mine", type: "STS", eval_splits: ["test"] }).type, "STS");
 * assert.throws(() => parseTask({ name: "Mine", type: "STS", eval_splits: ["test"], depth: 3 }), /the task/);
 * ```
 */
export function parseTask(value: unknown, where = "task"): MtebTask {
  const type = (value as { type?: unknown } | null)?.type;
  if (!TASK_TYPES.includes(type as MtebTask["type"])) {
    throw new UsageError("the task has no known type", {
      where,
      expected: TASK_TYPES.join(", "),
      found: JSON.stringify(type) ?? "none",
    });
  }
  const exit = Schema.decodeUnknownResult(TaskSchema, { errors: "all", onExcessProperty: "error" })(value);
  if (exit._tag === "Success") return exit.success as MtebTask;
  const issues = SchemaIssue.makeFormatterStandardSchemaV1()(exit.failure.issue).issues;
  const told = issues.map(({ path, message }) => `${path?.map(String).join(".") || "it"}: ${message}`);
  throw new UsageError("the task does not match its schema", { where, found: [...new Set(told)].join("; ") });
}

/**
 * A task from a file that a person writes.
 *
 * @param text JSON, or YAML, of which JSON is a part: names need no quotes, and comments begin with `#`.
 * @param where Its file, for errors.
 * @returns The task, with mteb's names of settings.
 * @throws {UsageError} It is neither, or no task.
 *
 * @example
 * ```ts
 * import { parseTaskFile } from "@kindred/kindred/mteb-protocol";
 * import assert from "node:assert/strict";
 * const task = parseTaskFile("{name: Own, type: STS, eval_splits: [test], files: {test: own.csv}}  # of ours");
 * assert.equal(task.files?.test, "own.csv");
 * ```
 */
export function parseTaskFile(text: string, where = "task"): MtebTask {
  let value: unknown;
  try {
    value = Yaml.parse(text);
  } catch (error) {
    throw new UsageError("the task is neither JSON nor YAML", {
      where,
      found: (error as Error).message,
      hint: "comments begin with #",
    });
  }
  return parseTask(value, where);
}

/** The score that stands for a task of this type. */
const MAIN_SCORES: Readonly<Record<MtebTask["type"], string>> = {
  Classification: "accuracy",
  STS: "cosine_spearman",
  PairClassification: "max_ap",
  Retrieval: "ndcg_at_10",
  Reranking: "map_at_1000",
  Clustering: "v_measure",
  Summarization: "cosine_spearman",
  BitextMining: "f1",
};

/**
 * The score that stands for this task.
 *
 * @param task Any task.
 * @returns The name of the score that stands for it: its own, or that of its type.
 */
export function mainScoreOf(task: MtebTask): string {
  return task.main_score ?? MAIN_SCORES[task.type];
}

/**
 * Subsets of a task (`default` where there is but one) and their languages.
 *
 * @param task Any task.
 * @returns [subset, languages] for each.
 */
export function subsetsOf(task: MtebTask): readonly (readonly [string, readonly string[]])[] {
  const languages = task.eval_langs ?? ["eng-Latn"];
  return Array.isArray(languages)
    ? [["default", languages as readonly string[]]]
    : Object.entries(languages as Readonly<Record<string, readonly string[]>>);
}
