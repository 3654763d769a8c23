/**
 * Masked language modelling: a small BERT from nothing on the sample's sentences, or an existing one on your texts.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { type Command, main } from "../lib/pipeline/command.ts";
import { cut } from "../lib/pipeline/evaluation.ts";
import { outputFolder } from "../lib/pipeline/report_base.ts";
import { type FlagValues, TRAINING } from "../lib/pipeline/flags.ts";
import { finishHeldOut, heldOutSummary } from "../lib/pipeline/held_out.ts";
import { model } from "../lib/stage/roots.ts";
import { number, optional, text, trainingPresets, trainSettings, trainSource } from "../lib/pipeline/settings.ts";
import { loadTexts } from "../lib/pipeline/stages/load.ts";
import { evaluateMaskedLm, trainMaskedLm } from "../lib/pipeline/stages/masked_lm.ts";

/** Flags of trainings that are evaluated on graded pairs. */
const OTHERS = ["eval", "eval-columns", "eval-steps", "keep-best", "patience", "pooling"];

/** For a small model from nothing. */
const TINY: FlagValues = { "learning-rate": 1e-3, "warmup-steps": 200, "max-seq-length": 64, "hold-out": 0.02 };

/** The command: load → split → train → evaluate on the texts that were held out. */
export const command: Command = {
  name: "masked_language_model",
  summary: "pretrains a BERT by predicting masked tokens",
  flags: [...TRAINING.filter((flag) => !OTHERS.includes(flag)), "whole-words"],
  meanings: { "columns": "the column of the texts: text=answer" },
  presets: trainingPresets({
    all: { "batch-size": 64, "weight-decay": 0.01, "max-seq-length": 128 },
    sample: { ...TINY, "seed": 1, "epochs": 100, "max-steps": 3000, "logging-steps": 100 },
    test: { ...TINY, "max-steps": 5, "limit": 500 },
  }),
  run: Effect.fnUntraced(function* (invocation) {
    const { values } = invocation;
    const output = yield* outputFolder(invocation);
    const base = text(values, "model") === undefined ? {} : { model: yield* model(text(values, "model")) };
    const texts = yield* loadTexts(trainSource({ ...invocation, values: { model: "a new one", ...values } }));
    const { train, heldOut: validation, warnings } = yield* cut(invocation, texts);
    const shape = { seed: number(values, "seed"), maxSeqLength: optional(values, "max-seq-length") };
    const before = validation &&
      (yield* evaluateMaskedLm({ ...base, texts: validation }, shape, "evaluate-before"));
    const trained = yield* trainMaskedLm({ ...base, texts: train }, {
      settings: trainSettings(values),
      maxSeqLength: shape.maxSeqLength,
      wholeWords: values["whole-words"] === true,
      freeze: text(values, "freeze"),
    });
    const after = validation && (yield* evaluateMaskedLm({ model: trained, texts: validation }, shape, "evaluate"));
    return yield* finishHeldOut(invocation, output, {
      data: train,
      validation,
      model: trained,
      before,
      after,
      lower: "masked_loss",
      warnings,
      card: { kind: "language-model", title: "A masked language model" },
    });
  }),
  print: heldOutSummary,
};

if (import.meta.main) await main(command);
