/**
 * Fine-tuning a pretrained sentence encoder on triplets, pairs, or (as printed) every pair as a positive.
 *
 * @module
 */
import { losses } from "../lib/loss/named.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { ADAPTERS, MATRYOSHKA, MINING, TRAINING } from "../lib/pipeline/flags.ts";
import { rowsWithNegatives } from "../lib/pipeline/mining.ts";
import { summary } from "../lib/pipeline/report.ts";
import { trainingPresets, trainSource } from "../lib/pipeline/settings.ts";
import { loadPairsOrNli } from "../lib/pipeline/stages/load.ts";
import { sampleModel, trainAndReport } from "../lib/pipeline/training.ts";

/** The command: load → triplets → tokenize → train → evaluate. */
export const command: Command = {
  name: "supervised_finetune",
  summary: "fine-tunes a pretrained sentence encoder",
  flags: [...TRAINING, "prompts", ...MINING, "as-printed", ...MATRYOSHKA, ...ADAPTERS, "lora-save"],
  presets: trainingPresets({
    sample: { "negatives": "contradiction", "learning-rate": 2e-4, "epochs": 1 },
    chapter: { negatives: "easy", model: "sentence-transformers/all-MiniLM-L6-v2" },
    test: { negatives: "contradiction" },
    own: { negatives: "none" },
  }),
  run: (invocation) =>
    trainAndReport(invocation, {
      loss: losses.multipleNegativesRanking(),
      data: loadPairsOrNli(trainSource(invocation)),
      kind: "retrieval",
      rows: (pairs, base) => rowsWithNegatives(invocation, pairs, base),
      // The sample has no pretrained sentence encoder but the one that its own multiple-negatives example makes.
      ...(invocation.values["model"] === undefined && { base: sampleModel(invocation) }),
    }),
  print: summary,
};

if (import.meta.main) await main(command);
