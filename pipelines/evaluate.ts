/**
 * Evaluates a model on graded pairs, labelled pairs, triplets, or pairs of what belongs together.
 *
 * @module
 */
import { Effect } from "effect";
import { attempt } from "../lib/attempt.ts";
import { type ColumnMapping, findName, isNamed, parseColumns } from "../lib/data/column_names.ts";
import { asPairsOrTriplets, asScoredPairs } from "../lib/data/columns.ts";
import type { Dataset } from "../lib/data/dataset.ts";
import type { Columns } from "../lib/data/rows.ts";
import { resolveSource } from "../lib/data/source.ts";
import { readTable, type Table } from "../lib/data/table.ts";
import { UsageError } from "../lib/error.ts";
import { binaryMetrics } from "../lib/evaluate/binary.ts";
import { encodeTexts } from "../lib/embed/encode.ts";
import { similarityMetrics } from "../lib/evaluate/similarity.ts";
import { tripletMetrics } from "../lib/evaluate/triplet.ts";
import { loadBiEncoder } from "../lib/model/bi_encoder.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { TensorEngine } from "../lib/stage/engine.ts";
import { COMPUTING } from "../lib/pipeline/flags.ts";
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

/** The command. */
export const command: Command = {
  name: "evaluate",
  summary: "evaluates a model: --model M --eval FILE [--task similarity|binary|triplet|retrieval]",
  flags: [...COMPUTING, "model", "eval", "task", "columns"],
  presets: {},
  run: Effect.fnUntraced(function* ({ values }) {
    const [source, data] = [text(values, "model"), text(values, "eval")];
    if (source === undefined || data === undefined) {
      return yield* Effect.fail(
        new UsageError("--model and --eval are required", { expected: "--model M --eval FILE" }),
      );
    }
    const table = yield* attempt(async () => await readTable((await resolveSource(data)).paths));
    const mapping: ColumnMapping = values["columns"] === undefined ? {} : parseColumns(text(values, "columns")!);
    const task = text(values, "task") ?? taskOf(table, mapping);
    const folder = yield* attempt(() => modelFolder(source));
    const engine = yield* (yield* TensorEngine).open;
    const metrics = yield* attempt(async () => {
      const model = await loadBiEncoder(engine, folder);
      const embed = (texts: readonly string[]) => encodeTexts(engine, model, texts);
      if (task === "triplet") {
        const { columns } = asPairsOrTriplets(table, mapping);
        if (!("negative" in columns)) {
          throw new UsageError("triplets have a negative", { found: table.names.join(", ") });
        }
        const { anchor, positive, negative } = columns;
        return tripletMetrics(await embed(anchor), await embed(positive), await embed(negative));
      }
      if (task === "retrieval") {
        const rows = asPairsOrTriplets(table, mapping) as Dataset<Columns>;
        return (await evaluateRows(engine, model, rows, { kind: "retrieval" })).metrics;
      }
      const { sentence1, sentence2, score } = asScoredPairs(table, mapping).columns;
      const measure = task === "binary" ? binaryMetrics : similarityMetrics;
      return measure(await embed(sentence1), await embed(sentence2), score);
    });
    return { schema: "kindred-evaluation/1", model: source, eval: data, task, rows: table.rows, metrics };
  }),
  print: ({ metrics }: { metrics: Record<string, number> }) =>
    Object.entries(metrics).map(([name, value]) => `${name.padEnd(28)}${value.toFixed(6)}`).join("\n"),
};

if (import.meta.main) await main(command);
