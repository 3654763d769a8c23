/**
 * Fine-tuning a pretrained sentence encoder on triplets, pairs, or (as printed) every pair as a positive.
 *
 * @module
 */
import { type Command, main } from "../lib/pipeline/command.ts";
import { ADAPTERS, MATRYOSHKA, MINING, TRAINING } from "../lib/pipeline/flags.ts";
import { PAIR_LOSS, trainPairs } from "../lib/pipeline/pair_losses.ts";
import { summary } from "../lib/pipeline/report.ts";
import { trainingPresets } from "../lib/pipeline/settings.ts";
import { sampleModel } from "../lib/pipeline/training.ts";

/** The command: load → triplets → tokenize → train → evaluate. */
export const command: Command = {
  name: "supervised_finetune",
  summary: "fine-tunes a pretrained sentence encoder",
  flags: [...TRAINING, ...PAIR_LOSS.flags, "prompts", ...MINING, "as-printed", ...MATRYOSHKA, ...ADAPTERS, "lora-save"],
  meanings: PAIR_LOSS.meanings,
  choices: PAIR_LOSS.choices,
  presets: trainingPresets({
    sample: { "negatives": "contradiction", "learning-rate": 2e-4, "epochs": 1 },
    chapter: { negatives: "easy", model: "sentence-transformers/all-MiniLM-L6-v2" },
    test: { negatives: "contradiction" },
    own: { negatives: "none" },
  }),
  // The sample has no pretrained sentence encoder but the one that its own multiple-negatives example makes.
  run: (invocation) =>
    trainPairs(invocation, invocation.values["model"] === undefined ? sampleModel(invocation) : undefined),
  print: summary,
};

if (import.meta.main) await main(command);
