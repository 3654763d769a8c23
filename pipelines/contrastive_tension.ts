/**
 * Contrastive Tension: two models with weights of their own learn from plain texts, by agreeing on each of them and on no
 * others; one of the two is kept.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attemptSync } from "../lib/attempt.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { evaluationOfTexts } from "../lib/pipeline/evaluation.ts";
import { finish } from "../lib/pipeline/finish.ts";
import { type FlagValues, TENSION, TRAINING } from "../lib/pipeline/flags.ts";
import { tensionOf } from "../lib/pipeline/plain_texts.ts";
import { outputFolder } from "../lib/pipeline/report_base.ts";
import { summary } from "../lib/pipeline/report.ts";
import { modelShape, text, trainingPresets, trainSource } from "../lib/pipeline/settings.ts";
import { trainContrastiveTension } from "../lib/pipeline/stages/contrastive_tension.ts";
import { loadFlatTexts } from "../lib/pipeline/stages/load.ts";
import { beforeAndAfter } from "../lib/pipeline/training.ts";
import { model } from "../lib/stage/roots.ts";
import { TENSION_DEFAULTS } from "../lib/train/settings.ts";

/** Flags that need evaluations during training, or rows that are held out. */
const OTHERS = ["eval-steps", "keep-best", "patience", "hold-out"];

const PRESETS = trainingPresets({
  all: { "tension": "in-batch", "pos-neg-ratio": 8, "scale": 20 },
  sample: { "limit": 20_000, "epochs": 1 },
  chapter: { "limit": 25_000 },
  test: { "limit": 200 },
  own: { "learning-rate": TENSION_DEFAULTS["in-batch"].learningRate },
});

/** Texts and pairs have each a batch size of their own where nothing is said. */
const unsized = ({ "batch-size": _, ...preset }: FlagValues): FlagValues => preset;

/** The command: load → contrastive-tension → evaluate. */
export const command: Command = {
  name: "contrastive_tension",
  summary: "trains an encoder on plain texts, beside a second one that must agree with it on each text",
  flags: [...TRAINING.filter((flag) => !OTHERS.includes(flag)), ...TENSION],
  meanings: {
    "columns": "the column of the texts: text=answer",
    "batch-size":
      "texts of a batch, 128 where nothing is said; with --tension pairs its pairs, 16 where nothing is said",
    "scale": "what cosines are multiplied by at first (--tension in-batch)",
    "pos-neg-ratio": "every so many pairs one is of equal texts (--tension pairs)",
  },
  presets: {
    ...Object.fromEntries(Object.entries(PRESETS).map(([name, preset]) => [name, unsized(preset)])),
    test: PRESETS.test,
  },
  run: Effect.fnUntraced(function* (invocation) {
    const { values } = invocation;
    const output = yield* outputFolder(invocation);
    const base = yield* model(text(values, "model"));
    const parameters = yield* attemptSync(() => tensionOf(values));
    const texts = yield* loadFlatTexts(trainSource(invocation));
    const { evaluation, warnings } = yield* evaluationOfTexts(invocation, "train");
    const run = yield* beforeAndAfter(evaluation, base, modelShape(values));
    const main = yield* run(yield* trainContrastiveTension({ model: base, texts }, parameters, "train"));
    return yield* finish(invocation, output, {
      data: texts,
      evaluation,
      warnings,
      runs: { main },
      loss: `Contrastive Tension, ${parameters.tension} (Carlsson et al. 2021)`,
    });
  }),
  print: summary,
};

if (import.meta.main) await main(command);
