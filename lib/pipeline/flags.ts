/**
 * The flags of the command line: one table for all commands.
 *
 * @module
 */
import type { NumberKind } from "../train/fields.ts";
import type { ReadColumns } from "../stage/progress.ts";
import { OUTPUT_PRECISIONS } from "../embed/quantize.ts";
import { ENGINES } from "../engine/select.ts";
import { MIXINGS } from "../train/mixed_batches.ts";
import { SCHEDULES } from "../train/schedule.ts";

/** How a flag's value is read. */
export type FlagType = "text" | NumberKind | "switch" | readonly string[];

/** Every flag there is: how its value is read, and what it does. */
export const FLAGS = {
  "json": ["switch", "print the report as one JSON document, and nothing else, to standard output"],
  "quiet": ["switch", "no progress"],
  "seed": ["whole", "seed of everything random"],
  "engine": [
    ENGINES,
    "tensor engine; webgpu: a graphics card, by the driver that it has; auto: a card that is faster, else cpu",
  ],
  "kernels": [["auto", "native", "wasm", "accelerate"], "which form of the kernels computes on the cpu"],
  "threads": ["positive", "threads of the cpu engine; default one per core"],
  "precision": [
    ["fp32", "bf16", "fp16", "int8"],
    "precision of the computation; bf16 and int8 are the cpu engine's, fp16 is webgpu's, and int8 does not train",
  ],
  "profile": [
    "switch",
    "tell where the time goes: calls, seconds and speed of each kernel, and what a card was asked for",
  ],
  "cache-dir": ["text", "folder of the cache of stages"],
  "no-cache": ["switch", "read nothing from the cache and keep nothing in it"],
  "output": ["text", "folder of the results"],
  "force": ["switch", "write into an output folder that is not ours"],
  "preset": [
    ["sample", "chapter", "test", "own"],
    "which defaults: the sample that ships inside, the book's chapter, a test; own where --model names one",
  ],
  "model": ["text", "model to start from: a folder or a model of the hub; #NAME behind it: an adapter within it"],
  "train": ["text", "training data: a file, a folder, or a dataset of the hub"],
  "eval": [
    "text",
    "what to evaluate on: pairs with a similarity, pairs of anchor and positive, texts with a label; a folder of BEIR's " +
    "layout (corpus, queries, qrels) or a task's file; nanobeir, or a folder of its sets; nanobeir#msmarco,nq: some of them",
  ],
  "datasets": [
    "text",
    'a JSON file that names several data sets: [{"name": "qa", "train": "qa.csv", "loss": "multiple_negatives_ranking"}, …]; of each also ' +
    "lossOptions, columns, limit, negatives, prompts, weight, batchSize, guide, eval, evalColumns, holdOut; paths " +
    "are relative to the file's folder",
  ],
  "mixing": [
    MIXINGS,
    "how data sets take turns: every batch of all once an epoch, one of each until the smallest has no more, or shares by " +
    "n^(1/temperature)",
  ],
  "temperature": ["above zero", "of shares by temperature: 1 is proportional, the higher, the more equal; default 2"],
  "eval-columns": ["text", "names of columns of the evaluation rows, as for --columns"],
  "hold-out": [
    "number",
    "rows of the training data, or a share of them, that are kept for evaluation; 0: none; default: a tenth of data of " +
    "your own, 1,000 at most, where there is no --eval",
  ],
  "columns": ["text", "names of columns: anchor=question,positive=answer"],
  "limit": ["positive", "use no more rows of the training data"],
  "epochs": ["positive", "passes over the training data"],
  "max-steps": ["positive", "updates, instead of epochs"],
  "batch-size": ["positive", "rows of a batch"],
  "accumulate": ["positive", "batches of an update"],
  "learning-rate": ["above zero", "highest learning rate; static .2 or .01"],
  "schedule": [SCHEDULES, "decay of the learning rate"],
  "warmup-steps": ["whole", "updates until the highest learning rate"],
  "warmup-ratio": ["rate", "the same as a share of all updates"],
  "weight-decay": ["number", "decoupled weight decay"],
  "clip": ["number", "highest global norm of the gradient; 0 does not clip"],
  "eval-steps": ["positive", "updates between evaluations"],
  "logging-steps": ["positive", "updates between entries of the loss curve"],
  "save-steps": ["positive", "updates between checkpoints; after five minutes there is one in any case"],
  "keep-best": ["text", "keep the weights with the highest value of this metric; auto: the one that stands for all"],
  "patience": ["positive", "stop after so many evaluations without a new best"],
  "freeze": ["text", "tensors that are not trained: embeddings, layers:-n, or names with *"],
  "lora-rank": ["positive", "train adapters of this rank instead of the weights (LoRA)"],
  "lora-alpha": ["above zero", "alpha: adapters count alpha / rank times; default: twice the rank"],
  "lora-targets": [
    "text",
    "linear layers that have an adapter: ends of their names, with commas between; a regular expression of whole names; " +
    "or all-linear, the default",
  ],
  "lora-dropout": ["below one", "dropout of what goes into the adapters; default 0"],
  "lora-save": [
    ["merged", "adapter"],
    "what is saved: the model with its adapters merged into it, the default, or the adapters alone, as PEFT has them",
  ],
  "matryoshka": [
    "text",
    "train the first numbers of embeddings to do for embeddings, at these lengths, and measure each: 384,192,96,48",
  ],
  "matryoshka-weights": ["text", "what the loss of each of these lengths counts: 1,1,.5,.5; default: 1 each"],
  "matryoshka-per-step": ["positive", "lengths that each update is trained with, drawn anew each time; default: all"],
  "pooling": [["mean", "cls", "max", "mean_sqrt_len", "weightedmean", "lasttoken"], "how tokens become one embedding"],
  "max-seq-length": ["positive", "longest sequence in tokens"],
  "prompts": [
    "text",
    'text before every column that is trained on, or one for each: {"anchor": "query: ", "positive": "passage: "}, or ' +
    'such prompts by data set: {"pairs": {"anchor": "query: "}, "nli": "text: "}; ' +
    "default: the model's prompts for queries and documents, else its default prompt",
  ],
  "negatives": [
    ["none", "easy", "contradiction", "semi-hard", "hard"],
    "negatives of triplets: none, other rows at random, what contradicts, or mined: near by embedding, or judged",
  ],
  "miner": ["text", "encoder that semi-hard and hard negatives are looked for with; default: the model to be trained"],
  "num-negatives": ["positive", "negatives of each row"],
  "negatives-per-row": [
    "positive",
    "negatives of each row of GPL, which learns the margins of all; default 1: a query has as many rows as negatives",
  ],
  "range-min": ["whole", "nearest texts that are passed over"],
  "range-max": ["positive", "nearest texts that are looked at"],
  "max-score": ["number", "a negative scores at most this"],
  "min-score": ["number", "a negative scores at least this"],
  "absolute-margin": ["number", "a negative scores at least so much less than the positive"],
  "relative-margin": ["rate", "a negative scores at least this share of the positive's score less"],
  "sampling": [["top", "random"], "of the texts that keep the bounds: the nearest, or any"],
  "hard-by": [
    ["cross-encoder", "language-model", "writer", "person"],
    "who says what is a hard negative; a writer is a language model that makes one itself",
  ],
  "relation": [["answer", "paraphrase", "entailment"], "what a positive is to its anchor: for a language model"],
  "generator-url": ["text", "OpenAI-compatible endpoint of a language model; its key is read from KINDRED_API_KEY"],
  "generator-model": ["text", "the language model's name there"],
  "token-budget": ["positive", "tokens that the language model may spend"],
  "concurrency": ["positive", "requests to the language model under way at once"],
  "queries-per-passage": ["positive", "queries that the language model writes for each passage; default 3"],
  "margins": [
    ["logit", "probability"],
    "what margins are differences of: the cross-encoder's logits, or its probabilities; default: probabilities for a model " +
    "whose embeddings have length 1",
  ],
  "rows": [["triplet", "n-tuple", "labeled-pair", "labeled-list"], "form of the rows that are written"],
  "output-scores": ["switch", "scores beside the texts"],
  "export": ["text", "write candidates to this CSV file, for a person to judge"],
  "import": ["text", "read a person's verdicts from this CSV file"],
  "skip-bad-rows": ["switch", "leave out rows that cannot be read, and count them"],
  "as-printed": ["switch", "do what the chapter's printed code does, faults included"],
  "gold": ["text", "labelled pairs: NLI pairs, or pairs with a score"],
  "gold-size": ["positive", "how many of them are gold; the rest counts as unlabelled where no other pairs are given"],
  "unlabelled": ["text", "pairs for the cross-encoder to label; labels that they have are only compared with"],
  "pairs": [
    ["given", "recombine", "bm25", "semantic", "bm25+semantic", "kde"],
    "where pairs to be labelled come from: given ones, or pairs of gold sentences",
  ],
  "pairs-per-gold": ["positive", "random pairs for each gold pair"],
  "top-k": ["positive", "nearest texts of each query or sentence"],
  "silver-labels": [
    ["hard", "soft"],
    "the likelier class, or its probability; default: soft, but hard for the chapter's classes",
  ],
  "min-confidence": ["rate", "drop silver pairs of which the judge is less sure, from 0 to 1"],
  "gold-hold-out": [
    "number",
    "gold pairs, or a share of them, that measure the judge and choose the best weights; 0: none; default: a tenth, from " +
    "200 to 1,000, but a fifth of fewer than 1,000",
  ],
  "force-judge": ["switch", "go on with a judge that knows no more of the gold pairs held out than the model"],
  "cross-encoder": [
    "text",
    "what the judge starts from: an encoder, a cross-encoder or an NLI model, as a folder or a model of the hub",
  ],
  "head": [["score", "classes"], "what a cross-encoder gives: one score, or a value for each of two classes"],
  "cross-learning-rate": ["above zero", "highest learning rate of the cross-encoder"],
  "cross-epochs": ["whole", "passes of the cross-encoder over the gold pairs; 0: it judges as it is"],
  "scenario": [
    ["in-domain", "cross-domain"],
    "cross-domain: the pairs to be labelled are from another domain, and the bi-encoder learns from them alone",
  ],
  "no-control": ["switch", "train no controls on the gold pairs alone"],
  "target": ["text", "plain texts of the target domain: a file, a folder, or a dataset of the hub"],
  "target-eval": ["text", "graded pairs of the target domain"],
  "target-labels": ["text", "texts of the target domain with classes"],
  "adapt": [["mlm", "tsdae", "simcse", "ct", "gpl"], "how the model learns from the target's texts"],
  "methods": ["text", "several of these ways beside each other, on the same texts: tsdae,simcse,ct,mlm,gpl"],
  "adapt-limit": ["positive", "texts of the target at most"],
  "adapt-epochs": ["positive", "passes over the target's texts"],
  "adapt-steps": ["positive", "updates on the target's texts, instead of passes"],
  "adapt-learning-rate": ["above zero", "highest learning rate on the target's texts"],
  "then": [["finetune", "augmented"], "what follows: multiple-negatives ranking, or Augmented SBERT from --gold"],
  "deletion-ratio": ["rate", "share of words that are deleted"],
  "fixed-noise": ["switch", "damage every text once, as the chapter does, not afresh in each epoch"],
  "tie-decoder": [["true", "false"], "whether decoder and encoder share all that they have in common"],
  "supervised": ["switch", "learn from entailed pairs with contradictions as hard negatives, instead of plain texts"],
  "scale": ["above zero", "what cosines are multiplied by: 1 / temperature"],
  "dropout": ["rate", "rate of dropout wherever the model has a place for it; default: its own rates"],
  "tension": [
    ["in-batch", "pairs"],
    "what a text is told from: all others of the batch, or one other text in each pair",
  ],
  "pos-neg-ratio": ["positive", "every so many pairs one is of equal texts"],
  "whole-words": ["switch", "mask whole words, not pieces of them"],
  "width": ["positive", "features of vectors at random"],
  "min-count": ["positive", "words that occur less often get no vector"],
  "window": ["positive", "how far from a word the words near it stand, at most"],
  "noise-words": ["positive", "words drawn at random for each pair of words"],
  "subsample": ["rate", "words with a larger share of the corpus are left out now and then; 0: none is"],
  "vector-format": [
    ["word2vec", "glove"],
    "vectors.txt begins with the numbers of words and features (word2vec), or not (glove)",
  ],
  "baseline": ["text", "encoder that is not tuned, to be measured on the same rows by mean and cls pooling"],
  "guide": [
    "text",
    "any encoder, with a tokenizer of its own: negatives that it finds nearer than the positive do not count (gist)",
  ],
  "teacher": ["text", "encoder to distil static embeddings from: a folder or a model of the hub"],
  "layers": ["text", "layers that the student keeps, from 0: 0,2,5; default: all"],
  "parallel": ["switch", "pairs of a text and its translation, which shall come to where the teacher has the text"],
  "between": [
    ["pca", "projection"],
    "where the teacher's embeddings are wider: they are reduced by their principal components, the default, or the student " +
    "learns a layer to their width, which is left out in the end",
  ],
  "imitate": [["mse", "cosine", "l2"], "how far a student's embedding is from its teacher's"],
  "start": [
    ["distilled", "random", "given"],
    "vectors to train from: the teacher's, at random for the teacher's tokens, or those of --model",
  ],
  "vocabulary": ["text", "words that become tokens of their own: a file with a column text"],
  "pca-dims": ["whole", "principal components of the teacher's vectors, at most; 0: none"],
  "sif-coefficient": ["rate", "how little frequent tokens weigh: a / (a + their share); 0: all the same"],
  "token-pooling": [["mean", "cls", "lasttoken"], "what the teacher's output for a token alone is"],
  "prune-texts": [
    "text",
    "keep the tokens alone that these texts have: a file with a column text or with pairs, or a dataset of the hub",
  ],
  "no-training": ["switch", "distil or prune, and do not train"],
  "input": ["text", "texts to encode: a file, or - for lines of standard input"],
  "column": ["text", "the column of the texts"],
  "normalize": ["switch", "embeddings of length 1"],
  "truncate-dim": ["positive", "keep so many features of each embedding; nothing is normalised anew"],
  "output-value": [["sentence", "tokens"], "one embedding for each text, or one for each of its tokens"],
  "output-precision": [
    OUTPUT_PRECISIONS,
    "how embeddings are kept: as computed, as halves, as a byte or as a bit for each feature",
  ],
  "ranges": [
    "text",
    "what int8 and uint8 are measured by: .npy of the least and the greatest values, or a file that has them",
  ],
  "calibration": ["text", "file of embeddings whose ranges are taken; default: those of all that is encoded"],
  "prompt": ["text", "name of one of the model's prompts"],
  "prefix": ["text", "this text before every input, instead of a prompt of the model's"],
  "max-tokens": ["positive", "tokens that go through the encoder at once"],
  "task": [
    [
      "similarity",
      "binary",
      "triplet",
      "retrieval",
      "reranking",
      "labels",
      "paraphrases",
      "translation",
      "mse",
    ],
    "kind of evaluation; default: from the columns",
  ],
  "baselines": [
    "text",
    "models to be measured on the same rows, with a pooling of your own where one is named: " +
    "glove.txt,bert-base-uncased:mean,bert-base-uncased:cls",
  ],
  "against": ["text", "another model: the difference on the same rows, with its interval"],
  "resamples": [
    "whole",
    "how often rows are drawn anew, for intervals; 0: none; default 1000, and 0 of more than 100,000 rows",
  ],
  "tasks": ["text", "names of MTEB tasks, separated by commas"],
  "task-file": ["text", "a task of your own, as JSON or YAML"],
  "data": ["text", "folder of the data, instead of the hub"],
  "subsets": ["text", "only these subsets (mostly languages) of a task, separated by commas"],
  "format": [["2", "1.1"], "version of mteb in whose form results are written"],
  "older-than": ["positive", "entries older than so many days"],
  "max-size": ["positive", "keep the newest entries up to so many megabytes"],
  "loss": [
    [
      "batch-hard",
      "batch-hard-soft-margin",
      "batch-semi-hard",
      "batch-all",
      "triplet",
      "contrastive",
      "online-contrastive",
    ],
    "what brings texts of one label together",
  ],
  "loss-options": ["text", "options of the loss: k=10,weighting=lambda_rank"],
  "relevant-from": [
    "number",
    "the least label of a document that is relevant, for MAP and MRR; default: half of the highest",
  ],
  "margin": ["number", "how much nearer a text's own label must be; default: the loss's own"],
  "distance": [["euclidean", "cosine", "manhattan"], "what the loss measures; default: the loss's own"],
  "neighbors": ["positive", "neighbours that vote on a text's label, at most: no more than a label has other texts"],
  "corpus": ["text", "texts to search in: a file, a folder, or a dataset of the hub"],
  "closest": ["positive", "closest pairs to find"],
  "query": ["text", "what to search for; may be given several times"],
  "queries": ["text", "a file of queries, one a line, or a table with a column text"],
  "corpus-precision": [
    ["float32", "float16", "int8", "binary", "binary+int8"],
    "how the corpus is searched: as computed, in a byte or a bit for each feature, or by bits and then by bytes",
  ],
  "rescore-multiplier": [
    "positive",
    "of bits, so many times --top-k texts are compared with the query itself; default 4",
  ],
} as const satisfies Readonly<Record<string, readonly [FlagType, string]>>;

/** Name of a flag. */
export type Flag = keyof typeof FLAGS;

/** Values of flags, read. */
export type FlagValues = { readonly [F in Flag]?: string | number | boolean };

/** A command as it was given. */
export interface Invocation {
  /** The command. */
  readonly name: string;
  /** sample, chapter, test or own. */
  readonly preset: string;
  /** Flags, with the defaults of the preset. */
  readonly values: FlagValues;
  /** What the command takes for a model of one's own where nothing is said. */
  readonly usual?: FlagValues | undefined;
  /** What is no flag. */
  readonly operands: readonly string[];
  /** All arguments, as they were given. */
  readonly args: readonly string[];
  /** Which columns of which files were read so far. */
  readonly columns?: readonly ReadColumns[] | undefined;
  /** What was warned of so far. */
  readonly warnings?: readonly string[];
}

/** What flags may be where the table does not say it. */
export type FlagChoices = Readonly<Partial<Record<Flag, readonly string[]>>>;

/** What the flags of a command may be, where the table does not say it: what trains does not do so in 8 bits. */
export function choicesOf(flags: readonly Flag[], choices: FlagChoices = {}): FlagChoices {
  const trains = flags.includes("epochs");
  const precision = FLAGS["precision"][0].filter((name) => name !== "int8");
  return { ...(trains && { precision }), ...choices };
}

/** Flags that every command has. */
export const COMMON: readonly Flag[] = ["json", "quiet", "cache-dir", "no-cache"];
/** Flags of every command that computes. */
export const COMPUTING: readonly Flag[] = [
  ...COMMON,
  "seed",
  "engine",
  "kernels",
  "threads",
  "precision",
  "profile",
];
/** Flags of every command that trains. */
export const TRAINING: readonly Flag[] = [
  ...COMPUTING,
  "output",
  "force",
  "preset",
  "model",
  "train",
  "eval",
  "eval-columns",
  "hold-out",
  "columns",
  "limit",
  "epochs",
  "max-steps",
  "batch-size",
  "accumulate",
  "learning-rate",
  "schedule",
  "warmup-steps",
  "warmup-ratio",
  "weight-decay",
  "clip",
  "eval-steps",
  "logging-steps",
  "save-steps",
  "keep-best",
  "patience",
  "freeze",
  "pooling",
  "max-seq-length",
  "skip-bad-rows",
];

/** Flags of adapters, for every training whose model has them. */
export const ADAPTERS: readonly Flag[] = ["lora-rank", "lora-alpha", "lora-targets", "lora-dropout"];

/** Flags of embeddings whose first numbers do, for every training by a loss over embeddings that has no head. */
export const MATRYOSHKA: readonly Flag[] = ["matryoshka", "matryoshka-weights", "matryoshka-per-step"];

/** Flags of Augmented SBERT beside those of every training. */
export const AUGMENTING: readonly Flag[] = [
  "gold",
  "gold-size",
  "unlabelled",
  "pairs",
  "pairs-per-gold",
  "top-k",
  "silver-labels",
  "min-confidence",
  "gold-hold-out",
  "force-judge",
  "cross-encoder",
  "cross-learning-rate",
  "cross-epochs",
  "scenario",
  "no-control",
];

/** Flags of TSDAE beside those of every training. */
export const DENOISING: readonly Flag[] = ["deletion-ratio", "fixed-noise", "tie-decoder"];

/** Flags of Contrastive Tension beside those of every training. */
export const TENSION: readonly Flag[] = ["tension", "pos-neg-ratio", "scale"];

/** Flags of mined negatives beside those of every training. */
export const MINING: readonly Flag[] = [
  "negatives",
  "miner",
  "corpus",
  "num-negatives",
  "range-min",
  "range-max",
  "max-score",
  "min-score",
  "absolute-margin",
  "relative-margin",
  "sampling",
  "hard-by",
  "cross-encoder",
  "relation",
  "generator-url",
  "generator-model",
  "token-budget",
  "concurrency",
  "import",
];

/** Flags of generative pseudo-labelling beside those of every training. */
export const GENERATING: readonly Flag[] = [
  "generator-url",
  "generator-model",
  "token-budget",
  "concurrency",
  "queries-per-passage",
  "miner",
  "num-negatives",
  "negatives-per-row",
  "range-max",
  "cross-encoder",
  "margins",
];

/** Flags of how mined negatives are written. */
export const MINING_OUTPUT: readonly Flag[] = ["rows", "output-scores", "export"];

/** Flags of domain adaptation beside those of every training. */
export const ADAPTING: readonly Flag[] = [
  "target",
  "target-eval",
  "target-labels",
  "adapt",
  "methods",
  "adapt-limit",
  "adapt-epochs",
  "adapt-steps",
  "adapt-learning-rate",
  "then",
];

/** Flags of static embeddings beside those of every training. */
export const STATIC: readonly Flag[] = [
  "teacher",
  "start",
  "vocabulary",
  "width",
  "pca-dims",
  "sif-coefficient",
  "token-pooling",
  "prune-texts",
  "min-count",
  "no-training",
];
