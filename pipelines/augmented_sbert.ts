/**
 * Augmented SBERT: gold pairs → cross-encoder → silver labels for many more pairs → bi-encoder.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { augmentedSbert } from "../lib/pipeline/augmented_sbert.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { finish } from "../lib/pipeline/finish.ts";
import { outputFolder } from "../lib/pipeline/report_base.ts";
import { ADAPTERS, AUGMENTING, MATRYOSHKA, TRAINING } from "../lib/pipeline/flags.ts";
import {
  augmentationDetails,
  augmentationOptions,
  gateInWords,
  silverWarnings,
  worthTables,
} from "../lib/pipeline/gold.ts";
import { matryoshkaOf } from "../lib/pipeline/matryoshka.ts";
import { reportingRefusal } from "../lib/pipeline/refusal.ts";
import { summary } from "../lib/pipeline/report.ts";
import { model } from "../lib/stage/roots.ts";
import { modelShape, text, trainingPresets } from "../lib/pipeline/settings.ts";
import { CROSS_ENCODER_DEFAULTS } from "../lib/train/settings.ts";
import { beforeAndAfter } from "../lib/pipeline/training.ts";

/**
 * The command, with two controls on the gold pairs alone: for as many epochs, and for as many updates. Where the silver pairs
 * add no more than chance to these, the better one is saved.
 */
export const command: Command = {
  name: "augmented_sbert",
  summary: "trains a cross-encoder on few gold pairs, and a bi-encoder on all that it labels",
  flags: [
    ...TRAINING.filter((flag) => flag !== "train" && flag !== "freeze"),
    ...AUGMENTING,
    ...MATRYOSHKA,
    ...ADAPTERS,
    "lora-save",
  ],
  presets: trainingPresets({
    all: { "pairs": "given", "pairs-per-gold": 10, "top-k": 5, "scenario": "in-domain" },
    sample: { "limit": 16_000, "gold-size": 2000, "cross-learning-rate": 3e-4, "cross-epochs": 8 },
    chapter: {
      "gold": "nyu-mll/glue/mnli#train",
      "gold-size": 10_000,
      "cross-learning-rate": 2e-5,
      "cross-epochs": 1,
    },
    test: { "limit": 300, "gold-size": 100, "cross-learning-rate": 1e-3, "cross-epochs": 1, "force-judge": true },
    own: { "cross-learning-rate": CROSS_ENCODER_DEFAULTS.learningRate, "cross-epochs": 1 },
  }),
  run: Effect.fnUntraced(function* (invocation) {
    const output = yield* outputFolder(invocation);
    const base = yield* model(text(invocation.values, "model"));
    const { evaluation, warnings, ...options } = yield* augmentationOptions(invocation);
    const matryoshka = yield* matryoshkaOf(invocation.values, base);
    const run = yield* beforeAndAfter(evaluation, base, modelShape(invocation.values), {
      dimensions: matryoshka?.dimensions,
      keepBest: options.settings.keepBest,
    });
    const result = yield* reportingRefusal(
      invocation,
      output,
      augmentedSbert({
        ...options,
        model: base,
        matryoshka,
        ...(evaluation && { eval: evaluation.rows, evaluating: { kind: evaluation.kind } }),
      }),
    );
    const details = yield* augmentationDetails(result, options.gold);
    return yield* finish(invocation, output, {
      data: result.data,
      evaluation,
      warnings: [...warnings, ...silverWarnings(result)],
      sources: ["gold", "unlabelled"],
      runs: {
        main: yield* run(result.model),
        ...(result.model !== result.withSilver && { with_silver: yield* run(result.withSilver) }),
        ...(result.control && { control: yield* run(result.control) }),
        ...(result.controlEqualSteps && { control_equal_steps: yield* run(result.controlEqualSteps) }),
      },
      tables: worthTables(result),
      chosenBy: result.chosenBy,
      details,
      facts: {
        "learnt from": details["learnt_from"] as string,
        "silver pairs": details["silver_pairs"] as number,
        "its judge, on gold pairs held out": result.gate && gateInWords(result.gate),
        "weights chosen on": result.chosenBy,
      },
    });
  }),
  print: summary,
};

if (import.meta.main) await main(command);
