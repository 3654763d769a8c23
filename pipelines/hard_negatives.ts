/**
 * Negatives: easy ones at random, semi-hard ones by nearness, hard ones by a judge; and what training on them is worth.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { type Command, main } from "../lib/pipeline/command.ts";
import { outputFolder } from "../lib/pipeline/report_base.ts";
import { MINING, MINING_OUTPUT, TRAINING } from "../lib/pipeline/flags.ts";
import { exportCandidates, finishNegatives, negativesSummary } from "../lib/pipeline/negatives_report.ts";
import { candidatesOf, negativesOf, pairsToMine } from "../lib/pipeline/mining.ts";
import { model } from "../lib/stage/roots.ts";
import { text, trainingPresets } from "../lib/pipeline/settings.ts";
import type { NegativeFormat } from "../lib/pipeline/stages/negatives.ts";
import { sampleModel } from "../lib/pipeline/training.ts";

/** Flags of a training that this command has no use for: it trains nothing but a judge. */
const UNUSED = [
  "eval",
  "eval-columns",
  "hold-out",
  "epochs",
  "max-steps",
  "eval-steps",
  "keep-best",
  "patience",
  "freeze",
  "pooling",
  "max-seq-length",
];

/** The command: load → pairs → candidates → negatives, in one of four forms. */
export const command: Command = {
  name: "hard_negatives",
  summary: "finds negatives for pairs and writes them as triplets, n-tuples, labelled pairs or lists",
  flags: [...TRAINING.filter((flag) => !UNUSED.includes(flag)), ...MINING, ...MINING_OUTPUT],
  presets: trainingPresets({
    all: { "negatives": "semi-hard", "num-negatives": 3, "rows": "triplet", "sampling": "top" },
    sample: { "limit": 6000 },
    chapter: { "model": "sentence-transformers/all-MiniLM-L6-v2" },
  }),
  run: Effect.fnUntraced(function* (invocation) {
    const { values } = invocation;
    const output = yield* outputFolder(invocation);
    const [pairs, easy] = yield* pairsToMine(invocation);
    if (easy !== undefined) return yield* finishNegatives(invocation, output, pairs, easy);
    const named = text(values, "miner") ?? text(values, "model");
    const miner = named === undefined ? yield* sampleModel(invocation) : yield* model(named);
    if (values["export"] !== undefined) {
      return yield* exportCandidates(invocation, yield* candidatesOf(invocation, pairs, miner));
    }
    const negatives = yield* negativesOf(invocation, pairs, miner, {
      format: text(values, "rows") as NegativeFormat,
      scores: values["output-scores"] === true,
    });
    return yield* finishNegatives(invocation, output, pairs, negatives, miner);
  }),
  print: negativesSummary,
};

if (import.meta.main) await main(command);
