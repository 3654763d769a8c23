/**
 * Fine-tuning a pretrained sentence encoder on triplets, pairs, or (as printed) every pair as a positive.
 *
 * @module
 */
import { type NegativeKind, tripletsFromNli } from "../lib/data/triplets.ts";
import { multipleNegativesRanking } from "../lib/loss/mod.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { trainingCommand } from "../lib/pipeline/training.ts";

/** The command: load → triplets → train → evaluate. */
export const command: Command = trainingCommand({
  name: "supervised_finetune",
  summary: "fine-tunes a pretrained sentence encoder",
  flags: ["negatives", "as-printed"],
  presets: {
    sample: { negatives: "contradiction" },
    chapter: { negatives: "easy", model: "sentence-transformers/all-MiniLM-L6-v2" },
    test: { negatives: "contradiction" },
  },
  loss: () => multipleNegativesRanking(),
  prepare: {
    stage: "triplets",
    flags: ["negatives", "as-printed"],
    // The chapter's code gave all rows to a loss that has no use for labels: contradictions became positives.
    run: (pairs, values) =>
      values["as-printed"] === true
        ? { columns: { anchor: pairs.columns.premise, positive: pairs.columns.hypothesis }, rows: pairs.rows }
        : tripletsFromNli(pairs, { negatives: values["negatives"] as NegativeKind, seed: values["seed"] as number })
          .dataset,
  },
});

if (import.meta.main) await main(command);
