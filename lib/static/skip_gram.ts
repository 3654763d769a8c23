/**
 * Skip-gram with negative sampling (Mikolov et al. 2013, arXiv 1310.4546): a word's vector learns to tell the words that
 * stand near it from words drawn at random.
 *
 * For a word w, a word c near it, and words n₁ … nₖ drawn by their count^¾, with inner vectors v and outer vectors u:
 *
 *     loss = −log σ(v_w · u_c) − Σᵢ log σ(−v_w · u_nᵢ)
 *
 * One step of gradient descent is done for each pair at once, as word2vec and gensim do.
 *
 * @module
 */
import { PADDING } from "../checkpoint/word_vectors.ts";
import { randomPurpose, type RandomStream, randomStream } from "../engine/philox.ts";
import { UsageError } from "../error.ts";
import type { Vocabulary, WordIds } from "./vocabulary.ts";

/** Settings of {@linkcode trainSkipGram}; the defaults are gensim's, but for the seed. */
export interface SkipGramSettings {
  /** Numbers of a vector. Default 100. */
  readonly width?: number | undefined;
  /** How far from a word the words near it stand at most; for each word the distance is drawn from 1 to this. Default 5. */
  readonly window?: number | undefined;
  /** Words drawn at random for each pair. Default 5. */
  readonly noiseWords?: number | undefined;
  /** Words whose share of the corpus is above this are left out now and then. Default 0.001; 0 leaves out none. */
  readonly subsample?: number | undefined;
  /** Passes over the corpus. Default 5. */
  readonly epochs?: number | undefined;
  /** Learning rate at the start. Default 0.025. */
  readonly learningRate?: number | undefined;
  /** Learning rate at the end, to which it falls evenly. Default 0.0001. */
  readonly lastLearningRate?: number | undefined;
  /** Default 42. */
  readonly seed?: number | undefined;
}

/** {@linkcode SkipGramSettings}, complete. */
export type ResolvedSkipGram = { readonly [K in keyof Required<SkipGramSettings>]: number };

/** Vectors in the making: what the next portion of the corpus depends on. */
export interface SkipGramState {
  /** [words · width] inner vectors: those that are kept. */
  readonly inner: Float32Array;
  /** [words · width] outer vectors. */
  readonly outer: Float32Array;
  /** Portions of the corpus that are done, over all epochs. */
  done: number;
}

/** What a portion of the corpus came to. */
export interface SkipGramPortion {
  /** Portions done, and how many there are. */
  readonly done: number;
  /** Portions of all epochs. */
  readonly total: number;
  /** Words of the portion that were not left out. */
  readonly words: number;
  /** Texts of the portion. */
  readonly texts: number;
  /** Mean loss of its pairs; 0 where there are none. */
  readonly loss: number;
  /** Its learning rate. */
  readonly learningRate: number;
}

/**
 * The settings with their defaults.
 *
 * @param settings What is not the default.
 * @returns All of them.
 * @throws {UsageError} One of them cannot be.
 */
export function resolveSkipGram(settings: SkipGramSettings): ResolvedSkipGram {
  const {
    width = 100,
    window = 5,
    noiseWords = 5,
    subsample = 1e-3,
    epochs = 5,
    learningRate = 0.025,
    lastLearningRate = Math.min(1e-4, learningRate),
    seed = 42,
  } = settings;
  for (const [name, value] of Object.entries({ width, window, noiseWords, epochs })) {
    if (!(Number.isInteger(value) && value >= (name === "epochs" ? 0 : 1))) {
      throw new UsageError(`${name} is no whole number above 0`, { found: `${value}` });
    }
  }
  if (!(subsample >= 0 && subsample < 1)) {
    throw new UsageError("subsample is no share", {
      expected: "0 (none is left out), or below 1",
      found: `${subsample}`,
    });
  }
  if (!(learningRate > 0 && lastLearningRate > 0 && lastLearningRate <= learningRate)) {
    throw new UsageError("the learning rate cannot fall so", {
      expected: "above 0, the last one no higher than the first",
      found: `${learningRate} to ${lastLearningRate}`,
    });
  }
  return { width, window, noiseWords, subsample, epochs, learningRate, lastLearningRate, seed };
}

/**
 * Vectors before the first word: inner ones even in (−1/width, 1/width), as gensim starts, outer ones 0.
 *
 * @param vocabulary The words.
 * @param settings How wide, and which seed.
 * @returns The state that training begins with.
 */
export function startSkipGram(vocabulary: Vocabulary, settings: ResolvedSkipGram): SkipGramState {
  const { words } = vocabulary;
  const { width, seed } = settings;
  const stream = randomStream(seed, randomPurpose("skip-gram"), 0);
  const inner = Float32Array.from({ length: words.length * width }, () => (2 * stream.uniform() - 1) / width);
  return { inner, outer: new Float32Array(words.length * width), done: 0 };
}

/** Words of a portion: what is done between two looks at the world. */
const PORTION = 10_000;
/** Entries of the table from which words are drawn. */
const DRAWN = 1 << 20;
/** A pair whose scores are further from 0 is left alone: nothing is left to learn from it. As in gensim. */
const SURE = 6;

/**
 * Trains vectors over what is left of the corpus, a portion at a time. Portions depend on the seed and their number, not on
 * where a run was cut off.
 *
 * @param vocabulary From `countWords`.
 * @param corpus From `wordIds`.
 * @param settings From {@linkcode resolveSkipGram}.
 * @param state From {@linkcode startSkipGram}, or as a run that was cut off left it; it is changed in place.
 * @returns One entry after each portion.
 */
export function* trainSkipGram(
  vocabulary: Vocabulary,
  corpus: WordIds,
  settings: ResolvedSkipGram,
  state: SkipGramState,
): Generator<SkipGramPortion, void> {
  const { epochs, learningRate, lastLearningRate, seed } = settings;
  const starts = portionsOf(corpus);
  const portions = starts.length - 1;
  const total = epochs * portions;
  const keep = shareKept(vocabulary, settings.subsample);
  const noise = noiseTable(vocabulary);
  const kept = new Int32Array(longestOf(corpus));
  while (state.done < total) {
    const at = state.done % portions;
    const rate = learningRate - (learningRate - lastLearningRate) * state.done / total;
    const stream = randomStream(seed, randomPurpose("skip-gram"), 1 + state.done);
    const step = pairStep(state, settings, noise, stream, rate);
    let [words, pairs, loss] = [0, 0, 0];
    for (let text = starts[at]!; text < starts[at + 1]!; text++) {
      let length = 0;
      for (let i = corpus.offsets[text]!; i < corpus.offsets[text + 1]!; i++) {
        const id = corpus.ids[i]!;
        if (keep[id]! >= 1 || stream.uniform() < keep[id]!) kept[length++] = id;
      }
      words += length;
      for (let i = 0; i < length; i++) {
        const reach = 1 + stream.int(settings.window);
        const last = Math.min(length - 1, i + reach);
        for (let j = Math.max(0, i - reach); j <= last; j++) {
          if (j === i) continue;
          loss += step(kept[j]!, kept[i]!);
          pairs++;
        }
      }
    }
    state.done++;
    const texts = starts[at + 1]! - starts[at]!;
    yield { done: state.done, total, words, texts, loss: pairs === 0 ? 0 : loss / pairs, learningRate: rate };
  }
}

/** One step for the pair of a word and one near it; its loss. */
function pairStep(
  { inner, outer }: SkipGramState,
  { width, noiseWords }: ResolvedSkipGram,
  noise: Int32Array,
  stream: RandomStream,
  rate: number,
): (word: number, near: number) => number {
  const change = new Float32Array(width);
  return (word, near) => {
    const from = word * width;
    let loss = 0;
    change.fill(0);
    for (let k = 0; k <= noiseWords; k++) {
      let other = near;
      if (k > 0) {
        other = noise[Math.floor(stream.uniform() * DRAWN)]!;
        if (other === near) continue;
      }
      const to = other * width;
      let score = 0;
      for (let i = 0; i < width; i++) score += inner[from + i]! * outer[to + i]!;
      const signed = k === 0 ? score : -score;
      loss += signed > 30 ? 0 : Math.log1p(Math.exp(-signed));
      if (score <= -SURE || score >= SURE) continue;
      const g = rate * ((k === 0 ? 1 : 0) - 1 / (1 + Math.exp(-score)));
      for (let i = 0; i < width; i++) {
        change[i]! += g * outer[to + i]!;
        outer[to + i]! += g * inner[from + i]!;
      }
    }
    for (let i = 0; i < width; i++) inner[from + i]! += change[i]!;
    return loss;
  };
}

/** Where portions begin, in texts: each is whole texts, of `PORTION` words or a little more. */
function portionsOf({ offsets }: WordIds): number[] {
  const starts = [0];
  for (let text = 1; text < offsets.length; text++) {
    const isLast = text === offsets.length - 1;
    if (isLast || offsets[text]! - offsets[starts.at(-1)!]! >= PORTION) starts.push(text);
  }
  return starts;
}

const longestOf = ({ offsets }: WordIds) =>
  offsets.reduce((most, to, i) => Math.max(most, to - (offsets[i - 1] ?? 0)), 0);

/** How often a word is kept: (√(f/t) + 1) · t/f, of its share f of the corpus and the threshold t. */
function shareKept({ counts }: Vocabulary, threshold: number): Float64Array {
  if (threshold === 0) return new Float64Array(counts.length).fill(1);
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => (Math.sqrt(count / total / threshold) + 1) * threshold / (count / total));
}

/** Words as often as they shall be drawn: by their count^¾. */
function noiseTable({ counts }: Vocabulary): Int32Array {
  const table = new Int32Array(DRAWN);
  const sum = counts.reduce((all, count) => all + count ** 0.75, 0);
  let [upTo, from] = [0, 0];
  for (let word = 0; word < counts.length; word++) {
    upTo += counts[word]! ** 0.75;
    const to = word === counts.length - 1 ? DRAWN : Math.round(upTo / sum * DRAWN);
    table.fill(word, from, to);
    from = to;
  }
  return table;
}

/**
 * The inner vectors as word vectors.
 *
 * @param vocabulary The words.
 * @param state From {@linkcode trainSkipGram}.
 * @returns Words and rows, with a row for padding before them, as `writeWordVectors` wants them.
 */
export function wordVectorsOf(vocabulary: Vocabulary, state: SkipGramState): {
  /** The words, padding first. */
  readonly words: readonly string[];
  /** [words · width] */
  readonly rows: Float32Array;
  /** Numbers of a vector. */
  readonly width: number;
} {
  const width = state.inner.length / vocabulary.words.length;
  const rows = new Float32Array(state.inner.length + width);
  rows.set(state.inner, width);
  return { words: [PADDING, ...vocabulary.words], rows, width };
}
