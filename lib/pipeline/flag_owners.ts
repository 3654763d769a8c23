/**
 * Which commands have a flag, and which loss, for who asks another command for it. The commands are above this file and do
 * not load with each other: what they have is written down here, and a test holds it against them.
 *
 * @module
 */
import { longestBeginning } from "../text/edits.ts";
import { ADAPTING, type Flag, FLAGS, MINING_OUTPUT } from "./flags.ts";

/** Commands, and the flags that they alone have: those of at most eight commands. */
export const OWNERS: readonly (readonly [commands: readonly string[], flags: readonly Flag[]])[] = [
  [["cache"], ["older-than", "max-size"]],
  [["cross_encoder"], ["head"]],
  [["distillation"], ["layers", "parallel", "between", "imitate"]],
  [["domain_adaptation"], ADAPTING],
  [["encode"], [
    "input",
    "normalize",
    "output-value",
    "output-precision",
    "ranges",
    "calibration",
    "prompt",
    "prefix",
    "max-tokens",
  ]],
  [["evaluate"], ["task", "baselines", "against", "resamples"]],
  [["hard_negatives"], MINING_OUTPUT],
  [["label_similarity"], ["margin", "distance", "neighbors"]],
  [["masked_language_model"], ["whole-words"]],
  [["mteb"], ["tasks", "task-file", "data", "subsets", "format"]],
  [["multi_dataset"], ["datasets", "mixing", "temperature"]],
  [["search"], ["closest", "query", "queries", "corpus-precision", "rescore-multiplier"]],
  [["simcse"], ["supervised"]],
  [["static_embedding"], [
    "start",
    "vocabulary",
    "pca-dims",
    "sif-coefficient",
    "token-pooling",
    "prune-texts",
    "no-training",
  ]],
  [["word2vec"], ["window", "noise-words", "subsample", "vector-format", "baseline"]],
  [["augmented_sbert", "domain_adaptation"], [
    "gold",
    "gold-size",
    "unlabelled",
    "pairs",
    "pairs-per-gold",
    "silver-labels",
    "min-confidence",
    "gold-hold-out",
    "force-judge",
    "cross-learning-rate",
    "cross-epochs",
    "scenario",
    "no-control",
  ]],
  [["contrastive_tension", "domain_adaptation"], ["tension", "pos-neg-ratio"]],
  [["cross_encoder", "evaluate"], ["relevant-from"]],
  [["domain_adaptation", "gpl"], ["negatives-per-row", "queries-per-passage"]],
  [["domain_adaptation", "simcse"], ["dropout"]],
  [["domain_adaptation", "tsdae"], ["deletion-ratio", "fixed-noise", "tie-decoder"]],
  [["encode", "search"], ["column"]],
  [["multiple_negatives_ranking", "supervised_finetune"], ["guide"]],
  [["softmax_nli", "supervised_finetune"], ["as-printed"]],
  [["static_embedding", "word2vec"], ["width", "min-count"]],
  [["augmented_sbert", "domain_adaptation", "search"], ["top-k"]],
  [["contrastive_tension", "domain_adaptation", "simcse"], ["scale"]],
  [["cross_encoder", "multiple_negatives_ranking", "supervised_finetune"], ["loss-options"]],
  [["encode", "evaluate", "search"], ["truncate-dim"]],
  [["cross_encoder", "label_similarity", "multiple_negatives_ranking", "supervised_finetune"], ["loss"]],
  [["domain_adaptation", "gpl", "multiple_negatives_ranking", "supervised_finetune"], ["margins"]],
  [["distillation", "evaluate", "multiple_negatives_ranking", "static_embedding", "supervised_finetune"], ["teacher"]],
  [["domain_adaptation", "hard_negatives", "multiple_negatives_ranking", "static_embedding", "supervised_finetune"], [
    "negatives",
    "range-min",
    "max-score",
    "min-score",
    "absolute-margin",
    "relative-margin",
    "sampling",
    "hard-by",
    "relation",
    "import",
  ]],
  [[
    "domain_adaptation",
    "gpl",
    "hard_negatives",
    "multiple_negatives_ranking",
    "static_embedding",
    "supervised_finetune",
  ], ["miner", "num-negatives", "range-max", "generator-url", "generator-model", "token-budget", "concurrency"]],
  [[
    "domain_adaptation",
    "hard_negatives",
    "multiple_negatives_ranking",
    "search",
    "static_embedding",
    "supervised_finetune",
  ], ["corpus"]],
  [[
    "augmented_sbert",
    "cosine_similarity",
    "label_similarity",
    "multi_dataset",
    "multiple_negatives_ranking",
    "simcse",
    "softmax_nli",
    "supervised_finetune",
  ], ["lora-save"]],
  [[
    "augmented_sbert",
    "domain_adaptation",
    "gpl",
    "hard_negatives",
    "multiple_negatives_ranking",
    "search",
    "static_embedding",
    "supervised_finetune",
  ], ["cross-encoder"]],
];

/** Losses over anchors, positives and negatives. */
const PAIR_LOSSES = ["multiple-negatives", "gist", "margin-mse", "distill-kl", "mega-batch-margin", "triplet"];
/** The losses that each command with `--loss` has. */
export const LOSS_OWNERS: Readonly<Record<string, readonly string[]>> = {
  cross_encoder: [
    "adr-mse",
    "binary-cross-entropy",
    "cross-entropy",
    "lambda",
    "list-mle",
    "list-net",
    "margin-mse",
    "mse",
    "multiple-negatives-ranking",
    "position-list-mle",
    "rank-net",
  ],
  label_similarity: FLAGS["loss"][0],
  multiple_negatives_ranking: PAIR_LOSSES,
  supervised_finetune: PAIR_LOSSES,
};

/** Losses that have no `--loss`: data sets of `multi_dataset` take them, as all that are not for cross-encoders. */
export const SET_LOSSES: readonly string[] = ["angle", "cosent", "cosine-similarity", "embed-distill", "softmax"];

/**
 * Says whose a flag is that a command has not, or the value of one that it has.
 *
 * @param flag The flag.
 * @param value What was given for it.
 * @returns A sentence that names the commands, or says that they are most of them.
 */
export function ownersInWords(flag: Flag, value?: string): string {
  const withLoss = flag === "loss" && value !== undefined ? commandsWithLoss(value) : [];
  if (withLoss.length > 0) return `--loss ${value} belongs to ${listed(withLoss)}`;
  const inSets = flag === "loss" && value !== undefined ? setLoss(value) : undefined;
  if (inSets !== undefined) {
    return `${inSets} is a loss of data sets: "loss": "${inSets}" in --datasets of multi_dataset`;
  }
  const commands = OWNERS.find(([, flags]) => flags.includes(flag))?.[0];
  return commands === undefined
    ? `--${flag} belongs to most other commands; this one has no use for it`
    : `--${flag} belongs to ${listed(commands)}`;
}

/** The commands that have a loss. */
export const commandsWithLoss = (loss: string): readonly string[] =>
  Object.keys(LOSS_OWNERS).filter((command) => LOSS_OWNERS[command]!.includes(loss));

/** The loss of data sets of this name, as others may write it. */
export const setLoss = (loss: string): string | undefined => longestBeginning(loss, SET_LOSSES);

const listed = (names: readonly string[]) => new Intl.ListFormat("en-GB").format(names);
