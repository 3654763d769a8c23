/**
 * Similarity by label: texts with the same label become near to each other, whatever else they are about.
 *
 * @module
 */
import { Effect } from "effect";
import type { Dataset, LabelledTexts } from "../lib/data/dataset.ts";
import { UsageError } from "../lib/error.ts";
import type { LabelKind } from "../lib/loss/loss.ts";
import { losses, type LossSpec } from "../lib/loss/named.ts";
import type { CountedDataset, ModelFolder } from "../lib/pipeline/artifact.ts";
import { type Command, type Invocation, main } from "../lib/pipeline/command.ts";
import { outputFolder } from "../lib/pipeline/finish.ts";
import { type FlagValues, TRAINING } from "../lib/pipeline/flags.ts";
import { finishLabels, labelSummary } from "../lib/pipeline/label_report.ts";
import { model } from "../lib/pipeline/roots.ts";
import { modelShape, number, text, trainingPresets, trainSettings, trainSource } from "../lib/pipeline/settings.ts";
import { type Artifact, valueOf } from "../lib/pipeline/stage.ts";
import { evaluateByLabels, labelPairs, labelTriplets, loadLabelledTexts } from "../lib/pipeline/stages/labels.ts";
import { splitOf } from "../lib/pipeline/stages/rows.ts";
import { type RowsOf, trainBiEncoder } from "../lib/pipeline/stages/train.ts";

/** Texts to train on and texts held out, of the same labels. */
const parts = Effect.fnUntraced(function* (invocation: Invocation) {
  const { values } = invocation;
  const seed = number(values, "seed");
  const train = { ...trainSource(invocation), seed };
  const from = text(values, "eval");
  const all = yield* loadLabelledTexts(train);
  if (from !== undefined) {
    const heldOut = yield* loadLabelledTexts({ ...train, from, limit: undefined, like: all });
    return { all, texts: all, heldOut };
  }
  if (train.from === undefined) {
    const rows = invocation.preset === "test" ? 150 : 900;
    return { all, texts: all, heldOut: yield* loadLabelledTexts({ heldOut: true, limit: rows }) };
  }
  const cut = { validation: number(values, "held-out"), seed, together: "text" };
  const texts = yield* splitOf(all, { ...cut, part: "train" });
  return { all, texts, heldOut: yield* splitOf(all, { ...cut, part: "validation" }) };
});

/** What the loss is told; a flag that it would ignore is an error. */
function lossOptions(values: FlagValues): { margin?: number; distance?: "cosine" } {
  const [loss, distance] = [text(values, "loss")!, text(values, "distance")];
  if (loss === "batch-hard-soft-margin" && values["margin"] !== undefined) {
    throw new UsageError("the soft margin has no --margin", { hint: "leave it out, or take --loss batch-hard" });
  }
  if (loss.startsWith("batch") && distance === "manhattan") {
    throw new UsageError(`${loss} has no such --distance`, { expected: "euclidean, cosine", found: distance });
  }
  return {
    ...(values["margin"] !== undefined && { margin: number(values, "margin") }),
    ...(distance !== undefined && { distance: distance as "cosine" }),
  };
}

/** Makes the rows of the loss, and trains on them. */
const train = Effect.fnUntraced(
  function* ({ values }: Invocation, base: Artifact<ModelFolder>, texts: Artifact<CountedDataset<LabelledTexts>>) {
    const [settings, seed] = [trainSettings(values), number(values, "seed")];
    const options = lossOptions(values);
    const on = Effect.fnUntraced(function* <L extends LabelKind>(
      loss: LossSpec<L>,
      data: Artifact<CountedDataset<RowsOf<L>>>,
    ) {
      const shape = { freeze: text(values, "freeze"), ...modelShape(values) };
      const rows = data as Artifact<Dataset<RowsOf<L>>>;
      return { data, trained: yield* trainBiEncoder({ model: base, data: rows, loss, settings, ...shape }) };
    });
    switch (text(values, "loss")) {
      case "batch-hard-soft-margin":
        return yield* on(losses.batchHardSoftMarginTriplet(options), texts);
      case "batch-semi-hard":
        return yield* on(losses.batchSemiHardTriplet(options), texts);
      case "batch-all":
        return yield* on(losses.batchAllTriplet(options), texts);
      case "triplet":
        return yield* on(losses.triplet(options), yield* labelTriplets(texts, seed));
      case "contrastive":
        return yield* on(losses.contrastive(options), yield* labelPairs(texts, seed));
      case "online-contrastive":
        return yield* on(losses.onlineContrastive(options), yield* labelPairs(texts, seed));
      default:
        return yield* on(losses.batchHardTriplet(options), texts);
    }
  },
);

const ALL: FlagValues = { "loss": "batch-hard-soft-margin", "held-out": 0.2, "neighbors": 10, "batch-size": 64 };
const { "eval-steps": _, ...chapter } = trainingPresets({
  chapter: {
    ...ALL,
    "model": "sentence-transformers/all-MiniLM-L6-v2",
    "train": "cornell-movie-review-data/rotten_tomatoes#train",
    "eval": "cornell-movie-review-data/rotten_tomatoes#validation",
    "learning-rate": 2e-5,
  },
}).chapter;

/** The command: load → evaluate → tokenize → train → evaluate. */
export const command: Command = {
  name: "label_similarity",
  summary: "makes texts with the same label similar: --model M --train texts.csv (columns text, label)",
  flags: [
    ...TRAINING.filter((flag) => !["eval-steps", "keep-best", "patience"].includes(flag)),
    "loss",
    "margin",
    "distance",
    "held-out",
    "neighbors",
  ],
  presets: { ...trainingPresets({ all: ALL, sample: { "epochs": 3, "learning-rate": 5e-4 } }), chapter },
  run: Effect.fnUntraced(function* (invocation) {
    const { values } = invocation;
    const output = yield* outputFolder(invocation);
    const shape = { ...modelShape(values), k: number(values, "neighbors") };
    const base = yield* model(text(values, "model"));
    const { all, texts, heldOut } = yield* parts(invocation);
    const before = yield* evaluateByLabels({ model: base, texts: heldOut }, shape, "evaluate-before");
    const { data, trained } = yield* train(invocation, base, texts);
    const after = yield* evaluateByLabels({ model: trained, texts: heldOut }, { k: shape.k }, "evaluate");
    const { classes: labels } = yield* valueOf(all);
    return yield* finishLabels(invocation, output, { labels, data, heldOut, model: trained, before, after });
  }),
  print: labelSummary,
};

if (import.meta.main) await main(command);
