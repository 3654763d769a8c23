/**
 * Domain adaptation: pretraining on plain texts of a target domain, then fine-tuning or Augmented SBERT.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { adaptationOf, methodsOf, superviseBy } from "../lib/pipeline/adapting.ts";
import { bestWay, oneWay } from "../lib/pipeline/adaptation_runs.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import type { Adaptation } from "../lib/pipeline/domain_adaptation.ts";
import { givenEvaluation } from "../lib/pipeline/evaluation.ts";
import { finish } from "../lib/pipeline/finish.ts";
import { matryoshkaOf } from "../lib/pipeline/matryoshka.ts";
import { outputFolder } from "../lib/pipeline/report_base.ts";
import {
  ADAPTERS,
  ADAPTING,
  AUGMENTING,
  DENOISING,
  type Invocation,
  MATRYOSHKA,
  MINING,
  TENSION,
  TRAINING,
} from "../lib/pipeline/flags.ts";
import { leaksOf, leakWarning } from "../lib/pipeline/leaks.ts";
import { type Services, valueOf } from "../lib/stage/stage.ts";
import type { KindredError } from "../lib/error.ts";
import { reportingRefusal } from "../lib/pipeline/refusal.ts";
import { type Report, summary } from "../lib/pipeline/report.ts";
import { model } from "../lib/stage/roots.ts";
import { modelShape, text, trainingPresets, trainSource } from "../lib/pipeline/settings.ts";
import { loadLabelledTexts } from "../lib/pipeline/stages/labels.ts";
import { loadFlatTexts } from "../lib/pipeline/stages/load.ts";
import { CROSS_ENCODER_DEFAULTS } from "../lib/train/settings.ts";
import { beforeAndAfter } from "../lib/pipeline/training.ts";

/** Flags that need evaluations during training. */
const OTHERS = ["eval-steps", "keep-best", "patience"];

/** Flags of mined negatives that Augmented SBERT has not. */
const MINING_ONLY = MINING.filter((flag) => !AUGMENTING.includes(flag));

/** The command, with a control that is trained without the adaptation. */
export const command: Command = {
  name: "domain_adaptation",
  summary: "pretrains on plain texts of a target domain, then trains on labelled pairs of any domain",
  flags: [
    ...TRAINING.filter((flag) => !OTHERS.includes(flag)),
    ...MATRYOSHKA,
    ...ADAPTERS,
    ...ADAPTING,
    ...DENOISING,
    ...TENSION,
    "dropout",
    ...AUGMENTING,
    ...MINING_ONLY,
    "queries-per-passage",
    "negatives-per-row",
    "margins",
  ],
  meanings: {
    "dropout": "rate of dropout wherever the model has a place for it (simcse); default: its own rates",
    "tension": "what a text is told from (ct): all others of the batch, or one other text in each pair",
    "pos-neg-ratio": "every so many pairs one is of equal texts (ct with --tension pairs)",
    "miner":
      "encoders that negatives are looked for with; of GPL several, with commas between; default: the model itself",
    "cross-encoder": "the judge: what that of Augmented SBERT starts from, or whose margins GPL learns",
    "scale": "what cosines are multiplied by: 1 / temperature (simcse, ct)",
  },
  presets: trainingPresets({
    all: {
      ...{ "adapt": "mlm", "then": "finetune", "deletion-ratio": 0.6, "tie-decoder": "true", "negatives": "easy" },
      ...{ "tension": "in-batch", "pos-neg-ratio": 8, "scale": 20 },
      ...{ "pairs": "given", "pairs-per-gold": 10, "top-k": 5, "scenario": "cross-domain" },
      ...{ "cross-learning-rate": CROSS_ENCODER_DEFAULTS.learningRate, "cross-epochs": 1 },
    },
    sample: {
      ...{ "limit": 10_000, "epochs": 1, "negatives": "contradiction", "target": "sample:target-texts" },
      ...{ "target-eval": "sample:target-sts", "adapt-limit": 10_000, "adapt-epochs": 1, "adapt-learning-rate": 1e-3 },
      ...{ "gold-size": 2000, "cross-learning-rate": 3e-4, "cross-epochs": 8 },
    },
    chapter: { "gold-size": 1000, "adapt-limit": 25_000, "adapt-epochs": 1, "adapt-learning-rate": 5e-5 },
    own: { "negatives": "none", "adapt-epochs": 1, "adapt-learning-rate": 5e-5 },
    test: {
      ...{ "target": "sample:target-texts", "target-eval": "sample:target-sts", "negatives": "contradiction" },
      ...{
        "adapt-limit": 200,
        "adapt-epochs": 1,
        "adapt-learning-rate": 1e-3,
        "gold-size": 100,
        "limit": 300,
        "force-judge": true,
      },
    },
  }),
  run: Effect.fnUntraced(function* (invocation) {
    const output = yield* outputFolder(invocation);
    return yield* reportingRefusal(invocation, output, adaptation(invocation, output));
  }),
  print: summary,
};

/** Adapts, trains, and writes the report. */
const adaptation: (invocation: Invocation, output: string) => Effect.Effect<Report, KindredError, Services> = Effect
  .fnUntraced(function* (invocation, output) {
    const { values } = invocation;
    const [base, shape] = [yield* model(text(values, "model")), modelShape(values)];
    const methods = yield* methodsOf(invocation, base);
    const texts = yield* loadFlatTexts({
      ...trainSource(invocation, "target"),
      limit: values["adapt-limit"] as number,
    });
    const { data, supervise, evaluation: general, warnings } = yield* superviseBy(invocation, base);
    const target = values["target-eval"] === undefined
      ? undefined
      : yield* givenEvaluation(invocation, "similarity", "target-eval");
    const classes = text(values, "target-labels");
    const evaluation = target ?? general;
    const { dimensions } = (yield* matryoshkaOf(values, base)) ?? {};
    const run = yield* beforeAndAfter(evaluation, base, shape, { dimensions });
    const task = {
      model: base,
      shape,
      texts,
      supervise,
      evaluations: { ...(target && { target }), ...(general && { general }) },
      labels: classes === undefined ? undefined : { target: yield* loadLabelledTexts({ from: classes }) },
      control: values["no-control"] !== true,
    };
    const results = methods === undefined
      ? yield* oneWay(
        run,
        task,
        yield* adaptationOf(invocation, base, text(values, "adapt") as Adaptation["by"]),
        evaluation,
      )
      : yield* bestWay(run, { ...task, adaptations: methods }, evaluation);
    // The report is about the target; of the other evaluation only its table tells.
    const leaks = target && general && leaksOf(yield* valueOf(general.rows), yield* valueOf(data));
    return yield* finish(invocation, output, {
      data,
      evaluation,
      sources: ["target", ...(values["then"] === "augmented" ? ["gold", "unlabelled"] as const : ["train"] as const)],
      ...results,
      // Nothing else is evaluated on the way here.
      ...(values["then"] === "augmented" && { chosenBy: "gold pairs held out" }),
      warnings: [
        ...warnings,
        ...results.warnings ?? [],
        ...(leaks ? leakWarning(leaks, "general evaluation") : []),
      ],
    });
  });

if (import.meta.main) await main(command);
