/**
 * Multiple-negatives ranking: entailed pairs, every other row of the batch a negative.
 *
 * @module
 */
import { type NegativeKind, tripletsFromNli } from "../lib/data/triplets.ts";
import { multipleNegativesRanking } from "../lib/loss/mod.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { trainingCommand } from "../lib/pipeline/training.ts";

/** The command: load → triplets → train → evaluate. */
export const command: Command = trainingCommand({
  name: "multiple_negatives_ranking",
  summary: "trains on entailed pairs with in-batch and explicit negatives",
  flags: ["negatives"],
  presets: {
    sample: { negatives: "contradiction" },
    chapter: { negatives: "easy" },
    test: { negatives: "contradiction" },
  },
  loss: () => multipleNegativesRanking(),
  prepare: {
    stage: "triplets",
    flags: ["negatives"],
    run: (pairs, values) =>
      tripletsFromNli(pairs, { negatives: values["negatives"] as NegativeKind, seed: values["seed"] as number })
        .dataset,
  },
});

if (import.meta.main) await main(command);
