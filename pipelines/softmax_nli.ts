/**
 * Softmax: a classifier over the two embeddings of a pair and their difference.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { losses } from "../lib/loss/named.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { ADAPTERS, TRAINING } from "../lib/pipeline/flags.ts";
import { summary } from "../lib/pipeline/report.ts";
import { trainingPresets, trainSource } from "../lib/pipeline/settings.ts";
import { loadLabelledPairs } from "../lib/pipeline/stages/load.ts";
import { trainAndReport } from "../lib/pipeline/training.ts";

/** The command: load → tokenize → train → evaluate. */
export const command: Command = {
  name: "softmax_nli",
  summary: "classifies sentence pairs from their embeddings",
  flags: [...TRAINING, "prompts", "as-printed", ...ADAPTERS, "lora-save"],
  meanings: { "columns": "names of columns: premise=text,hypothesis=claim,label=verdict" },
  presets: trainingPresets(),
  run: (invocation) =>
    trainAndReport(invocation, {
      loss: losses.softmax({ frozen: invocation.values["as-printed"] === true }),
      data: loadLabelledPairs(trainSource(invocation)),
      kind: "classes",
      rows: Effect.succeed,
    }),
  print: summary,
};

if (import.meta.main) await main(command);
