/**
 * Multiple-negatives ranking: entailed pairs, every other row of the batch a negative.
 *
 * @module
 */
import { type Command, main } from "../lib/pipeline/command.ts";
import { ADAPTERS, MATRYOSHKA, MINING, TRAINING } from "../lib/pipeline/flags.ts";
import { PAIR_LOSS, trainPairs } from "../lib/pipeline/pair_losses.ts";
import { summary } from "../lib/pipeline/report.ts";
import { trainingPresets } from "../lib/pipeline/settings.ts";

/** The command: load → triplets → tokenize → train → evaluate. */
export const command: Command = {
  name: "multiple_negatives_ranking",
  summary: "trains on entailed pairs with in-batch and explicit negatives",
  flags: [...TRAINING, ...PAIR_LOSS.flags, "prompts", ...MINING, ...MATRYOSHKA, ...ADAPTERS, "lora-save"],
  meanings: PAIR_LOSS.meanings,
  choices: PAIR_LOSS.choices,
  presets: trainingPresets({
    sample: { negatives: "contradiction" },
    chapter: { negatives: "easy" },
    test: { negatives: "contradiction" },
    own: { negatives: "none" },
  }),
  run: (invocation) => trainPairs(invocation),
  print: summary,
};

if (import.meta.main) await main(command);
