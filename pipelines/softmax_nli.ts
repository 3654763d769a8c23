/**
 * Softmax loss: classify premise and hypothesis from their embeddings.
 *
 * @module
 */
import { softmax } from "../lib/loss/mod.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { trainingCommand } from "../lib/pipeline/training.ts";

/** The command: load → map labels → train → evaluate. `--as-printed` leaves the classifier at its random start. */
export const command: Command = trainingCommand({
  name: "softmax_nli",
  summary: "trains by classifying pairs as entailment, neutral or contradiction",
  flags: ["as-printed"],
  loss: (values) => softmax({ classes: 3, frozen: values["as-printed"] === true }),
  prepare: { stage: "map-labels", flags: [], run: (pairs) => pairs },
});

if (import.meta.main) await main(command);
