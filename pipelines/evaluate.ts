/**
 * Evaluates a model on graded pairs, labelled pairs, triplets, pairs of what belongs together, labelled texts, lists, or
 * corpora with queries and judgements; with intervals, and beside another model on the same rows.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt, attemptSync } from "../lib/attempt.ts";
import {
  type ColumnMapping,
  findName,
  isNamed,
  LIST_ROLES,
  type NamedColumns,
  parseColumns,
} from "../lib/data/column_names.ts";
import { usedColumns } from "../lib/data/columns.ts";
import type { Dataset } from "../lib/data/dataset.ts";
import { asRankedDocuments } from "../lib/data/lists.ts";
import type { RetrievalRows } from "../lib/data/retrieval_sets.ts";
import { resolveSource } from "../lib/data/source.ts";
import { readChunks, readTable, type Table } from "../lib/data/table.ts";
import type { PoolingMode } from "../lib/engine/engine.ts";
import { encodeTexts } from "../lib/embed/encode.ts";
import { rolePrompts } from "../lib/embed/roles.ts";
import { type KindredError, UsageError } from "../lib/error.ts";
import type { Resampled } from "../lib/evaluate/bootstrap.ts";
import { keptWidth } from "../lib/model/bi_encoder.ts";
import { type PromptChoice, promptOf } from "../lib/model/prompts.ts";
import { lengthLimit } from "../lib/pipeline/card.ts";
import { baselinesOf } from "../lib/pipeline/baselines.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { COMPUTING, type FlagValues } from "../lib/pipeline/flags.ts";
import { rowCollector } from "../lib/pipeline/garbage.ts";
import { againstReport, type Draws, evaluationLines, intervalReport } from "../lib/pipeline/intervals.ts";
import {
  evaluateJudge,
  evaluateListsByCosine,
  judgeLabels,
  WHOLE_ROLES,
  type WholeTask,
  wholeTaskOf,
} from "../lib/pipeline/judge_evaluation.ts";
import { writeOutput } from "../lib/pipeline/output.ts";
import { pairEvaluation, type PairTask } from "../lib/pipeline/pair_evaluation.ts";
import { outputFolder } from "../lib/pipeline/report_base.ts";
import { type ScoreTable, scoreTable } from "../lib/pipeline/score_table.ts";
import { evaluateSets, type SetPrompts } from "../lib/pipeline/sets_evaluation.ts";
import { optional, promptsOf, text } from "../lib/pipeline/settings.ts";
import { isClassified } from "../lib/pipeline/stages/load.ts";
import { loadRetrievalSets } from "../lib/pipeline/stages/retrieval.ts";
import { evaluateTexts, isTextTask, TEXT_ROLES } from "../lib/pipeline/text_evaluation.ts";
import { TensorEngine } from "../lib/stage/engine.ts";
import { openBiEncoder, openCrossEncoder } from "../lib/stage/models.ts";
import { emit, type ReadColumns } from "../lib/stage/progress.ts";
import { modelFolder } from "../lib/stage/roots.ts";
import { type Services, valueOf } from "../lib/stage/stage.ts";
import type { Metrics } from "../lib/train/record.ts";

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
const columnsOf = (task: string, of: NamedColumns, mapping: ColumnMapping): readonly string[] => {
  if (task === "triplet") return []; // negatives may be several
  const names = ROLES[task]!.map((role) => mapping[role] ?? findName(of, role));
  return names.every((name) => name !== undefined && of.names.includes(name)) ? names as string[] : [];
};

/** Rows that say what a file is; the others are not looked at for it. */
const FIRST_ROWS = 512;

/** Of more rows, none are drawn anew unless it is said how often: what that takes grows with them. */
const MOST_DRAWN = 100_000;

const drawsOf = (rows: number, asked: number | undefined) => asked ?? (rows > MOST_DRAWN ? 0 : 1000);

/** What a model is measured on. */
type Rows =
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

/** What a model gave. */
interface Measurement {
  readonly metrics: Metrics;
  readonly rows: number;
  readonly max_seq_length: number | null;
  /** Features of an embedding; null: a cross-encoder makes none. */
  readonly width: number | null;
  readonly prompts: Readonly<Record<string, string | null>>;
  readonly resampled: Resampled | undefined;
}

/** How a model is measured. */
interface Measuring {
  /** Longest text in tokens. */
  readonly maxSeqLength: number | undefined;
  /** Features of an embedding that are looked at. */
  readonly truncateDim: number | undefined;
  /** How tokens become one embedding, instead of as the model's folder says. */
  readonly pooling?: PoolingMode | undefined;
  /** See `asRankedDocuments`. */
  readonly relevantFrom: number | undefined;
  /** Of corpora. */
  readonly prompts: SetPrompts | undefined;
  /** Of mse. */
  readonly teacher: string | undefined;
  /** How often rows are drawn anew, where it is said. */
  readonly resamples: number | undefined;
  /** Where every row goes. */
  readonly scores: ScoreTable | undefined;
}

/** Measures a model by its folder; what it opens is closed. */
const measure: (
  folder: string,
  on: Rows,
  how: Measuring,
) => Effect.Effect<Measurement, KindredError, Services> = Effect.fnUntraced(
  function* (
    folder,
    on,
    { maxSeqLength, truncateDim, pooling, relevantFrom, teacher: taughtBy, prompts: given, resamples, scores },
  ) {
    const engine = yield* (yield* TensorEngine).open;
    const labels = yield* judgeLabels(folder);
    if (labels !== undefined) {
      const whole = on.kind === "table" ? on.whole : undefined;
      if (on.kind !== "table" || whole === undefined) {
        return yield* Effect.fail(
          new UsageError("a cross-encoder is asked for the scores of pairs, or to rank lists", {
            expected: "--task reranking, or no --task",
            found: on.task,
          }),
        );
      }
      if (truncateDim !== undefined) {
        return yield* Effect.fail(
          new UsageError("--truncate-dim is for embeddings, and a cross-encoder makes none", { where: folder }),
        );
      }
      const model = yield* openCrossEncoder(folder, { maxSeqLength });
      const { metrics, rows } = yield* attempt(async () => {
        const result = await evaluateJudge(engine, model, whole, await readTable(on.paths), {
          mapping: on.mapping,
          relevantFrom,
        });
        await scores?.write(result.columns);
        return result;
      });
      const prompts = { text: promptOf(model, {}) ?? null };
      return { metrics, rows, max_seq_length: lengthLimit(model), width: null, prompts, resampled: undefined };
    }
    const model = yield* openBiEncoder(folder, { maxSeqLength, truncateDim, pooling });
    const teacherFolder = taughtBy && (yield* attempt(() => modelFolder(taughtBy)));
    const teacher = teacherFolder ? yield* openBiEncoder(teacherFolder, { maxSeqLength }) : undefined;
    const before = (prompt: PromptChoice) => promptOf(model, prompt) ?? null;
    const { query, document } = rolePrompts(model);
    const hasRoles = on.kind === "sets" || on.task === "retrieval" || on.task === "reranking";
    const prompts: Measurement["prompts"] = hasRoles
      ? { query: before(query), document: before(document), ...given }
      : { text: before({}) };
    const result = yield* attempt(async (signal) => {
      if (on.kind === "sets" || on.whole !== undefined || isTextTask(on.task)) {
        // Every text is compared with all others: all of them are in memory.
        const whole = on.kind === "sets"
          ? await evaluateSets(engine, model, on.rows, given)
          : isTextTask(on.task)
          ? await evaluateTexts(engine, model, on.task, await readTable(on.paths), { mapping: on.mapping, teacher })
          : {
            ...await evaluateListsByCosine(
              engine,
              model,
              asRankedDocuments(await readTable(on.paths), on.mapping),
              { relevantFrom },
            ),
            resampled: undefined,
          };
        await scores?.write(whole.columns);
        return { metrics: whole.metrics, rows: whole.rows, resampled: whole.resampled };
      }
      const { task, paths, mapping } = on;
      const collect = rowCollector();
      const evaluation = pairEvaluation(task as PairTask, (texts) => encodeTexts(engine, model, texts), mapping);
      let rows = 0;
      for await (const table of readChunks(paths, { columns: (of) => columnsOf(task, of, mapping) })) {
        const columns = await evaluation.add(table);
        signal.throwIfAborted();
        await scores?.write(columns);
        collect(rows += table.rows);
      }
      return { metrics: evaluation.metrics(), rows, resampled: evaluation.resampled };
    });
    const { metrics, rows, resampled } = result;
    const drawn = typeof resampled === "function" ? drawsOf(rows, resamples) > 0 ? resampled() : undefined : resampled;
    return { metrics, rows, max_seq_length: lengthLimit(model), width: keptWidth(model), prompts, resampled: drawn };
  },
  Effect.scoped,
);

/** What `--eval` names, and which form it has. */
const rowsOf: (
  values: FlagValues,
  data: string,
  labels: number | undefined,
) => Effect.Effect<
  { readonly on: Rows; readonly columns: readonly ReadColumns[]; readonly counts?: Readonly<Record<string, number>> },
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
  const first = yield* attempt(() => readTable(paths, { limit: FIRST_ROWS }));
  const named = text(values, "columns");
  const mapping: ColumnMapping = named === undefined ? {} : parseColumns(named, LIST_ROLES);
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

/** The command. */
export const command: Command = {
  name: "evaluate",
  summary: "evaluates a bi-encoder or a cross-encoder: --model M --eval FILE, a folder of BEIR's layout, or nanobeir",
  flags: [
    ...COMPUTING,
    "model",
    "against",
    "baselines",
    "max-seq-length",
    "truncate-dim",
    "eval",
    "task",
    "columns",
    "relevant-from",
    "teacher",
    "prompts",
    "resamples",
    "output",
    "force",
  ],
  meanings: {
    "model": "the model: a folder or a model of the hub; #NAME behind it: an adapter within it",
    "seed": "seed of the rows that are drawn anew; default 42",
    "prompts":
      "texts before queries and documents of a corpus, instead of the model's prompts, for all sets or for one: " +
      '{"query": "q: ", "document": "d: ", "nq-query": "question: "}',
    "teacher": "for --task mse: the model whose embeddings are compared with",
    "task":
      "kind of evaluation; default: from the form of the rows; a cross-encoder is asked for pairs with a score or a " +
      "class, or to rank lists (reranking)",
    "max-seq-length": "longest text in tokens; longer ones are cut; default: as the model's folder says",
  },
  presets: {},
  run: Effect.fnUntraced(function* (invocation) {
    const { values } = invocation;
    const [source, data, against] = [text(values, "model"), text(values, "eval"), text(values, "against")];
    if (source === undefined || data === undefined) {
      return yield* Effect.fail(
        new UsageError("--model and --eval are required", { expected: "--model M --eval FILE" }),
      );
    }
    const named = yield* attemptSync(() => baselinesOf(text(values, "baselines")));
    const output = values["output"] === undefined ? undefined : yield* outputFolder(invocation);
    const folder = yield* attempt(() => modelFolder(source));
    const otherFolder = against === undefined ? undefined : yield* attempt(() => modelFolder(against));
    const { on, columns, counts } = yield* rowsOf(values, data, yield* judgeLabels(folder));
    const { task } = on;
    if (values["relevant-from"] !== undefined && task !== "reranking") {
      return yield* Effect.fail(
        new UsageError("--relevant-from is for lists, which are ranked", { expected: "--task reranking", found: task }),
      );
    }
    if ((values["teacher"] !== undefined) !== (task === "mse")) {
      return yield* Effect.fail(
        new UsageError("the error to a teacher wants a teacher, and nothing else does", {
          expected: "--task mse --teacher MODEL",
          found: task === "mse" ? "no --teacher" : `--task ${task}`,
        }),
      );
    }
    const prompts = yield* attemptSync(() => promptsOf(values));
    if (prompts !== undefined && (typeof prompts === "string" || on.kind !== "sets")) {
      return yield* Effect.fail(
        new UsageError("--prompts is for corpora, and says what goes before queries and documents", {
          expected: '{"query": "q: ", "document": "d: "}, with a folder of BEIR\'s layout or nanobeir',
          found: typeof prompts === "string" ? prompts : `--task ${task}`,
        }),
      );
    }
    // What is not finished leaves no table, also when it is interrupted.
    const scores = output === undefined ? undefined : yield* Effect.acquireRelease(
      attempt(() => scoreTable(output)),
      (table) => Effect.promise(() => table.abandon()),
    );
    const how = {
      maxSeqLength: optional(values, "max-seq-length"),
      truncateDim: optional(values, "truncate-dim"),
      relevantFrom: optional(values, "relevant-from"),
      teacher: text(values, "teacher"),
      prompts: prompts as SetPrompts | undefined,
      resamples: optional(values, "resamples"),
    };
    const mine = yield* measure(folder, on, { ...how, scores });
    const other = otherFolder === undefined
      ? undefined
      : yield* measure(otherFolder, on, { ...how, scores: undefined });
    const baselines: Record<string, Metrics> = {};
    for (const baseline of named) {
      const where = yield* attempt(() => modelFolder(baseline.model));
      const { pooling } = baseline;
      const { metrics } = yield* measure(where, on, { ...how, pooling, resamples: 0, scores: undefined });
      baselines[baseline.name] = metrics;
    }
    const resamples = drawsOf(mine.rows, how.resamples);
    const draws: Draws | undefined = resamples === 0 ? undefined : { resamples, seed: optional(values, "seed") ?? 42 };
    const { resampled, ...about } = mine;
    const { metrics, ...reading } = about;
    const report = yield* attempt(async () => {
      const report = {
        schema: "kindred-evaluation/1",
        model: source,
        eval: data,
        task,
        ...reading,
        ...(counts !== undefined && { counts }),
        columns,
        metrics,
        ...(draws && resampled && { intervals: intervalReport(resampled, draws) }),
        ...(named.length > 0 && { baselines }),
        ...(other && { against: againstReport(against!, mine, other, draws) }),
      };
      await scores?.finish();
      if (output !== undefined) {
        await writeOutput(output, { "report.json": JSON.stringify(report, null, 2) + "\n" });
      }
      return report;
    });
    return report;
  }, Effect.scoped),
  print: evaluationLines,
};

if (import.meta.main) await main(command);
