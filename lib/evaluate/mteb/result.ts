/**
 * Results of tasks as files: mteb's own JSON, and that of its first version.
 *
 * @module
 */
import { roundTo } from "../../numeric/rounding.ts";

/** A score, or scores by experiment or level. What is not a number is null in files. */
export type Score = number | null | readonly number[] | { readonly [name: string]: Score } | readonly Score[];

/** TaskScores by name. */
export type TaskScores = Record<string, Score>;

/** TaskScores of a subset of a split. */
export type SubsetScores = {
  /** TaskScores by name. */
  readonly [name: string]: Score | string | readonly string[];
  /** Name of the subset. */
  readonly hf_subset: string;
  /** Its languages. */
  readonly languages: readonly string[];
  /** The score that stands for the task; null where it is undefined. */
  readonly main_score: number | null;
  /** The version of mteb whose protocol was followed. */
  readonly mteb_version: string;
};

/** A result as mteb's `TaskResult` reads and writes it. */
export interface TaskResult {
  /** Commit of the dataset. */
  readonly dataset_revision: string;
  /** Name of the task. */
  readonly task_name: string;
  /** The version of mteb whose protocol was followed. */
  readonly mteb_version: string;
  /** TaskScores by split. */
  readonly scores: Readonly<Record<string, readonly SubsetScores[]>>;
  /** Seconds that it took. */
  readonly evaluation_time: number;
  /** Not measured. */
  readonly kg_co2_emissions: null;
}

/** The version whose protocol is followed. */
export const MTEB_VERSION = "2.26.24";

/** The value with numbers rounded to six places as mteb's files have them; what is not finite becomes null. */
function plain(score: unknown): unknown {
  if (typeof score === "number") return Number.isFinite(score) ? roundTo(score, 6) : null;
  if (Array.isArray(score)) return score.map(plain);
  if (typeof score !== "object" || score === null) return score;
  return Object.fromEntries(Object.entries(score).map(([name, value]) => [name, plain(value)]));
}

/**
 * The file of results that `mteb.TaskResult.from_disk` reads.
 *
 * @param result From {@linkcode evaluateTask}.
 * @returns JSON.
 */
export function taskResultJson(result: TaskResult): string {
  const scores = Object.fromEntries(
    Object.entries(result.scores).map(([split, subsets]) => [split, subsets.map(plain)]),
  );
  return JSON.stringify({ ...result, scores }, null, 2) + "\n";
}

/** Names that had a map of their own before version 1.11. */
const NESTED: Readonly<Record<string, string>> = {
  cosine: "cos_sim",
  manhattan: "manhattan",
  euclidean: "euclidean",
  dot: "dot",
  max: "max",
};

/**
 * The file as mteb 1.1 wrote it and the chapter prints it: scores by split, `accuracy_stderr` and `f1_stderr` (which are
 * standard deviations of the experiments, not errors), similarities as maps, `evaluation_time` within the split.
 *
 * @param result From {@linkcode evaluateTask}.
 * @returns JSON.
 */
export function firstFormatJson(result: TaskResult): string {
  const splits = Object.entries(result.scores).map(([split, subsets]) => {
    const old = subsets.map((subset) => [subset.hf_subset, firstFormatScores(subset)] as const);
    const isDefault = old.length === 1 && old[0]![0] === "default";
    const scores = isDefault ? old[0]![1] : Object.fromEntries(old);
    return [split, { ...scores, evaluation_time: Math.round(result.evaluation_time * 100) / 100 }];
  });
  return JSON.stringify(
    {
      mteb_version: "1.1.2",
      dataset_revision: result.dataset_revision,
      mteb_dataset_name: result.task_name,
      ...Object.fromEntries(splits),
    },
    null,
    2,
  ) + "\n";
}

function firstFormatScores(subset: SubsetScores): Record<string, unknown> {
  const { hf_subset: _, languages: __, mteb_version: ___, scores_per_experiment: each, main_score: main, ...rest } =
    subset;
  const scores: Record<string, unknown> = {};
  if (Array.isArray(each)) {
    const deviations: Record<string, number> = {};
    for (const name of ["accuracy", "f1", "ap"]) {
      const values: unknown[] = each.map((experiment) => experiment[name]);
      if (!values.every((value) => typeof value === "number")) continue;
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      scores[name] = mean;
      deviations[`${name}_stderr`] = Math.sqrt(
        values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length,
      );
    }
    return { ...scores, ...deviations, main_score: main };
  }
  for (const [name, value] of Object.entries(rest)) {
    const [, kind, measure] = /^(cosine|manhattan|euclidean|dot|max)_(.+)$/.exec(name) ?? [];
    if (kind === undefined) {
      if (!/^(pearson|spearman|similarity_.*|nauc_.*|ami.*|hit_rate_.*)$/.test(name)) scores[name] = value;
    } else {
      const own = (scores[NESTED[kind]!] ??= {}) as Record<string, unknown>;
      own[measure!] = value;
    }
  }
  return { ...scores, main_score: main };
}
