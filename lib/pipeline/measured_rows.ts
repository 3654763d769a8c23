/**
 * The rows that models are measured on, and the task that their form asks for.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt } from "../attempt.ts";
import { parseColumns } from "../data/column_mapping.ts";
import { type ColumnMapping, findName, isNamed, LIST_ROLES, type NamedColumns, nameFor } from "../data/column_names.ts";
import { usedColumns } from "../data/columns.ts";
import type { Dataset } from "../data/dataset.ts";
import type { RetrievalRows } from "../data/retrieval_sets.ts";
import { resolveSource } from "../data/source.ts";
import { readTable } from "../data/table.ts";
import type { Table } from "../data/table_builder.ts";
import { type KindredError, UsageError } from "../error.ts";
import { emit, type ReadColumns } from "../stage/progress.ts";
import { type Services, valueOf } from "../stage/stage.ts";
import type { FlagValues } from "./flags.ts";
import { WHOLE_ROLES, type WholeTask, wholeTaskOf } from "./judge_evaluation.ts";
import { text } from "./settings.ts";
import { isClassified } from "./stages/load.ts";
import { loadRetrievalSets } from "./stages/retrieval.ts";
import { TEXT_ROLES } from "./text_evaluation.ts";

/** What a model is measured on. */
export type MeasuredRows =
  | {
    readonly kind: "sets";
    readonly task: "corpus" | "nanobeir";
    readonly rows: Dataset<RetrievalRows>;
  }
  | {
    readonly kind: "table";
    readonly task: string;
    readonly whole: WholeTask | undefined;
    readonly paths: readonly string[];
    readonly mapping: ColumnMapping;
  };

/** Rows that say what a file is; the others are not looked at for it. */
const FIRST_ROWS = 512;

/** What `--eval` names, and which form it has. */
export const measuredRows: (
  values: FlagValues,
  data: string,
  labels: number | undefined,
) => Effect.Effect<
  {
    readonly on: MeasuredRows;
    readonly columns: readonly ReadColumns[];
    readonly counts?: Readonly<Record<string, number>>;
  },
  KindredError,
  Services
> = Effect.fnUntraced(function* (values, data, labels) {
  const asked = text(values, "task");
  const sets = yield* loadRetrievalSets(data);
  if (sets !== undefined) {
    if (asked !== undefined && asked !== "retrieval") {
      return yield* Effect.fail(
        new UsageError("a corpus with queries and judgements is for retrieval", {
          expected: "--task retrieval, or no --task",
          found: asked,
        }),
      );
    }
    const { counts, ...rows } = yield* valueOf(sets);
    const task = counts["named"] === 1 ? "nanobeir" : "corpus";
    return { on: { kind: "sets", task, rows }, columns: [], counts };
  }
  const paths = yield* attempt(async () => (await resolveSource(data)).paths);
  const named = text(values, "columns");
  const mapping: ColumnMapping = named === undefined ? {} : parseColumns(named, LIST_ROLES);
  const first = yield* attempt(() => readTable(paths, { mapping, limit: FIRST_ROWS }));
  if (labels !== undefined && asked !== undefined && asked !== "reranking") {
    return yield* Effect.fail(
      new UsageError("a cross-encoder is asked for the scores of pairs, or to rank lists", {
        expected: "--task reranking, or no --task",
        found: asked,
      }),
    );
  }
  const whole = asked === "reranking" ? asked : asked === undefined ? wholeTaskOf(first, mapping, labels) : undefined;
  const task = whole ?? asked ?? taskOf(first, mapping);
  if (named !== undefined && task !== "reranking") parseColumns(named); // lists alone have the further names
  const read = {
    source: data,
    columns: usedColumns(first, whole ? WHOLE_ROLES[whole] : ROLES[task]!, mapping),
    of: first.names.length,
  };
  yield* emit({ _tag: "columns", ...read });
  return { on: { kind: "table", task, whole, paths, mapping }, columns: [read] };
});

/**
 * labels for texts with a class, triplet for a negative, similarity for a score, retrieval for pairs with neither; others
 * when asked for.
 */
const taskOf = (table: Table, mapping: ColumnMapping) =>
  isNamed(table, "negative") || "negative" in mapping
    ? "triplet"
    : isClassified(table, mapping)
    ? "labels"
    : findName(table, "score") !== undefined || "score" in mapping
    ? "similarity"
    : "retrieval";

/** Columns of each task. */
const ROLES: Readonly<Record<string, readonly string[]>> = {
  triplet: ["anchor", "positive", "negative"],
  similarity: ["sentence1", "sentence2", "score"],
  binary: ["sentence1", "sentence2", "score"],
  ...TEXT_ROLES,
};

/** The file's columns of scored pairs; none, which stands for all, where one is not found, and for other rows. */
export const columnsOf = (task: string, of: NamedColumns, mapping: ColumnMapping): readonly string[] => {
  if (task === "triplet") return []; // negatives may be several
  const names = ROLES[task]!.map((role) => nameFor(of, role, mapping));
  return names.every((name) => name !== undefined && of.names.includes(name)) ? names as string[] : [];
};
