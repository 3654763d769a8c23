/**
 * SimCSE: an encoder learns from plain texts, by knowing each of them again under another dropout mask; or, supervised, from
 * entailed pairs with contradictions as hard negatives.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attemptSync } from "../lib/attempt.ts";
import { UsageError } from "../lib/error.ts";
import { losses } from "../lib/loss/named.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { evaluationOfTexts } from "../lib/pipeline/evaluation.ts";
import { finish } from "../lib/pipeline/finish.ts";
import { ADAPTERS, type Invocation, MATRYOSHKA, TRAINING } from "../lib/pipeline/flags.ts";
import { matryoshkaOf } from "../lib/pipeline/matryoshka.ts";
import { simcseOf } from "../lib/pipeline/plain_texts.ts";
import { outputFolder } from "../lib/pipeline/report_base.ts";
import { summary } from "../lib/pipeline/report.ts";
import { modelShape, number, optional, text, trainingPresets, trainSource } from "../lib/pipeline/settings.ts";
import { loadFlatTexts, loadPairsOrNli } from "../lib/pipeline/stages/load.ts";
import { asTriplets } from "../lib/pipeline/stages/rows.ts";
import { trainSimcse } from "../lib/pipeline/stages/simcse.ts";
import { beforeAndAfter, trainAndReport } from "../lib/pipeline/training.ts";
import { model } from "../lib/stage/roots.ts";
import { SIMCSE_DEFAULTS } from "../lib/train/settings.ts";

const PAPER = "Gao et al. 2021, arXiv 2104.08821";

/** load → triplets → tokenize → train → evaluate. */
const supervised = (invocation: Invocation) =>
  trainAndReport(invocation, {
    loss: losses.multipleNegativesRanking({ scale: number(invocation.values, "scale") }),
    method: `supervised SimCSE (${PAPER})`,
    data: loadPairsOrNli(trainSource(invocation)),
    kind: "retrieval",
    rows: (pairs) => asTriplets(pairs, { negatives: "contradiction", seed: number(invocation.values, "seed") }),
  });

/** load → same-text-pairs → tokenize → train → evaluate. */
const unsupervised = Effect.fnUntraced(function* (invocation: Invocation) {
  const { values } = invocation;
  if (optional(values, "hold-out") !== undefined) {
    return yield* Effect.fail(
      new UsageError("plain texts say nothing of what is similar, so that none are held out", {
        found: `--hold-out ${values["hold-out"]}`,
        hint: "--eval FILE has pairs to measure by; with --supervised pairs can be held out",
      }),
    );
  }
  const output = yield* outputFolder(invocation);
  const base = yield* model(text(values, "model"));
  const parameters = yield* attemptSync(() => simcseOf(values));
  const matryoshka = yield* matryoshkaOf(values, base);
  const texts = yield* loadFlatTexts(trainSource(invocation));
  const { evaluation, warnings } = yield* evaluationOfTexts(invocation, "train");
  const run = yield* beforeAndAfter(evaluation, base, modelShape(values), {
    dimensions: matryoshka?.dimensions,
    keepBest: text(values, "keep-best"),
  });
  const trained = yield* trainSimcse(
    { model: base, texts, ...(evaluation && { eval: evaluation.rows }) },
    { ...parameters, matryoshka, ...(evaluation && { evaluation: { kind: evaluation.kind } }) },
  );
  const main = yield* run(trained);
  const loss = `SimCSE, multiple_negatives_ranking of each text and itself (${PAPER})`;
  return yield* finish(invocation, output, { data: texts, evaluation, warnings, runs: { main }, loss });
});

/** The command, in two ways. */
export const command: Command = {
  name: "simcse",
  summary: "trains an encoder on plain texts, each of which it shall know again under another dropout mask",
  flags: [...TRAINING, "supervised", "scale", "dropout", ...MATRYOSHKA, ...ADAPTERS, "lora-save"],
  meanings: { "columns": "the column of the texts: text=answer; with --supervised as in other trainings" },
  presets: trainingPresets({
    all: { "batch-size": SIMCSE_DEFAULTS.batchSize, "scale": 20 },
    sample: { "limit": 20_000, "epochs": 1 },
    chapter: { "limit": 25_000 },
    test: { "limit": 200, "batch-size": 16 },
    own: { "learning-rate": SIMCSE_DEFAULTS.learningRate },
  }),
  run: (invocation) => invocation.values["supervised"] === true ? supervised(invocation) : unsupervised(invocation),
  print: summary,
};

if (import.meta.main) await main(command);
