/**
 * Choosing negatives among candidates: bounds on their scores, a range of ranks, the best of it or any.
 *
 * @module
 */
import { counted } from "../counted.ts";
import { randomPurpose, randomStream } from "../engine/philox.ts";
import { UsageError } from "../error.ts";
import { expectOneOf, expectWholeNumber } from "../expect.ts";
import type { Candidates } from "./candidates.ts";

/** Options of {@linkcode selectNegatives}. */
export interface SelectOptions {
  /** Negatives of an anchor. Default 3. */
  readonly negatives?: number;
  /** Leaves out the best candidates, which may be positives that nobody marked. Default 0. */
  readonly rangeMin?: number;
  /** Candidates looked at, from the best of those that keep the bounds. Default: all. */
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
export interface Selection {
  /** The negatives of every anchor, best first; `width` is the number that was asked for. */
  readonly negatives: Candidates;
  /** Candidates left out by each bound. */
  readonly skipped: readonly Skipped[];
}

/**
 * Drops the candidates that break a bound on their scores, and takes what is wanted from the range of those that are
 * left.
 *
 * @param candidates From {@linkcode findCandidates} or {@linkcode scoreAgain}.
 * @param options Bounds, range, how many, the best or any.
 * @returns The negatives, and how many candidates each bound left out.
 * @throws {UsageError} A number that is not whole, a bound that is not finite, a range that holds fewer candidates
 *   than are wanted, or no such sampling.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import { findCandidates, selectNegatives, toTriplets } from "@kindred/kindred/negatives";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const angle: Record<string, number> = { dog: 0, hound: 0.1, puppy: 0.2, cat: 0.5, car: 1.5 };
 * const encode = (texts: readonly string[]) =>
 *   Promise.resolve({
 *     data: Float32Array.from(texts.flatMap((text) => [Math.cos(angle[text]!), Math.sin(angle[text]!)])),
 *     width: 2,
 *     rows: texts.length,
 *   });
 * const pairs = { columns: { anchor: ["dog"], positive: ["hound"] }, rows: 1 };
 * const candidates = await findCandidates(engine, pairs, encode, { corpus: ["puppy", "cat", "car"] });
 * const { negatives, skipped } = selectNegatives(candidates, { negatives: 1, maxScore: 0.95 });
 * assert.deepEqual(toTriplets(negatives).dataset.columns.negative, ["cat"]);
 * assert.deepEqual(skipped.map(({ by, count }) => [by, count]), [["maxScore", 1]]); // the puppy is too near
 * engine.close();
 * ```
 */
export function selectNegatives(candidates: Candidates, options: SelectOptions = {}): Selection {
  const { negatives: wanted = 3, rangeMin = 0, rangeMax = candidates.width, sampling = "top", seed = 42 } = options;
  expectRange(wanted, rangeMin, options.rangeMax);
  expectOneOf("sampling", sampling, ["top", "random"]);
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
    const from = Math.min(rangeMin, size);
    const room = Math.min(rangeMax, size) - from;
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

  let left = candidates.counts.reduce((sum, count) => sum + count, 0);
  const report = skipped.map(({ by, bound, count }) => {
    const share = left === 0 ? 0 : count / left;
    left -= count;
    return { by, bound, count, share };
  });
  return { negatives: { ...candidates, indices, scores, counts, width: wanted }, skipped: report };
}

/** Refuses a range that cannot hold the negatives; one without an end can. */
export function expectRange(wanted: number, min: number, max: number | undefined): void {
  expectWholeNumber("negatives", wanted);
  expectWholeNumber("rangeMin", min, 0);
  if (max === undefined) return;
  expectWholeNumber("rangeMax", max);
  if (max - min < wanted) {
    throw new UsageError("the range holds fewer candidates than negatives are wanted", {
      expected: `a rangeMax of at least ${min + wanted} (rangeMin ${min} + ${counted(wanted, "negative")})`,
      found: `${max}`,
      hint: "raise rangeMax, or lower rangeMin or the number of negatives",
    });
  }
}

/** The bounds in the order in which they are applied; numbers are float32, as the scores are. */
function bounds(options: SelectOptions) {
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
