/**
 * Static embeddings: a row for each token, distilled from an encoder or at random, trained on pairs, pruned to a corpus.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { losses } from "../lib/loss/named.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { type FlagValues, MATRYOSHKA, MINING, STATIC, TRAINING } from "../lib/pipeline/flags.ts";
import { rowsWithNegatives } from "../lib/pipeline/mining.ts";
import { type Report, summary } from "../lib/pipeline/report.ts";
import { outputFolder } from "../lib/pipeline/report_base.ts";
import { trainingPresets, trainSource } from "../lib/pipeline/settings.ts";
import { loadPairsOrNli } from "../lib/pipeline/stages/load.ts";
import { compareModels } from "../lib/pipeline/static_comparison.ts";
import {
  belowOverlap,
  metricFacts,
  reportUntrained,
  type StaticReport,
  staticSummary,
} from "../lib/pipeline/static_report.ts";
import { startingVectors, teacherAnd } from "../lib/pipeline/static_vectors.ts";
import { trainAndReport } from "../lib/pipeline/training.ts";

const PRESETS = trainingPresets({
  sample: { "negatives": "contradiction", "epochs": 5 },
  test: { "negatives": "contradiction", "batch-size": 16 },
  own: { "negatives": "none" },
  chapter: { "negatives": "none", "teacher": "sentence-transformers/all-MiniLM-L6-v2" },
});

/** The kind of vectors says the learning rate, and the number of rows that of a batch, where nothing else is said. */
const leftOpen = (
  { "model": _, "learning-rate": __, "warmup-steps": ___, "batch-size": batch, ...preset }: FlagValues,
  name: string,
): FlagValues => ({ ...preset, ...(name === "test" && { "batch-size": batch }) });

/** The command: distil or draw → prune → train → evaluate beside the teacher. */
export const command: Command = {
  name: "static_embedding",
  summary: "static embeddings, distilled from an encoder or at random; trained on pairs; pruned to a corpus",
  flags: [...TRAINING.filter((flag) => flag !== "pooling"), "prompts", ...MATRYOSHKA, ...MINING, ...STATIC],
  meanings: {
    "model": "static model, or file of word vectors (GloVe, word2vec), to start from instead of a teacher",
    "min-count": "a token stays that stands so often in the texts of --prune-texts, at least; default 1",
    "learning-rate": "highest learning rate; default .2 from random vectors, .01 from others",
    "batch-size": "rows of a batch; default up to 2048, by the number of rows",
  },
  ownBy: ["model", "teacher"],
  presets: Object.fromEntries(Object.entries(PRESETS).map(([name, preset]) => [name, leftOpen(preset, name)])),
  run: Effect.fnUntraced(function* (invocation) {
    const { values, preset } = invocation;
    const output = yield* outputFolder(invocation);
    const vectors = yield* startingVectors(invocation);
    const trains = values["no-training"] !== true && (preset !== "own" || values["train"] !== undefined);
    if (!trains) return yield* reportUntrained(invocation, output, vectors);
    return yield* trainAndReport(invocation, {
      loss: losses.multipleNegativesRanking(),
      data: loadPairsOrNli(trainSource({ ...invocation, values: { model: "a new one", ...values } })),
      kind: "retrieval",
      rows: (pairs, base) => rowsWithNegatives(invocation, pairs, base),
      base: Effect.succeed(vectors.model),
      about: Effect.fnUntraced(function* (run, evaluation) {
        const table = yield* compareModels(
          teacherAnd(vectors, [
            { name: vectors.start, model: vectors.model, evaluation: run.before },
            { name: "trained", model: run.model, evaluation: run.after },
          ]),
          evaluation,
        );
        return {
          tables: [table],
          facts: { ...vectors.facts, ...metricFacts(table) },
          story: `${vectors.story}; trained by Kindred's \`${invocation.name}\` on pairs.`,
          warnings: yield* belowOverlap(table, evaluation),
        };
      }),
    });
  }),
  print: (report: Report | StaticReport) =>
    report.schema === "kindred-static/1" ? staticSummary(report) : summary(report),
};

if (import.meta.main) await main(command);
