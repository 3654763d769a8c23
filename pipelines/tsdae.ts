/**
 * TSDAE: an encoder learns from plain texts, by writing them again from what is left when most words are deleted.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { type Command, main } from "../lib/pipeline/command.ts";
import { denoisingOf } from "../lib/pipeline/adapting.ts";
import { evaluationOfTexts } from "../lib/pipeline/evaluation.ts";
import { finish } from "../lib/pipeline/finish.ts";
import { outputFolder } from "../lib/pipeline/report_base.ts";
import { DENOISING, TRAINING } from "../lib/pipeline/flags.ts";
import { summary } from "../lib/pipeline/report.ts";
import { model } from "../lib/stage/roots.ts";
import { text, trainingPresets, trainSource } from "../lib/pipeline/settings.ts";
import { trainDenoising } from "../lib/pipeline/stages/denoise.ts";
import { loadFlatTexts } from "../lib/pipeline/stages/load.ts";
import { DENOISING_DEFAULTS } from "../lib/train/settings.ts";
import { beforeAndAfter } from "../lib/pipeline/training.ts";

/** Flags that need evaluations during training, or rows that are held out. */
const OTHERS = ["eval-steps", "keep-best", "patience", "hold-out"];

/** The command: load → tsdae → evaluate. */
export const command: Command = {
  name: "tsdae",
  summary: "trains an encoder on plain texts by denoising",
  flags: [...TRAINING.filter((flag) => !OTHERS.includes(flag)), ...DENOISING],
  meanings: { "columns": "the column of the texts: text=answer" },
  presets: trainingPresets({
    all: { "batch-size": DENOISING_DEFAULTS.batchSize, "deletion-ratio": 0.6, "tie-decoder": "true" },
    sample: { "limit": 20_000, "epochs": 1, "pooling": "cls" },
    chapter: { "limit": 25_000, "fixed-noise": true, "pooling": "cls" },
    test: { "limit": 200, "pooling": "cls" },
    own: { "learning-rate": DENOISING_DEFAULTS.learningRate },
  }),
  run: Effect.fnUntraced(function* (invocation) {
    const { values } = invocation;
    const output = yield* outputFolder(invocation);
    const base = yield* model(text(values, "model"));
    const texts = yield* loadFlatTexts(trainSource(invocation));
    const { evaluation, warnings } = yield* evaluationOfTexts(invocation, "train");
    const parameters = yield* denoisingOf(values, base);
    // The pooling that is trained, on the base as well: the difference is that of the training alone.
    const { pooling, maxSeqLength } = parameters;
    const run = yield* beforeAndAfter(evaluation, base, { pooling, maxSeqLength });
    const main = yield* run(yield* trainDenoising({ model: base, texts }, parameters, "train"));
    return yield* finish(invocation, output, { data: texts, evaluation, warnings, runs: { main } });
  }),
  print: summary,
};

if (import.meta.main) await main(command);
