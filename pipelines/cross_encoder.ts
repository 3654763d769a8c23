/**
 * A cross-encoder: a judge that reads both texts of a pair at once.
 *
 * @module
 */
import { Effect } from "effect";
import { type Command, main } from "../lib/pipeline/command.ts";
import { outputFolder } from "../lib/pipeline/finish.ts";
import { TRAINING } from "../lib/pipeline/flags.ts";
import { finishHeldOut, heldOutSummary } from "../lib/pipeline/held_out.ts";
import { pairModel } from "../lib/stage/roots.ts";
import {
  evalSource,
  number,
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
import { asScores, splitOf } from "../lib/pipeline/stages/rows.ts";

/** Flags of bi-encoders. */
const OTHERS = ["eval-steps", "keep-best", "patience", "pooling"];

/** The command: load → map-labels → split → cross-encoder → evaluate on the pairs that were held out. */
export const command: Command = {
  name: "cross_encoder",
  summary: "trains a cross-encoder on pairs with a score, or NLI pairs: entailment is 1, all else 0",
  flags: [...TRAINING.filter((flag) => !OTHERS.includes(flag)), "head", "held-out"],
  presets: trainingPresets({
    all: { "weight-decay": 0.01, "head": "score", "held-out": 0.1 },
    sample: { "limit": 6000, "epochs": 4 },
    chapter: { "limit": 10_000, "learning-rate": 2e-5, "head": "classes" },
    own: { "learning-rate": 2e-5 },
  }),
  run: Effect.fnUntraced(function* (invocation) {
    const { values } = invocation;
    const output = yield* outputFolder(invocation);
    const base = yield* pairModel(text(values, "model"));
    const all = yield* asScores(yield* loadScoresOrNli(trainSource(invocation)));
    const held = { validation: number(values, "held-out"), seed: number(values, "seed"), together: "sentence1" };
    const own = values["eval"] === undefined || invocation.preset === "chapter";
    const data = own ? yield* splitOf(all, { ...held, part: "train" }) : all;
    const validation = own
      ? yield* splitOf(all, { ...held, part: "validation" })
      : yield* asScores(yield* loadScoresOrNli(evalSource(invocation)));
    const trained = yield* trainCrossEncoder({ model: base, pairs: data }, {
      settings: trainSettings(values),
      head: text(values, "head") as CrossEncoderParameters["head"],
      maxSeqLength: optional(values, "max-seq-length"),
      freeze: text(values, "freeze"),
    }, "train");
    const after = yield* evaluateCrossEncoder({ model: trained, pairs: validation }, {}, "evaluate");
    return yield* finishHeldOut(invocation, output, { data, validation, model: trained, after });
  }),
  print: heldOutSummary,
};

if (import.meta.main) await main(command);
