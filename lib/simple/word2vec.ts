/**
 * Vectors of words in one call, awaited.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt } from "../attempt.ts";
import { datasetOf } from "../data/rows.ts";
import { NUMBERS } from "../train/fields.ts";
import { folderFacts } from "../pipeline/card.ts";
import { trainWord2vec } from "../pipeline/stages/word2vec.ts";
import { given, type RunOptions } from "../stage/run.ts";
import { valueOf } from "../stage/stage.ts";
import { resolveSkipGram, type SkipGramSettings } from "../static/skip_gram.ts";
import { modelCard } from "../train/model_card.ts";
import type { TrainingRecord } from "../train/record.ts";
import { A_LIST, A_SHARE, checkTraining } from "./fields.ts";
import { type OutputOptions, runTraining } from "./training.ts";

/** What {@linkcode word2vec} takes. */
export interface Word2vecInput extends SkipGramSettings, RunOptions, Omit<OutputOptions, "loraSave"> {
  /** The corpus. */
  readonly texts: readonly string[];
  /** Words that occur less often get no vector. Default 5. */
  readonly minCount?: number | undefined;
}

/**
 * Learns vectors of words by skip-gram with negative sampling (Mikolov et al. 2013, arXiv 1310.4546), and saves them as a
 * model of averaged word vectors, which `encode`, `openModel` and sentence-transformers load.
 *
 * @param input The corpus, where to save, and the settings: gensim's, where nothing is said.
 * @returns Losses, and what the training took.
 * @throws {DatasetError} No word occurs often enough.
 * @throws {UsageError} Settings that cannot be.
 *
 * @example
 * ```ts
 * import { encode, word2vec } from "@kindred/kindred/simple";
 * const output = `${await Deno.makeTempDir()}/words`;
 * await word2vec({ texts: ["the cat sleeps", "the dog sleeps"], minCount: 1, width: 8, output });
 * const { width } = await encode(output, ["a cat and a dog"]);
 * if (width !== 8) throw new Error("unexpected width");
 * ```
 */
export async function word2vec(input: Word2vecInput): Promise<TrainingRecord> {
  const { positive, rate } = { positive: NUMBERS["positive"], rate: NUMBERS["above zero"] };
  checkTraining(input, {
    texts: A_LIST,
    minCount: positive,
    width: positive,
    window: positive,
    noiseWords: positive,
    subsample: A_SHARE,
    epochs: positive,
    learningRate: rate,
    lastLearningRate: rate,
    seed: NUMBERS["whole"],
  });
  const { texts: plain, minCount, output, force = false, cacheDir, engine, progress, signal, ...settings } = input;
  const resolved = resolveSkipGram(settings);
  const work = Effect.gen(function* () {
    const texts = yield* given(datasetOf({ text: [...new Set(plain)] }));
    const model = yield* trainWord2vec({ texts }, { minCount, settings: resolved });
    const { folder, record } = yield* valueOf(model);
    const card = modelCard({
      title: "Word vectors",
      story:
        "Learned by Kindred by skip-gram with negative sampling; the embedding of a text is the mean of its words' vectors.",
      prompts: [],
      facts: { ...yield* attempt(() => folderFacts(folder)), parameters: record.parameters },
      settings: { ...resolved },
      warnings: record.warnings,
    });
    return { model, record, card };
  });
  return (await runTraining(work, { output, force, cacheDir, engine, progress, signal })).record;
}
