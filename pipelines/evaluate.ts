/**
 * Evaluates a model on graded pairs, labelled pairs, triplets, or pairs of what belongs together.
 *
 * @module
 */
import { Effect } from "effect";
import { attempt } from "../lib/attempt.ts";
import { type ColumnMapping, findName, isNamed, parseColumns } from "../lib/data/column_names.ts";
import { asPairsOrTriplets, asScoredPairs, usedColumns } from "../lib/data/columns.ts";
import { csvText } from "../lib/data/csv_text.ts";
import type { Dataset, Pairs } from "../lib/data/dataset.ts";
import type { Columns } from "../lib/data/rows.ts";
import { resolveSource } from "../lib/data/source.ts";
import { readTable, type Table } from "../lib/data/table.ts";
import { UsageError } from "../lib/error.ts";
import { binaryMetrics } from "../lib/evaluate/binary.ts";
import { encodeTexts } from "../lib/embed/encode.ts";
import { pairwiseSimilarities } from "../lib/embed/pairwise.ts";
import { similarityMetrics } from "../lib/evaluate/similarity.ts";
import { tripletMetrics } from "../lib/evaluate/triplet.ts";
import { loadBiEncoder } from "../lib/model/bi_encoder.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { TensorEngine } from "../lib/stage/engine.ts";
import { COMPUTING } from "../lib/pipeline/flags.ts";
import { writeOutput } from "../lib/pipeline/output.ts";
import { outputFolder } from "../lib/pipeline/report_base.ts";
import type { Metrics } from "../lib/train/record.ts";
import { emit } from "../lib/stage/progress.ts";
import { modelFolder } from "../lib/stage/roots.ts";
import { text } from "../lib/pipeline/settings.ts";
import { evaluateRows } from "../lib/pipeline/stages/evaluate.ts";

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

/** Metrics, and what they were computed of: texts and cosines, row by row. */
interface Evaluated {
  readonly metrics: Metrics;
  readonly scores: Readonly<Record<string, ArrayLike<string | number>>>;
}

/** The command. */
export const command: Command = {
  name: "evaluate",
  summary: "evaluates a model: --model M --eval FILE [--task similarity|binary|triplet|retrieval]",
  flags: [...COMPUTING, "model", "eval", "task", "columns", "output", "force"],
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
    const table = yield* attempt(async () => await readTable((await resolveSource(data)).paths));
    const mapping: ColumnMapping = values["columns"] === undefined ? {} : parseColumns(text(values, "columns")!);
    const task = text(values, "task") ?? taskOf(table, mapping);
    const read = { source: data, columns: usedColumns(table, ROLES[task]!, mapping), of: table.names.length };
    yield* emit({ _tag: "columns", ...read });
    const folder = yield* attempt(() => modelFolder(source));
    const engine = yield* (yield* TensorEngine).open;
    const { metrics, scores } = yield* attempt(async (): Promise<Evaluated> => {
      const model = await loadBiEncoder(engine, folder);
      const embed = (texts: readonly string[]) => encodeTexts(engine, model, texts);
      if (task === "triplet") {
        const { columns } = asPairsOrTriplets(table, mapping);
        if (!("negative" in columns)) {
          throw new UsageError("triplets have a negative", { found: table.names.join(", ") });
        }
        const { anchor, positive, negative } = columns;
        const [anchors, near, far] = [await embed(anchor), await embed(positive), await embed(negative)];
        return {
          metrics: tripletMetrics(anchors, near, far),
          scores: {
            anchor,
            positive,
            negative,
            positive_cosine: pairwiseSimilarities(anchors, near).cosine,
            negative_cosine: pairwiseSimilarities(anchors, far).cosine,
          },
        };
      }
      if (task === "retrieval") {
        const rows = asPairsOrTriplets(table, mapping) as Dataset<Columns>;
        const { metrics, similarities } = await evaluateRows(engine, model, rows, { kind: "retrieval" });
        const { anchor, positive } = rows.columns as Pairs;
        return { metrics, scores: { anchor, positive, cosine: similarities } };
      }
      const { sentence1, sentence2, score } = asScoredPairs(table, mapping).columns;
      const measure = task === "binary" ? binaryMetrics : similarityMetrics;
      const [first, second] = [await embed(sentence1), await embed(sentence2)];
      const { cosine } = pairwiseSimilarities(first, second);
      return { metrics: measure(first, second, score), scores: { sentence1, sentence2, score, cosine } };
    });
    const report = {
      schema: "kindred-evaluation/1",
      model: source,
      eval: data,
      task,
      rows: table.rows,
      columns: [read],
      metrics,
    };
    if (output !== undefined) {
      yield* attempt(() =>
        writeOutput(output, {
          "report.json": JSON.stringify(report, null, 2) + "\n",
          "scores.csv": csvText(
            Object.keys(scores),
            Array.from({ length: Object.values(scores)[0]!.length }, (_, row) =>
              Object.values(scores).map((column) => column[row])),
          ),
        })
      );
    }
    return report;
  }),
  print: ({ metrics }: { metrics: Record<string, number> }) =>
    Object.entries(metrics).map(([name, value]) => `${name.padEnd(28)}${value.toFixed(6)}`).join("\n"),
};

if (import.meta.main) await main(command);
