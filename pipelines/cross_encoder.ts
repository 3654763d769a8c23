/**
 * A cross-encoder: a judge that reads both texts of a pair at once.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attemptSync } from "../lib/attempt.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { outputFolder } from "../lib/pipeline/report_base.ts";
import { ADAPTERS, TRAINING } from "../lib/pipeline/flags.ts";
import { finishHeldOut, heldOutSummary } from "../lib/pipeline/held_out.ts";
import { isJudge, JUDGE_LOSSES, judgeLoss, judgeRows, lossOptionsInWords } from "../lib/pipeline/judge_training.ts";
import { listSections } from "../lib/pipeline/list_page.ts";
import { listFacts } from "../lib/pipeline/list_parts.ts";
import { pairModel } from "../lib/stage/roots.ts";
import { optional, text, trainingPresets, trainSettings } from "../lib/pipeline/settings.ts";
import { trainJudge } from "../lib/pipeline/stages/cross_encoder.ts";
import { evaluateCrossEncoder, judgeMetric } from "../lib/pipeline/stages/judge_metrics.ts";
import { CROSS_ENCODER_DEFAULTS } from "../lib/train/settings.ts";

const { chapter: { "eval-steps": _, ...chapter }, ...presets } = trainingPresets({
  all: { "weight-decay": CROSS_ENCODER_DEFAULTS.weightDecay, "head": "score" },
  sample: { "limit": 6000, "epochs": 4 },
  chapter: { "limit": 10_000, "learning-rate": 2e-5, "head": "classes" },
  own: { "learning-rate": CROSS_ENCODER_DEFAULTS.learningRate },
});

/** The command: load → hold out → cross-encoder → evaluate on what was held out. */
export const command: Command = {
  name: "cross_encoder",
  summary: "trains a cross-encoder on pairs with a score, NLI pairs (entailment is 1, all else 0), or, as its loss " +
    "wants, lists of documents by query, triplets, or pairs",
  flags: [
    ...TRAINING.filter((flag) => flag !== "pooling"),
    "head",
    "loss",
    "loss-options",
    "relevant-from",
    ...ADAPTERS,
  ],
  meanings: {
    "eval": "pairs with a score, NLI pairs, or other rows of the kind that is trained on, to evaluate on",
    "columns":
      "names of columns: sentence1=question,sentence2=answer,score=grade; of lists query=…,documents=…,labels=…",
    "batch-size": "rows of a batch; of lists, lists",
    "hold-out":
      "rows, or lists by their queries, or a share of them, that are kept for evaluation; 0: none; default: " +
      "a tenth, 1,000 at most, where there is no --eval",
    "loss": "what is learned; lambda, rank-net, list-net, list-mle, position-list-mle and adr-mse learn from lists",
    "loss-options": `options of the loss, as k=10,weighting=lambda-rank or JSON. ${lossOptionsInWords()}`,
  },
  choices: { "loss": JUDGE_LOSSES },
  presets: { ...presets, chapter },
  run: Effect.fnUntraced(function* (invocation) {
    const { values } = invocation;
    const output = yield* outputFolder(invocation);
    const loss = yield* attemptSync(() => judgeLoss(invocation));
    const base = yield* pairModel(text(values, "model"));
    const rows = yield* judgeRows(invocation, loss);
    const { train: data, validation, warnings } = rows;
    const relevantFrom = optional(values, "relevant-from");
    const lists = yield* listFacts(rows, relevantFrom);
    const measure = (model: typeof base, as: string) =>
      evaluateCrossEncoder({ model, pairs: validation as never }, { relevantFrom }, as);
    const before = lists !== undefined && (yield* isJudge(base)) ? yield* measure(base, "evaluate-before") : undefined;
    const trained = yield* trainJudge({
      model: base,
      data: data as never,
      loss,
      eval: validation,
      settings: trainSettings(values),
      maxSeqLength: optional(values, "max-seq-length"),
      freeze: text(values, "freeze"),
      relevantFrom,
      as: "train",
    });
    const after = validation && (yield* measure(trained, "evaluate"));
    return yield* finishHeldOut(invocation, output, {
      data,
      validation,
      model: trained,
      before,
      after,
      warnings,
      metric: validation && (yield* judgeMetric(validation)),
      sections: yield* listSections(validation, after, before),
      ...lists,
      card: { kind: "cross-encoder", title: "A cross-encoder" },
    });
  }),
  print: heldOutSummary,
};

if (import.meta.main) await main(command);
