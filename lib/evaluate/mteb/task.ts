/**
 * Tasks of the Massive Text Embedding Benchmark as data. Names of settings are mteb's own.
 *
 * @module
 */
import * as Yaml from "effect/encoding/Yaml";
import { UsageError } from "../../error.ts";
import { isObject } from "../../expect.ts";
import { didYouMean, nearestName } from "../../text/edits.ts";
import { aText, type Field, type Fields, NUMBERS, YES_OR_NO } from "../../train/fields.ts";

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

/** Names of columns that protocols read: a mapping has them on its left. */
export const PROTOCOL_COLUMNS: readonly string[] = [
  "text",
  "label",
  "sentence1",
  "sentence2",
  "score",
  "labels",
  "sentences",
  "human_summaries",
  "machine_summaries",
  "relevance",
  "id",
  "_id",
  "title",
  "query-id",
  "corpus-id",
  "corpus-ids",
  "lang",
];

/** Whether a task is about a corpus: its documents, queries and judgements are files of their own. */
export const ranksCorpus = ({ type }: MtebTask): boolean => type === "Retrieval" || type === "Reranking";

const isText = aText("").is;
const areTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isText);
const orNull = ({ expected, is }: Field): Field => ({
  expected: `${expected}, or null`,
  is: (value) => value === null || is(value),
});

const TEXT = aText("a text");
const areTextsByName = (value: unknown): value is Readonly<Record<string, unknown>> =>
  isObject(value) && Object.values(value).every(isText);
const COUNT = NUMBERS["positive"];
const FINITE: Field = { expected: "a number", is: Number.isFinite };

const COMMON: Fields<TaskBasics> = {
  name: {
    expected: "a name of letters, digits, . _ - only",
    is: (value) => typeof value === "string" && /^[\w.-]+$/.test(value),
  },
  dataset: {
    expected: 'an object {"path": …, "revision": …}',
    is: (value) =>
      isObject(value) && Object.keys(value).sort().join() === "path,revision" && areTexts(Object.values(value)),
  },
  eval_splits: { expected: 'a list of splits, ["test"]', is: (value) => areTexts(value) && value.length > 0 },
  eval_langs: {
    expected: 'a list of languages, ["eng-Latn"], or one by subset',
    is: (value) => areTexts(value) || isObject(value) && Object.values(value).every(areTexts),
  },
  main_score: TEXT,
  columns: {
    expected: `an object of the file's names by any of ${PROTOCOL_COLUMNS.join(", ")}`,
    is: (value) => areTextsByName(value) && Object.keys(value).every((name) => PROTOCOL_COLUMNS.includes(name)),
  },
  files: { expected: 'an object of files by split, {"test": "test.csv"}', is: areTextsByName },
};

const GRADES = { min_score: FINITE, max_score: FINITE };
const RANKING = { ignore_identical_ids: YES_OR_NO };

/** What the tasks of each type have beside that. */
const OWN: {
  readonly [T in MtebTask["type"]]: Fields<Omit<Extract<MtebTask, { type: T }>, "type" | keyof TaskBasics>>;
} = {
  Classification: { samples_per_label: COUNT, n_experiments: COUNT, train_split: TEXT },
  STS: GRADES,
  PairClassification: {},
  Retrieval: RANKING,
  Reranking: RANKING,
  Clustering: {
    legacy: YES_OR_NO,
    flatten: YES_OR_NO,
    drop_singletons: YES_OR_NO,
    max_fraction_of_documents_to_embed: orNull(NUMBERS["rate"]),
    max_document_to_embed: orNull(COUNT),
    max_documents_per_cluster: COUNT,
    n_clusters: COUNT,
    k_mean_batch_size: COUNT,
    max_depth: orNull(COUNT),
  },
  Summarization: { ...GRADES, averages_p_values: YES_OR_NO },
  BitextMining: {},
};

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
  const type = isObject(value) ? value["type"] : undefined;
  if (typeof type !== "string" || !Object.hasOwn(OWN, type)) {
    throw new UsageError("the task has no known type", {
      where,
      expected: Object.keys(OWN).join(", "),
      found: JSON.stringify(type) ?? "none",
      ...didYouMean(nearestName(`${type}`, Object.keys(OWN))),
    });
  }
  const { type: _, ...given } = value as Readonly<Record<string, unknown>>;
  const fields: Readonly<Record<string, Field>> = { ...COMMON, ...OWN[type as MtebTask["type"]] };
  const missing = ["name", "eval_splits"].filter((name) => !Object.hasOwn(given, name));
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(fields, name));
  const wrong = Object.keys(given).filter((name) => Object.hasOwn(fields, name) && !fields[name]!.is(given[name]));
  if (missing.length + unknown.length + wrong.length > 0) {
    throw new UsageError("the task has wrong settings", {
      where,
      ...(unknown.length > 0 && { expected: `settings ${Object.keys(fields).join(", ")}` }),
      found: [
        ...missing.map((name) => `${name}: missing, must be ${fields[name]!.expected}`),
        ...unknown.map((name) => `${name}: there is no such setting`),
        ...wrong.map((name) => `${name}: must be ${fields[name]!.expected}`),
      ].join("; "),
    });
  }
  return value as MtebTask;
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
