/**
 * Cosine similarity: entailed pairs are trained towards cosine 1, all others towards 0.
 *
 * @module
 */
import { losses } from "../lib/loss/named.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { ADAPTERS, MATRYOSHKA, TRAINING } from "../lib/pipeline/flags.ts";
import { summary } from "../lib/pipeline/report.ts";
import { trainingPresets, trainSource } from "../lib/pipeline/settings.ts";
import { loadScoresOrNli } from "../lib/pipeline/stages/load.ts";
import { asScores } from "../lib/pipeline/stages/rows.ts";
import { trainAndReport } from "../lib/pipeline/training.ts";

/** The command: load → map-labels → tokenize → train → evaluate. */
export const command: Command = {
  name: "cosine_similarity",
  summary: "trains the cosine of a pair towards its score",
  flags: [...TRAINING, "prompts", ...MATRYOSHKA, ...ADAPTERS, "lora-save"],
  meanings: { "columns": "names of columns: sentence1=question,sentence2=answer,score=grade" },
  presets: trainingPresets(),
  run: (invocation) =>
    trainAndReport(invocation, {
      loss: losses.cosineSimilarity(),
      data: loadScoresOrNli(trainSource(invocation)),
      kind: "similarity",
      rows: asScores,
    }),
  print: summary,
};

if (import.meta.main) await main(command);
