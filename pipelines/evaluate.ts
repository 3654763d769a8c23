/**
 * Evaluates a model on graded pairs, labelled pairs, triplets, or pairs of what belongs together.
 *
 * @module
 */
import { Effect } from "effect";
import { attempt } from "../lib/attempt.ts";
import {
  type ColumnMapping,
  findName,
  isNamed,
  LIST_ROLES,
  type NamedColumns,
  parseColumns,
} from "../lib/data/column_names.ts";
import { asRankedDocuments } from "../lib/data/lists.ts";
import {
  evaluateJudge,
  evaluateListsByCosine,
  judgeLabels,
  WHOLE_ROLES,
  wholeTaskOf,
} from "../lib/pipeline/judge_evaluation.ts";
import { asPairsOrTriplets, usedColumns } from "../lib/data/columns.ts";
import type { Dataset, Pairs } from "../lib/data/dataset.ts";
import type { Columns } from "../lib/data/rows.ts";
import { resolveSource } from "../lib/data/source.ts";
import { readChunks, readTable, type Table } from "../lib/data/table.ts";
import { UsageError } from "../lib/error.ts";
import { encodeTexts } from "../lib/embed/encode.ts";
import { rolePrompts } from "../lib/embed/roles.ts";
import { type PromptChoice, promptOf } from "../lib/model/prompts.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { TensorEngine } from "../lib/stage/engine.ts";
import { COMPUTING } from "../lib/pipeline/flags.ts";
import { rowCollector } from "../lib/pipeline/garbage.ts";
import { writeOutput } from "../lib/pipeline/output.ts";
import { pairEvaluation, type PairTask } from "../lib/pipeline/pair_evaluation.ts";
import { outputFolder } from "../lib/pipeline/report_base.ts";
import { scoreTable } from "../lib/pipeline/score_table.ts";
import type { Metrics } from "../lib/train/record.ts";
import { emit } from "../lib/stage/progress.ts";
import { modelFolder } from "../lib/stage/roots.ts";
import { openBiEncoder, openCrossEncoder } from "../lib/stage/models.ts";
import { optional, text } from "../lib/pipeline/settings.ts";
import { evaluateRows } from "../lib/pipeline/stages/evaluate.ts";
import { loadRetrievalSets } from "../lib/pipeline/stages/retrieval.ts";
import { evaluateSets } from "../lib/pipeline/sets_evaluation.ts";

/** triplet for a negative, similarity for a score, retrieval for pairs with neither, binary when asked for. */
const taskOf = (table: Table, mapping: ColumnMapping) =>
  isNamed(table, "negative") || "negative" in mapping
    ? "triplet"
    : findName(table, "score") !== undefined || "score" in mapping
    ? "similarity"
    : "retrieval";

/** Columns of each task. */
const ROLES: Readonly<Record<string, readonly string[]>> = {
  triplet: ["anchor", "positive", "negative"],
  similarity: ["sentence1", "sentence2", "score"],
  binary: ["sentence1", "sentence2", "score"],
  retrieval: ["anchor", "positive"],
};

/** The file's columns of scored pairs; none, which stands for all, where one is not found, and for other rows. */
const columnsOf = (task: string, of: NamedColumns, mapping: ColumnMapping): readonly string[] => {
  if (task === "triplet") return []; // negatives may be several
  const names = ROLES[task]!.map((role) => mapping[role] ?? findName(of, role));
  return names.every((name) => name !== undefined && of.names.includes(name)) ? names as string[] : [];
};

/** Rows that say what a file is; the others are not looked at for it. */
const FIRST_ROWS = 512;

/** The command. */
export const command: Command = {
  name: "evaluate",
  summary: "evaluates a bi-encoder or a cross-encoder: --model M --eval FILE, BEIR's folder or nanobeir " +
    "[--task similarity|binary|triplet|retrieval|reranking]",
  flags: [...COMPUTING, "model", "max-seq-length", "eval", "task", "columns", "relevant-from", "output", "force"],
  meanings: {
    "model": "the model: a folder or a model of the hub",
    "task":
      "kind of evaluation; default: from the columns; a cross-encoder is asked for pairs with a score or a class, " +
      "or to rank lists (reranking)",
    "max-seq-length": "longest text in tokens; longer ones are cut; default: as the model's folder says",
  },
  presets: {},
  run: Effect.fnUntraced(function* (invocation) {
    const { values } = invocation;
    const [source, data] = [text(values, "model"), text(values, "eval")];
    if (source === undefined || data === undefined) {
      return yield* Effect.fail(
        new UsageError("--model and --eval are required", { expected: "--model M --eval FILE" }),
      );
    }
    const output = values["output"] === undefined ? undefined : yield* outputFolder(invocation);
    const sets = yield* loadRetrievalSets(data);
    if (sets !== undefined) return yield* evaluateSets(invocation, { source, data, output, sets });
    const paths = yield* attempt(async () => (await resolveSource(data)).paths);
    const first = yield* attempt(() => readTable(paths, { limit: FIRST_ROWS }));
    const named = text(values, "columns");
    const mapping: ColumnMapping = named === undefined ? {} : parseColumns(named, LIST_ROLES);
    const folder = yield* attempt(() => modelFolder(source));
    const labels = yield* judgeLabels(folder);
    const judge = labels !== undefined;
    const asked = text(values, "task");
    if (judge && asked !== undefined && asked !== "reranking") {
      return yield* Effect.fail(
        new UsageError("a cross-encoder is asked for the scores of pairs, or to rank lists", {
          expected: "--task reranking, or no --task",
          found: asked,
        }),
      );
    }
    const whole = asked === "reranking" ? asked : asked === undefined ? wholeTaskOf(first, mapping, labels) : undefined;
    const task = whole ?? asked ?? taskOf(first, mapping);
    if (values["relevant-from"] !== undefined && task !== "reranking") {
      return yield* Effect.fail(
        new UsageError("--relevant-from is for lists, which are ranked", { expected: "--task reranking", found: task }),
      );
    }
    if (named !== undefined && task !== "reranking") parseColumns(named); // lists alone have the further names
    const read = {
      source: data,
      columns: usedColumns(first, whole ? WHOLE_ROLES[whole] : ROLES[task]!, mapping),
      of: first.names.length,
    };
    yield* emit({ _tag: "columns", ...read });
    const engine = yield* (yield* TensorEngine).open;
    // What is not finished leaves no table, also when it is interrupted.
    const scores = output === undefined ? undefined : yield* Effect.acquireRelease(
      attempt(() => scoreTable(output)),
      (table) => Effect.promise(() => table.abandon()),
    );
    const shape = { maxSeqLength: optional(values, "max-seq-length") };
    const finished = (
      result: { readonly metrics: Metrics; readonly rows: number; readonly maxSeqLength: number },
      prompts: object,
    ) =>
      Effect.gen(function* () {
        const { metrics, rows, maxSeqLength: max_seq_length } = result;
        const about = {
          schema: "kindred-evaluation/1",
          model: source,
          eval: data,
          task,
          rows,
          max_seq_length,
          prompts,
        };
        const report = { ...about, columns: [read], metrics };
        if (output !== undefined) {
          yield* attempt(() => writeOutput(output, { "report.json": JSON.stringify(report, null, 2) + "\n" }));
        }
        return report;
      });
    if (whole !== undefined) {
      const relevantFrom = optional(values, "relevant-from");
      const bi = judge ? undefined : yield* openBiEncoder(folder, shape);
      const cross = judge ? yield* openCrossEncoder(folder, shape) : undefined;
      const result = yield* attempt(async () => {
        const table = await readTable(paths);
        const { metrics, columns, rows } = bi === undefined
          ? await evaluateJudge(engine, cross!, whole, table, { mapping, relevantFrom })
          : await evaluateListsByCosine(engine, bi, asRankedDocuments(table, mapping), { relevantFrom });
        await scores?.write(columns);
        await scores?.finish();
        return { metrics, rows };
      });
      const asked = bi && rolePrompts(bi);
      const promptIn = (choice: PromptChoice | undefined) => promptOf((bi ?? cross)!, choice) ?? null;
      const prompts = asked === undefined
        ? { text: promptIn({}) }
        : { query: promptIn(asked.query), document: promptIn(asked.document) };
      return yield* finished({ ...result, maxSeqLength: (bi ?? cross)!.maxSeqLength }, prompts);
    }
    const model = yield* openBiEncoder(folder, shape);
    const before = (prompt: PromptChoice) => promptOf(model, prompt) ?? null;
    const { query, document } = rolePrompts(model);
    const prompts = task === "retrieval" ? { query: before(query), document: before(document) } : { text: before({}) };
    const { metrics, rows } = yield* attempt(async (signal): Promise<{ metrics: Metrics; rows: number }> => {
      if (task === "retrieval") {
        // Every anchor looks at every positive: all of them are in memory.
        const table = await readTable(paths);
        const pairs = asPairsOrTriplets(table, mapping) as Dataset<Columns>;
        const { metrics, similarities } = await evaluateRows(engine, model, pairs, { kind: "retrieval" });
        const { anchor, positive } = pairs.columns as Pairs;
        await scores?.write({ anchor, positive, cosine: similarities });
        await scores?.finish();
        return { metrics, rows: table.rows };
      }
      const collect = rowCollector();
      const evaluation = pairEvaluation(task as PairTask, (texts) => encodeTexts(engine, model, texts), mapping);
      let rows = 0;
      for await (const table of readChunks(paths, { columns: (of) => columnsOf(task, of, mapping) })) {
        const columns = await evaluation.add(table);
        signal.throwIfAborted();
        await scores?.write(columns);
        collect(rows += table.rows);
      }
      const metrics = evaluation.metrics();
      await scores?.finish();
      return { metrics, rows };
    });
    return yield* finished({ metrics, rows, maxSeqLength: model.maxSeqLength }, prompts);
  }, Effect.scoped),
  print: ({ metrics }: { metrics: Record<string, number> }) =>
    Object.entries(metrics).map(([name, value]) => `${name.padEnd(28)}${value.toFixed(6)}`).join("\n"),
};

if (import.meta.main) await main(command);
