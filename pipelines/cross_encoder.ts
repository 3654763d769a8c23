/**
 * A cross-encoder: a judge that reads both texts of a pair at once.
 *
 * @module
 */
import { Effect } from "effect";
import { type Command, main } from "../lib/pipeline/command.ts";
import { cut } from "../lib/pipeline/evaluation.ts";
import { outputFolder } from "../lib/pipeline/report_base.ts";
import { TRAINING } from "../lib/pipeline/flags.ts";
import { finishHeldOut, heldOutSummary } from "../lib/pipeline/held_out.ts";
import { pairModel } from "../lib/stage/roots.ts";
import {
  evalSource,
  isOwn,
  optional,
  text,
  trainingPresets,
  trainSettings,
  trainSource,
} from "../lib/pipeline/settings.ts";
import {
  type CrossEncoderParameters,
  evaluateCrossEncoder,
  trainCrossEncoder,
} from "../lib/pipeline/stages/cross_encoder.ts";
import { loadScoresOrNli } from "../lib/pipeline/stages/load.ts";
import { CROSS_ENCODER_DEFAULTS } from "../lib/train/settings.ts";
import { asScores } from "../lib/pipeline/stages/rows.ts";

/** Flags of bi-encoders. */
const OTHERS = ["eval-steps", "keep-best", "patience", "pooling"];

/** The command: load → map-labels → split → cross-encoder → evaluate on the pairs that were held out. */
export const command: Command = {
  name: "cross_encoder",
  summary: "trains a cross-encoder on pairs with a score, or NLI pairs: entailment is 1, all else 0",
  flags: [...TRAINING.filter((flag) => !OTHERS.includes(flag)), "head"],
  meanings: {
    "eval": "pairs with a score, or NLI pairs, to evaluate on",
    "columns": "names of columns: sentence1=question,sentence2=answer,score=grade",
  },
  presets: trainingPresets({
    all: { "weight-decay": CROSS_ENCODER_DEFAULTS.weightDecay, "head": "score" },
    sample: { "limit": 6000, "epochs": 4 },
    chapter: { "limit": 10_000, "learning-rate": 2e-5, "head": "classes" },
    own: { "learning-rate": CROSS_ENCODER_DEFAULTS.learningRate },
  }),
  run: Effect.fnUntraced(function* (invocation) {
    const { values } = invocation;
    const output = yield* outputFolder(invocation);
    const base = yield* pairModel(text(values, "model"));
    const all = yield* asScores(yield* loadScoresOrNli(trainSource(invocation)));
    // The chapter's evaluation pairs are not for a judge: it is tested on rows of its own data.
    const given = values["eval"] !== undefined && (invocation.preset !== "chapter" || isOwn(values, "eval"));
    const parts = given ? { train: all, heldOut: undefined, warnings: [] } : yield* cut(invocation, all);
    const validation = given ? yield* asScores(yield* loadScoresOrNli(evalSource(invocation))) : parts.heldOut;
    const { train: data, warnings } = parts;
    const trained = yield* trainCrossEncoder({ model: base, pairs: data }, {
      settings: trainSettings(values),
      head: text(values, "head") as CrossEncoderParameters["head"],
      maxSeqLength: optional(values, "max-seq-length"),
      freeze: text(values, "freeze"),
    }, "train");
    const after = validation && (yield* evaluateCrossEncoder({ model: trained, pairs: validation }, {}, "evaluate"));
    return yield* finishHeldOut(invocation, output, {
      data,
      validation,
      model: trained,
      after,
      warnings,
      card: { kind: "cross-encoder", title: "A cross-encoder" },
    });
  }),
  print: heldOutSummary,
};

if (import.meta.main) await main(command);
