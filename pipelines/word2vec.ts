/**
 * word2vec: vectors of the words of a corpus, learned by skip-gram with negative sampling. A text's embedding is their mean:
 * the baseline that an encoder has to beat.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt, attemptSync } from "../lib/attempt.ts";
import {
  readWordVectorFolder,
  type WordVectorFormat,
  type WordVectors,
  writeWordVectorFile,
} from "../lib/checkpoint/word_vectors.ts";
import { originOf } from "../lib/pipeline/card.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { evaluationOfTexts } from "../lib/pipeline/evaluation.ts";
import { finish } from "../lib/pipeline/finish.ts";
import { COMPUTING, type FlagValues } from "../lib/pipeline/flags.ts";
import { outputFolder } from "../lib/pipeline/report_base.ts";
import { summary } from "../lib/pipeline/report.ts";
import { isOwn, number, text, trainSource } from "../lib/pipeline/settings.ts";
import { loadFlatTexts } from "../lib/pipeline/stages/load.ts";
import { trainWord2vec } from "../lib/pipeline/stages/word2vec.ts";
import { beforeAndAfter } from "../lib/pipeline/training.ts";
import type { ReportTable } from "../lib/pipeline/table_lines.ts";
import { besideUntuned } from "../lib/pipeline/untuned.ts";
import { model } from "../lib/stage/roots.ts";
import { valueOf } from "../lib/stage/stage.ts";
import { nearestWords } from "../lib/static/nearest_words.ts";
import { resolveSkipGram } from "../lib/static/skip_gram.ts";

const PAPER = "Mikolov et al. 2013, arXiv 1310.4546";
/** What random vectors are good for. */
const BEFORE = "before means vectors at random, whose means count the words that two texts share";
/** gensim's settings. */
const USUAL: FlagValues = {
  "width": 100,
  "min-count": 5,
  "window": 5,
  "noise-words": 5,
  "subsample": 1e-3,
  "epochs": 5,
  "learning-rate": 0.025,
  "vector-format": "word2vec",
};

/** Places in the order of frequency whose words are shown with their nearest ones. */
const SHOWN = [30, 60, 100, 150, 250];

/** What the vectors have learned, for the eye. */
function neighbours(vectors: Omit<WordVectors, "skipped">): ReportTable {
  const words = SHOWN.flatMap((rank) => vectors.words[rank] ?? []);
  const rows = words.map((word) => [word, nearestWords(vectors, word, 4).map(([near]) => near).join(", ")]);
  return { title: "nearest words", columns: ["word", "nearest"], rows };
}

/** The command: load → word2vec → evaluate. */
export const command: Command = {
  name: "word2vec",
  summary: "learns vectors of the words of a corpus, each text once; embeddings are their means",
  flags: [
    ...COMPUTING,
    ...["output", "force", "preset", "train", "columns", "skip-bad-rows", "limit", "eval", "eval-columns"] as const,
    ...["width", "min-count", "window", "noise-words", "subsample", "epochs", "learning-rate"] as const,
    ...["vector-format", "baseline"] as const,
  ],
  meanings: {
    "preset": "which defaults: the sample that ships inside, gensim's, a test; own where --train names texts",
    "columns": "the column of the texts: text=answer",
    "width": "features of a vector",
    "epochs": "passes over the texts",
    "learning-rate": "learning rate at the start; it falls evenly to almost 0",
    "baseline":
      "encoder that is not tuned, to be measured on the same rows by mean and cls pooling; the sample has its own",
  },
  presets: {
    sample: { ...USUAL, "limit": 20_000, "epochs": 30 },
    chapter: USUAL,
    own: USUAL,
    test: { ...USUAL, "limit": 300, "epochs": 1, "width": 16, "min-count": 1 },
  },
  ownBy: ["train"],
  run: Effect.fnUntraced(function* (invocation) {
    const { values } = invocation;
    const output = yield* outputFolder(invocation);
    const minCount = number(values, "min-count");
    const settings = yield* attemptSync(() =>
      resolveSkipGram({
        width: number(values, "width"),
        window: number(values, "window"),
        noiseWords: number(values, "noise-words"),
        subsample: number(values, "subsample"),
        epochs: number(values, "epochs"),
        learningRate: number(values, "learning-rate"),
        seed: number(values, "seed"),
      })
    );
    const baseline = text(values, "baseline");
    // Beside rows of one's own the sample's base model, which knows only the sample's words, would say nothing.
    const isOurs = !isOwn(values, "train") && !isOwn(values, "eval");
    const encoder = baseline === undefined && !isOurs ? undefined : yield* model(baseline);
    const texts = yield* loadFlatTexts(trainSource({ ...invocation, values: { model: "a new one", ...values } }));
    const { evaluation, warnings } = yield* evaluationOfTexts(invocation, "train");
    const start = yield* trainWord2vec({ texts }, { minCount, settings: { ...settings, epochs: 0 } }, "start");
    const run = yield* beforeAndAfter(evaluation, start, {});
    const vectors = yield* trainWord2vec({ texts }, { minCount, settings });
    const main = yield* run(vectors);
    const { name } = yield* attempt(() => originOf(baseline));
    const { folder } = yield* valueOf(vectors);
    const read = yield* attempt(() => readWordVectorFolder(folder));
    const tables = [neighbours(read)].filter(({ rows }) => rows.length > 0);
    if (evaluation !== undefined && encoder !== undefined) {
      tables.push(yield* besideUntuned(evaluation, ["averaged word vectors", vectors], [name, encoder]));
    }
    const report = yield* finish(invocation, output, {
      data: texts,
      evaluation,
      warnings: evaluation === undefined ? warnings : [...warnings, BEFORE],
      runs: { main },
      tables,
      files: ["vectors.txt"],
      story:
        "Vectors of words, learned by Kindred's `word2vec`; the embedding of a text is the mean of its words' vectors.",
      loss: `skip-gram with negative sampling (${PAPER})`,
      facts: { "trained from": "vectors at random" },
    });
    const format = text(values, "vector-format") as WordVectorFormat;
    yield* attempt(() => writeWordVectorFile(join(output, "vectors.txt"), read, format));
    return report;
  }),
  print: summary,
};

if (import.meta.main) await main(command);
