/**
 * Cosine-similarity loss: entailment is 1, neutral and contradiction are 0.
 *
 * @module
 */
import { scoresFromNli } from "../lib/data/triplets.ts";
import { cosineSimilarity } from "../lib/loss/mod.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { trainingCommand } from "../lib/pipeline/training.ts";

/** The command: load → map labels → train → evaluate. */
export const command: Command = trainingCommand({
  name: "cosine_similarity",
  summary: "trains the cosine of pairs towards their scores",
  loss: () => cosineSimilarity(),
  prepare: { stage: "map-labels", flags: [], run: (pairs) => scoresFromNli(pairs) },
});

if (import.meta.main) await main(command);
