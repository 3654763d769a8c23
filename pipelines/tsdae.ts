/**
 * TSDAE: an encoder learns from plain texts, by writing them again from what is left when most words are deleted.
 *
 * @module
 */
import { Effect } from "effect";
import { type Command, main } from "../lib/pipeline/command.ts";
import { finish, outputFolder } from "../lib/pipeline/finish.ts";
import { DENOISING, TRAINING } from "../lib/pipeline/flags.ts";
import { summary } from "../lib/pipeline/report.ts";
import { model } from "../lib/stage/roots.ts";
import { denoisingParameters, evalSource, text, trainingPresets, trainSource } from "../lib/pipeline/settings.ts";
import { trainDenoising } from "../lib/pipeline/stages/denoise.ts";
import { evaluateSimilarity } from "../lib/pipeline/stages/evaluate.ts";
import { loadFlatTexts, loadScoredPairs } from "../lib/pipeline/stages/load.ts";

/** Flags that need evaluations during training. */
const OTHERS = ["eval-steps", "keep-best", "patience"];

/** The command: load → tsdae → evaluate. */
export const command: Command = {
  name: "tsdae",
  summary: "trains an encoder on plain texts by denoising",
  flags: [...TRAINING.filter((flag) => !OTHERS.includes(flag)), ...DENOISING],
  presets: trainingPresets({
    all: { "batch-size": 16, "pooling": "cls", "deletion-ratio": 0.6, "tie-decoder": "true" },
    sample: { "limit": 20_000, "epochs": 1 },
    chapter: { "limit": 25_000, "fixed-noise": true },
    test: { "limit": 200 },
  }),
  run: Effect.fnUntraced(function* (invocation) {
    const { values } = invocation;
    const output = yield* outputFolder(invocation);
    const base = yield* model(text(values, "model"));
    const texts = yield* loadFlatTexts(trainSource(invocation));
    const pairs = yield* loadScoredPairs(evalSource(invocation));
    const parameters = denoisingParameters(values);
    // The pooling that is trained, on the base as well: the difference is that of the training alone.
    const { pooling, maxSeqLength } = parameters;
    const before = yield* evaluateSimilarity({ model: base, pairs }, { pooling, maxSeqLength }, "evaluate-before");
    const trained = yield* trainDenoising({ model: base, texts }, parameters, "train");
    const after = yield* evaluateSimilarity({ model: trained, pairs }, {});
    return yield* finish(invocation, output, {
      data: texts,
      pairs,
      runs: { main: { model: trained, before, after } },
    });
  }),
  print: summary,
};

if (import.meta.main) await main(command);
