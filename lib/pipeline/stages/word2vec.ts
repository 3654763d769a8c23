/**
 * word2vec: vectors of the words of a corpus, by skip-gram with negative sampling.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt, attemptSync } from "../../attempt.ts";
import { openTensors, writeSafetensors } from "../../checkpoint/safetensors.ts";
import { writeWordVectors } from "../../checkpoint/word_vectors.ts";
import type { Dataset } from "../../data/dataset.ts";
import { exists } from "../../exists.ts";
import {
  type ResolvedSkipGram,
  resolveSkipGram,
  type SkipGramSettings,
  type SkipGramState,
  startSkipGram,
  trainSkipGram,
  wordVectorsOf,
} from "../../static/skip_gram.ts";
import { countWords, wordIds } from "../../static/vocabulary.ts";
import { datasetFormat, trainedFormat, type TrainedModel, writeJson } from "../../stage/artifact.ts";
import { phase, Progress } from "../../stage/progress.ts";
import { defineStage, type Stage } from "../../stage/stage.ts";
import { addStep, emptyRecord, logSteps, type TrainingRecord } from "../../train/record.ts";
import { turn } from "../../turn.ts";
import type { Texts } from "./load.ts";

/** Settings of {@linkcode trainWord2vec}. */
export interface Word2vecParameters {
  /** How skip-gram is trained. */
  readonly settings: SkipGramSettings;
  /** Words that occur less often get no vector. Default 5. */
  readonly minCount?: number | undefined;
}

/** What {@linkcode trainWord2vec} takes. */
export interface Word2vecInputs {
  /** The corpus. */
  readonly texts: Dataset<Texts>;
}

/** Milliseconds between two checkpoints. */
const SAVE_EVERY = 20_000;
const STATE = "skip_gram.safetensors";

/**
 * Learns vectors of words (Mikolov et al. 2013, arXiv 1310.4546), and saves them as sentence-transformers' model of averaged
 * word vectors. A run that was cut off goes on from its last checkpoint, to the same bytes. With 0 epochs the vectors are
 * those at random that training starts from.
 */
export const trainWord2vec: Stage<Word2vecParameters, Word2vecInputs, TrainedModel> = Effect.fnUntraced(
  function* (inputs, { settings, minCount = 5 }, as) {
    const resolved = yield* attemptSync(() => resolveSkipGram(settings));
    return yield* stage(inputs, { settings: resolved, minCount }, as);
  },
);

const stage = defineStage<
  { readonly settings: ResolvedSkipGram; readonly minCount: number },
  Word2vecInputs,
  TrainedModel
>({
  name: "word2vec",
  version: 2, // says where nothing was learned
  inputs: { texts: datasetFormat<Texts>() },
  output: trainedFormat,
  draws: true,
  run: Effect.fnUntraced(function* ({ parameters: { settings, minCount }, inputs, scratch }) {
    yield* phase("training");
    const { emit } = yield* Progress;
    yield* attempt(async (signal) => {
      const { columns: { text } } = await inputs.texts.read();
      const vocabulary = countWords(text, minCount);
      const corpus = wordIds(text, vocabulary);
      const start = startSkipGram(vocabulary, settings);
      const file = join(scratch, STATE);
      const { state, record } = await readState(file, start) ?? { state: start, record: emptyRecord() };
      record.parameters = record.trainedParameters = state.inner.length;
      let [begun, saved] = [performance.now(), performance.now()];
      let [words, since] = [0, begun];
      for (const portion of trainSkipGram(vocabulary, corpus, settings, state)) {
        const { done: step, total: totalSteps, loss, learningRate } = portion;
        const now = performance.now();
        const seconds = (now - begun) / 1000;
        addStep(record, { loss, samples: portion.texts, tokens: portion.words, seconds });
        begun = now;
        const tokensPerSecond = (words += portion.words) / ((now - since) / 1000);
        emit({ _tag: "step", step, totalSteps, loss, learningRate, gradientNorm: 0, seconds, tokensPerSecond });
        if (step % 10 === 0 || step === totalSteps) {
          logSteps(record, {
            epoch: step / totalSteps * settings.epochs,
            learning_rate: learningRate,
            gradient_norm: 0,
            engine_bytes: 0,
            process_bytes: Deno.memoryUsage().rss,
          });
        }
        await turn(); // signals are heard here
        if (signal.aborted || now - saved > SAVE_EVERY) {
          await writeState(file, vocabulary.words.length, state, record);
          emit({ _tag: "saved", step, totalSteps });
          saved = performance.now();
        }
        signal.throwIfAborted();
      }
      if (settings.epochs > 0 && record.log.every(({ loss }) => loss === 0)) {
        record.warnings.push(
          "no word stands beside another: nothing was learned, the vectors are those at random; " +
            "more or longer texts help, or fewer words left out (subsample 0)",
        );
      }
      const card =
        "# Word vectors\n\nLearned by skip-gram with negative sampling; the embedding of a text is their mean.\n";
      await writeWordVectors(join(scratch, "model"), wordVectorsOf(vocabulary, state), card);
      await writeJson(join(scratch, "training.json"), record);
      await Deno.remove(file).catch(() => {});
    });
  }),
});

async function writeState(file: string, words: number, { inner, outer, done }: SkipGramState, record: TrainingRecord) {
  const shape = [words, inner.length / words];
  await writeSafetensors(file, [{ name: "inner", shape, data: inner }, { name: "outer", shape, data: outer }], {
    done: `${done}`,
    record: JSON.stringify(record),
  });
}

/** What a run that was cut off left; undefined where it left nothing that fits. */
async function readState(file: string, { inner }: SkipGramState) {
  if (!await exists(file)) return undefined;
  const reader = await openTensors(file);
  try {
    const state = {
      inner: await reader.readF32("inner"),
      outer: await reader.readF32("outer"),
      done: Number(reader.metadata["done"]),
    };
    const record = JSON.parse(reader.metadata["record"] ?? "null") as TrainingRecord;
    return state.inner.length === inner.length && Number.isInteger(state.done) ? { state, record } : undefined;
  } finally {
    reader.close();
  }
}
