/**
 * Several data sets in one run, each under its own loss, behind its own prompts, and with its own evaluation.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt } from "../lib/attempt.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { ADAPTERS, type Flag, MATRYOSHKA, TRAINING } from "../lib/pipeline/flags.ts";
import { mixingOf, trainOnSetsAndReport } from "../lib/pipeline/set_training.ts";
import { readSpecs, type SetSpec } from "../lib/pipeline/set_specs.ts";
import { setsSummary } from "../lib/pipeline/sets_report.ts";
import { checkOwnModel, optional, text, trainingPresets } from "../lib/pipeline/settings.ts";
import { note } from "../lib/stage/progress.ts";

/** What the file of the data sets says, set by set. */
const OF_EACH: readonly Flag[] = ["train", "eval", "eval-columns", "columns"];

/** Two sets of the sample, of so many rows at most: entailed pairs with what contradicts, and pairs with a grade. */
const sampleSets = (limit = Infinity): readonly SetSpec[] => [
  {
    name: "nli",
    train: "sample:nli",
    loss: "multiple_negatives_ranking",
    negatives: "contradiction",
    limit: Math.min(limit, 20_000),
    holdOut: 0.05,
  },
  { name: "graded", train: "sample:graded", loss: "cosent", limit: Math.min(limit, 4000), holdOut: 0.25 },
];

/** The command: load → hold out → tokenize → train → evaluate. */
export const command: Command = {
  name: "multi_dataset",
  summary: "trains on several data sets that take turns, each under its own loss",
  flags: [
    ...TRAINING.filter((flag) => !OF_EACH.includes(flag)),
    "datasets",
    "mixing",
    "temperature",
    "prompts",
    ...MATRYOSHKA,
    ...ADAPTERS,
    "lora-save",
  ],
  meanings: {
    "limit": "use no more rows of each data set",
    "epochs": "passes over all data sets, as --mixing says",
    "batch-size": "rows of a batch, of sets that say nothing else; each batch is of one set",
    "accumulate": "batches of an update, which may be of several sets",
    "hold-out":
      "rows of each data set, or a share of them, that are kept for evaluation; 0: none; default: a tenth, 1,000 at most, " +
      "where the set has no eval",
    "keep-best":
      "keep the weights with the highest value of this metric, such as qa_cosine_ndcg@10; auto: the sets' mean",
    "prompts":
      'text before every column, one for each, or such prompts by set: {"qa": {"anchor": "query: "}, "nli": ""}; ' +
      "what the file says of a set goes before",
  },
  presets: trainingPresets({ all: { mixing: "proportional" } }),
  run: Effect.fnUntraced(function* (invocation) {
    const { values } = invocation;
    checkOwnModel(invocation, ["datasets"]);
    const path = text(values, "datasets");
    if (path === undefined && values["model"] !== undefined) {
      yield* note("there is no --datasets: the model is trained on the sample's rows, which are made up");
    }
    const specs = path === undefined
      ? sampleSets(optional(values, "limit"))
      : yield* attempt(() => readSpecs(path, mixingOf(values)));
    return yield* trainOnSetsAndReport(invocation, specs);
  }),
  print: setsSummary,
};

if (import.meta.main) await main(command);
