/**
 * Evaluates a model on graded pairs, labelled pairs or triplets.
 *
 * @module
 */
import { attempt } from "../lib/attempt.ts";
import { asPairsOrTriplets, asScoredPairs, parseColumns } from "../lib/data/columns.ts";
import { resolveSource } from "../lib/data/source.ts";
import { readTable, type Table } from "../lib/data/table.ts";
import { createCpuEngine } from "../lib/engine/cpu/engine.ts";
import { openNativeGemm } from "../lib/engine/cpu/native_gemm.ts";
import { UsageError } from "../lib/error.ts";
import { binaryMetrics } from "../lib/evaluate/binary.ts";
import { encodeTokens } from "../lib/evaluate/encode.ts";
import { similarityMetrics } from "../lib/evaluate/similarity.ts";
import { tripletMetrics } from "../lib/evaluate/triplet.ts";
import { loadBiEncoder } from "../lib/model/bi_encoder.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { COMMON } from "../lib/pipeline/flags.ts";
import { modelFolder } from "../lib/pipeline/source.ts";
import { tokenize } from "../lib/text/tokenizer.ts";

/** similarity for a score, triplet for a negative, binary when asked for. */
function taskOf(table: Table): string {
  return table.names.includes("negative") ? "triplet" : "similarity";
}

/** The command. */
export const command: Command = {
  name: "evaluate",
  summary: "evaluates a model: --model M --eval FILE [--task similarity|binary|triplet]",
  flags: [...COMMON, "model", "eval", "task", "columns", "gemm", "threads"],
  presets: {},
  run: (values) =>
    attempt(async () => {
      if (values["model"] === undefined || values["eval"] === undefined) {
        throw new UsageError("what shall be evaluated?", { expected: "--model M --eval FILE" });
      }
      const { paths } = await resolveSource(String(values["eval"]));
      const table = await readTable(paths[0]!);
      const mapping = values["columns"] === undefined ? {} : parseColumns(String(values["columns"]));
      const task = String(values["task"] ?? taskOf(table));
      const threads = Number(values["threads"] ?? navigator.hardwareConcurrency);
      const gemm = openNativeGemm({ gemm: (values["gemm"] ?? "auto") as "auto", threads }).gemm;
      const engine = createCpuEngine({ threads, gemm });
      try {
        const model = await loadBiEncoder(engine, await modelFolder(String(values["model"])));
        const prompt = model.defaultPromptName === undefined ? undefined : model.prompts[model.defaultPromptName];
        const embed = async (texts: readonly string[]) =>
          await encodeTokens(
            engine,
            model,
            await tokenize(model.tokenizer, texts, { maxLength: model.maxSeqLength, prompt }),
          );
        let metrics;
        if (task === "triplet") {
          const { columns } = asPairsOrTriplets(table, mapping);
          if (!("negative" in columns)) {
            throw new UsageError("triplets have a negative", { found: table.names.join(", ") });
          }
          metrics = tripletMetrics(
            await embed(columns.anchor),
            await embed(columns.positive),
            await embed(columns.negative),
          );
        } else {
          const { columns } = asScoredPairs(table, mapping);
          const [first, second] = [await embed(columns.sentence1), await embed(columns.sentence2)];
          metrics = (task === "binary" ? binaryMetrics : similarityMetrics)(first, second, columns.score);
        }
        return {
          schema: "kindred-evaluation/1",
          model: values["model"],
          eval: values["eval"],
          task,
          rows: table.rows,
          metrics,
        };
      } finally {
        engine.close();
      }
    }),
  print: ({ metrics }: { metrics: Record<string, number> }) =>
    Object.entries(metrics).map(([name, value]) => `${name.padEnd(28)}${value.toFixed(6)}`).join("\n"),
};

if (import.meta.main) await main(command);
