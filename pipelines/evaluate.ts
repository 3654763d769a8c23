/**
 * Evaluates a model on graded pairs, labelled pairs, triplets, pairs of what belongs together, labelled texts, lists, or
 * corpora with queries and judgements; with intervals, and beside another model on the same rows.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt, attemptSync } from "../lib/attempt.ts";
import { UsageError } from "../lib/error.ts";
import { baselinesOf } from "../lib/pipeline/baselines.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { COMPUTING } from "../lib/pipeline/flags.ts";
import { againstReport, type Draws, evaluationLines, intervalReport } from "../lib/pipeline/intervals.ts";
import { judgeLabels } from "../lib/pipeline/judge_evaluation.ts";
import { measuredRows } from "../lib/pipeline/measured_rows.ts";
import { drawsOf, measure } from "../lib/pipeline/measurement.ts";
import { writeOutput } from "../lib/pipeline/output.ts";
import { outputFolder } from "../lib/pipeline/report_base.ts";
import { scoreTable } from "../lib/pipeline/score_table.ts";
import { optional, promptsOf, text } from "../lib/pipeline/settings.ts";
import type { SetPrompts } from "../lib/pipeline/sets_evaluation.ts";
import { modelFolder } from "../lib/stage/roots.ts";
import type { Metrics } from "../lib/train/record.ts";

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
    const { on, columns, counts } = yield* measuredRows(values, data, yield* judgeLabels(folder));
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
