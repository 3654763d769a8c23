/**
 * Multiple-negatives ranking: entailed pairs, every other row of the batch a negative.
 *
 * @module
 */
import { Effect } from "effect";
import { losses } from "../lib/loss/named.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { TRAINING } from "../lib/pipeline/flags.ts";
import { summary } from "../lib/pipeline/report.ts";
import { trainingPresets, trainSource } from "../lib/pipeline/settings.ts";
import { loadPairsOrNli } from "../lib/pipeline/stages/load.ts";
import { asTriplets } from "../lib/pipeline/stages/rows.ts";
import { trainAndReport, tripletParameters } from "../lib/pipeline/training.ts";

/** The command: load → triplets → tokenize → train → evaluate. */
export const command: Command = {
  name: "multiple_negatives_ranking",
  summary: "trains on entailed pairs with in-batch and explicit negatives",
  flags: [...TRAINING, "negatives"],
  presets: trainingPresets({
    sample: { negatives: "contradiction" },
    chapter: { negatives: "easy" },
    test: { negatives: "contradiction" },
  }),
  run: (invocation) =>
    trainAndReport(invocation, {
      loss: losses.multipleNegativesRanking(),
      rows: Effect.gen(function* () {
        const pairs = yield* loadPairsOrNli(trainSource(invocation));
        return yield* asTriplets(pairs, tripletParameters(invocation));
      }),
    }),
  print: summary,
};

if (import.meta.main) await main(command);
