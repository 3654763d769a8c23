/**
 * Similarity by label: texts with the same label become near to each other, whatever else they are about.
 *
 * The triplets of a whole batch (`batch-all`) separate labels that the base model has no idea of, as in the sample. Only
 * the hardest ones (`batch-hard`, with a soft margin or without) are quicker where it has one; where it has none, all
 * texts fall on one point.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { type Command, main } from "../lib/pipeline/command.ts";
import { outputFolder } from "../lib/pipeline/report_base.ts";
import { ADAPTERS, type FlagValues, MATRYOSHKA, TRAINING } from "../lib/pipeline/flags.ts";
import { finishLabels, labelSummary } from "../lib/pipeline/label_report.ts";
import { labelledParts, trainByLabels } from "../lib/pipeline/label_training.ts";
import { matryoshkaOf } from "../lib/pipeline/matryoshka.ts";
import { model } from "../lib/stage/roots.ts";
import { modelShape, number, text, trainingPresets } from "../lib/pipeline/settings.ts";
import { evaluateByLabels } from "../lib/pipeline/stages/labels.ts";

const ALL: FlagValues = { "loss": "batch-all", "neighbors": 10, "batch-size": 64 };
const { "eval-steps": _, ...chapter } = trainingPresets({
  chapter: {
    ...ALL,
    "loss": "batch-hard-soft-margin",
    "model": "sentence-transformers/all-MiniLM-L6-v2",
    "train": "cornell-movie-review-data/rotten_tomatoes#train",
    "eval": "cornell-movie-review-data/rotten_tomatoes#validation",
    "warmup-steps": 10,
  },
}).chapter;

/** The command: load → evaluate → tokenize → train → evaluate. */
export const command: Command = {
  name: "label_similarity",
  summary: "makes texts with the same label similar: --model M --train texts.csv (columns text and label)",
  flags: [
    ...TRAINING,
    ...MATRYOSHKA,
    ...ADAPTERS,
    "lora-save",
    "prompts",
    "loss",
    "margin",
    "distance",
    "neighbors",
  ],
  meanings: {
    "eval": "texts with a label to evaluate on",
    "columns": "names of columns: text=title,label=topic",
    "prompts": "text before every text",
  },
  presets: { ...trainingPresets({ all: ALL, sample: { "epochs": 4 } }), chapter },
  run: Effect.fnUntraced(function* (invocation) {
    const { values } = invocation;
    const output = yield* outputFolder(invocation);
    const k = number(values, "neighbors");
    const base = yield* model(text(values, "model"));
    const { texts, heldOut, labels, warnings } = yield* labelledParts(invocation);
    const matryoshka = yield* matryoshkaOf(values, base);
    const measure = { k, dimensions: matryoshka?.dimensions };
    const before = heldOut &&
      (yield* evaluateByLabels(
        { model: base, texts: heldOut },
        { ...modelShape(values), ...measure },
        "evaluate-before",
      ));
    const { data, trained } = yield* trainByLabels(invocation, base, texts, { heldOut, matryoshka });
    const after = heldOut && (yield* evaluateByLabels({ model: trained, texts: heldOut }, measure, "evaluate"));
    const tested = heldOut && { heldOut, before: before!, after: after! };
    return yield* finishLabels(invocation, output, { labels, data, model: trained, tested, warnings });
  }),
  print: labelSummary,
};

if (import.meta.main) await main(command);
