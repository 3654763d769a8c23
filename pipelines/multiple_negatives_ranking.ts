/**
 * Multiple-negatives ranking: entailed pairs, every other row of the batch a negative.
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
import { trainAndReport } from "../lib/pipeline/training.ts";

/** The command: load → triplets → tokenize → train → evaluate. */
export const command: Command = {
  name: "multiple_negatives_ranking",
  summary: "trains on entailed pairs with in-batch and explicit negatives",
  flags: [...TRAINING, "prompts", ...MINING, ...MATRYOSHKA, ...ADAPTERS, "lora-save"],
  presets: trainingPresets({
    sample: { negatives: "contradiction" },
    chapter: { negatives: "easy" },
    test: { negatives: "contradiction" },
    own: { negatives: "none" },
  }),
  run: (invocation) =>
    trainAndReport(invocation, {
      loss: losses.multipleNegativesRanking(),
      data: loadPairsOrNli(trainSource(invocation)),
      kind: "retrieval",
      rows: (pairs, base) => rowsWithNegatives(invocation, pairs, base),
    }),
  print: summary,
};

if (import.meta.main) await main(command);
