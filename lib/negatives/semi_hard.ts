/**
 * Semi-hard negatives: near to the anchor by its embedding, yet clearly less so than the positive.
 *
 * The parameters are those of sentence-transformers' `mine_hard_negatives`, with the same results where it is right.
 * Here, a cross-encoder counts whether or not there is a margin, sampling follows the seed, a text is no negative of
 * itself, and `min_score` is not charged with the positives.
 *
 * @module
 */
import type { Dataset, Pairs } from "../data/dataset.ts";
import type { Engine } from "../engine/engine.ts";
import { randomPurpose, randomStream } from "../engine/philox.ts";
import { UsageError } from "../error.ts";
import { type CandidateOptions, type Candidates, type EmbedTexts, findCandidates, indexPairs } from "./candidates.ts";

/** Options of {@linkcode semiHardNegatives}. */
export interface SemiHardOptions extends Omit<CandidateOptions, "count"> {
  /** Negatives of an anchor. Default 3. */
  readonly negatives?: number;
  /** Leaves out the best candidates, which may be positives that nobody marked. Default 0. */
  readonly rangeMin?: number;
  /**
   * Candidates looked at, from the best. Default: `rangeMin`, the most positives of an anchor, and the negatives: ten
   * times as many where a margin, `maxScore` or a scorer may leave some out.
   */
  readonly rangeMax?: number | undefined;
  /** A negative scores at most this. */
  readonly maxScore?: number | undefined;
  /** A negative scores at least this. */
  readonly minScore?: number | undefined;
  /** A negative scores at least this much less than the anchor's lowest positive. */
  readonly absoluteMargin?: number | undefined;
  /** A negative scores at least this share of |score of the lowest positive| less than it (NV-Retriever: .05). */
  readonly relativeMargin?: number | undefined;
  /** The best, or any of the range. Default top. */
  readonly sampling?: "top" | "random";
  /** Of random sampling. Default 42. */
  readonly seed?: number;
}

/** Why candidates were left out. */
export interface Skipped {
  /** The option. */
  readonly by: "absoluteMargin" | "relativeMargin" | "maxScore" | "minScore";
  /** Its value. */
  readonly bound: number;
  /** How many. */
  readonly count: number;
  /** Of the candidates that were still there. */
  readonly share: number;
}

/** Negatives and how they came about. */
export interface SemiHardResult {
  /** The negatives of every anchor, best first; `width` is the number that was asked for. */
  readonly negatives: Candidates;
  /** Candidates left out by each bound. */
  readonly skipped: readonly Skipped[];
  /** The range, also where it was derived. */
  readonly range: { readonly min: number; readonly max: number };
}

/**
 * The nearest texts of each anchor that are no positives of it and keep the bounds.
 *
 * Defaults of `mine_hard_negatives`; NV-Retriever (Moreira et al. 2024, arXiv 2407.15831) found `relativeMargin` .05
 * with `sampling` top best. The result is what `toTriplets`, `toTuples`, `toLabelledPairs` and `toLabelledLists` write
 * out, and `withNegatives` joins to a dataset.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import { semiHardNegatives, toTriplets } from "@kindred/kindred/negatives";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const angle: Record<string, number> = { dog: 0, hound: .1, puppy: .11, cat: .5, car: 1.5 };
 * const embed = (texts: readonly string[]) => Promise.resolve({
 *   data: Float32Array.from(texts.flatMap((text) => [Math.cos(angle[text]!), Math.sin(angle[text]!)])),
 *   width: 2,
 *   rows: texts.length,
 * });
 * const pairs = { columns: { anchor: ["dog"], positive: ["hound"] }, rows: 1 };
 * const { negatives } = await semiHardNegatives(engine, pairs, embed, {
 *   corpus: ["puppy", "cat", "car"],
 *   negatives: 1,
 *   absoluteMargin: .05, // leaves out the puppy
 * });
 * assert.deepEqual(toTriplets(negatives).dataset.columns.negative, ["cat"]);
 * engine.close();
 * ```
 */
export async function semiHardNegatives(
  engine: Engine,
  pairs: Dataset<Pairs>,
  embed: EmbedTexts,
  options: SemiHardOptions = {},
): Promise<SemiHardResult> {
  const { negatives: wanted = 3, rangeMin = 0, sampling = "top", seed = 42 } = options;
  const range = rangeOf(pairs, wanted, rangeMin, options);
  const candidates = await findCandidates(engine, pairs, embed, { ...options, count: range.max });
  const { anchors, offsets, positiveScores, width } = candidates;
  const skipped = bounds(options).map((bound) => ({ ...bound, count: 0 }));

  const indices = new Int32Array(anchors.length * wanted).fill(-1);
  const scores = new Float32Array(anchors.length * wanted).fill(-Infinity);
  const counts = new Int32Array(anchors.length);
  const kept = new Int32Array(width); // places of the candidates that keep all bounds
  for (let i = 0; i < anchors.length; i++) {
    let lowest = Infinity;
    for (let p = offsets[i]!; p < offsets[i + 1]!; p++) lowest = Math.min(lowest, positiveScores[p]!);
    let size = 0;
    for (let c = i * width; c < i * width + candidates.counts[i]!; c++) {
      const breaks = skipped.find((bound) => bound.breaks(candidates.scores[c]!, lowest));
      if (breaks !== undefined) breaks.count++;
      else kept[size++] = c;
    }
    const from = Math.min(range.min, size);
    const room = Math.min(range.max, size) - from;
    const count = Math.min(wanted, room);
    const places = kept.subarray(from, from + room);
    if (sampling === "random" && count < room) {
      // Any `count` of them, in the order of scores.
      randomStream(seed, randomPurpose("negatives", 1), i).shuffle(places);
      places.subarray(0, count).sort();
    }
    for (let n = 0; n < count; n++) {
      indices[i * wanted + n] = candidates.indices[places[n]!]!;
      scores[i * wanted + n] = candidates.scores[places[n]!]!;
    }
    counts[i] = count;
  }

  // Theirs counts every place of the range, positives and gaps included.
  let left = anchors.length * (range.max + candidates.mostPositives);
  const report = skipped.map(({ by, bound, count }) => {
    const share = count / left;
    left -= count;
    return { by, bound, count, share };
  });
  return { negatives: { ...candidates, indices, scores, counts, width: wanted }, skipped: report, range };
}

function rangeOf(
  pairs: Dataset<Pairs>,
  wanted: number,
  min: number,
  { rangeMax, maxScore, absoluteMargin, relativeMargin, score }: SemiHardOptions,
): { min: number; max: number } {
  const isCount = (value: number, least: number) => Number.isInteger(value) && value >= least;
  if (!isCount(wanted, 1)) {
    throw new UsageError("negatives is no number of texts", { expected: "a whole number from 1", found: `${wanted}` });
  }
  if (!isCount(min, 0)) {
    throw new UsageError("rangeMin is no rank", { expected: "a whole number from 0", found: `${min}` });
  }
  const isBounded = [maxScore, absoluteMargin, relativeMargin, score].some((option) => option !== undefined);
  const max = rangeMax ?? min + wanted * (isBounded ? 10 : 1) + indexPairs(pairs).mostPositives;
  if (!isCount(max, 1) || max - min < wanted) {
    throw new UsageError("the range holds fewer candidates than negatives are wanted", {
      expected: `rangeMax a whole number from ${min + wanted} (rangeMin ${min} + ${wanted} negatives)`,
      found: `${max}`,
      hint: "raise rangeMax, or lower rangeMin or the number of negatives",
    });
  }
  return { min, max };
}

/** The bounds in the order in which they are applied; numbers are float32, as the scores are. */
function bounds(options: SemiHardOptions) {
  const { absoluteMargin, relativeMargin, maxScore, minScore } = options;
  const { fround } = Math;
  const found: { by: Skipped["by"]; bound: number; breaks: (score: number, positive: number) => boolean }[] = [];
  const add = (
    by: Skipped["by"],
    value: number | undefined,
    breaks: (score: number, positive: number, bound: number) => boolean,
  ) => {
    if (value === undefined) return;
    if (!Number.isFinite(value)) throw new UsageError(`${by} is not a number`, { found: `${value}` });
    const bound = fround(value);
    found.push({ by, bound: value, breaks: (score, positive) => breaks(score, positive, bound) });
  };
  add("absoluteMargin", absoluteMargin, (score, positive, margin) => fround(score + margin) > positive);
  add(
    "relativeMargin",
    relativeMargin,
    (score, positive, margin) => score > fround(positive - fround(Math.abs(positive) * margin)),
  );
  add("maxScore", maxScore, (score, _, most) => score > most);
  add("minScore", minScore, (score, _, least) => score < least);
  return found;
}
