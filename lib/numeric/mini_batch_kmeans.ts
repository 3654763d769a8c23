/**
 * Mini-batch k-means (Sculley 2010) with greedy k-means++, as scikit-learn's `MiniBatchKMeans` fits float32 rows: the
 * same draws in the same order, distances of the start in float64 and rounded to float32, centres and counts in float32.
 *
 * What remains is the order in which a BLAS adds up float32 sums: it differs between processors, and there a draw or a
 * tie falls otherwise now and then, with scikit-learn as with this.
 *
 * @module
 */
import { EvaluationError } from "../error.ts";
import { expectWholeNumber } from "../expect.ts";
import { type NumpyRandom, numpyRandom } from "./mersenne_twister.ts";
import type { Matrix } from "./matrix.ts";
import { timesTransposed } from "./products.ts";
import { turnTaker } from "./turn.ts";

/** Options of {@linkcode miniBatchKMeans}; the defaults are scikit-learn's. */
export interface MiniBatchKMeansOptions {
  /** Number of clusters. */
  readonly clusters: number;
  /** Rows of a batch. Default 1024. */
  readonly batchSize?: number;
  /** Seed of numpy's `RandomState`. Default 42. */
  readonly seed?: number;
  /** Which points are clustered, repeats allowed; default all. */
  readonly rows?: Int32Array;
  /** Passes over the rows at most. Default 100. */
  readonly maxIterations?: number;
  /** Batches in a row without a new lowest smoothed inertia, after which it ends. Default 10. */
  readonly maxNoImprovement?: number;
  /** Clusters with fewer members than this share of the largest get a new centre. Default 0.01. */
  readonly reassignmentRatio?: number;
}

/** Clusters of rows. */
export interface Clustering {
  /** The cluster of every row. */
  readonly labels: Int32Array;
  /** [clusters · width] */
  readonly centers: Float32Array;
  /** Batches it took. */
  readonly steps: number;
}

/**
 * Clusters rows of embeddings by their nearness. The event loop gets a turn every 50 ms.
 *
 * @param points Embeddings: [rows, width].
 * @param options How many clusters, and how to look for them.
 * @returns The cluster of each row, and the centres.
 * @throws {EvaluationError} There are fewer rows than clusters, a row that there is not, or one that is not finite.
 * @throws {UsageError} `clusters` or `batchSize` is not a whole number from 1.
 *
 * @example
 * ```ts
 * import { miniBatchKMeans } from "@kindred/kindred/numeric";
 * import assert from "node:assert/strict";
 * const points = { data: Float32Array.of(0, 0, 0, 1, 9, 9, 9, 8), width: 2, rows: 4 };
 * const { labels } = await miniBatchKMeans(points, { clusters: 2 });
 * assert.ok(labels[0] === labels[1] && labels[2] === labels[3] && labels[0] !== labels[2]);
 * ```
 */
export async function miniBatchKMeans(points: Matrix, options: MiniBatchKMeansOptions): Promise<Clustering> {
  const { clusters: k, seed = 42, maxIterations = 100, maxNoImprovement = 10, reassignmentRatio = 0.01 } = options;
  const rows = options.rows ?? Int32Array.from({ length: points.rows }, (_, row) => row);
  const { data, width: d } = points;
  const n = rows.length;
  expectWholeNumber("clusters", k);
  expectWholeNumber("batchSize", options.batchSize ?? 1024);
  if (n < k) {
    throw new EvaluationError("there are fewer rows than clusters", { expected: `at least ${k}`, found: `${n}` });
  }
  for (const row of rows) {
    const sum = squaredNorm(data, row * d, d);
    if (Number.isFinite(sum)) continue; // as well where there is no such row: its values are undefined
    throw new EvaluationError("a row to be clustered is not finite, or is none", {
      expected: `finite numbers in ${points.rows} rows`,
      where: `row ${row}`,
    });
  }
  const turn = turnTaker();
  const random = numpyRandom(seed);
  const batchSize = Math.min(options.batchSize ?? 1024, n);
  let startSize = 3 * batchSize;
  if (startSize < k) startSize = 3 * k;
  startSize = Math.min(startSize, n);
  for (let i = 0; i < startSize; i++) random.upTo(n - 1); // the validation rows of several starts: there is one
  const startRows = startSize < n ? Int32Array.from({ length: startSize }, () => rows[random.upTo(n - 1)]!) : rows;
  let centers = await startingCenters(points, startRows, k, random);
  let centersAfter: Float32Array = new Float32Array(k * d);
  const counts = new Float32Array(k);
  const draw = uniformDraw(n, random);
  const batch = new Int32Array(batchSize);
  const assign = assigner(points, k, Math.max(batchSize, 256));

  const stepsAtMost = Math.floor(maxIterations * n / batchSize);
  const alpha = Math.min(batchSize * 2 / (n + 1), 1);
  let [smoothed, lowest, withoutImprovement, sinceReassigned] = [NaN, Infinity, 0, 0];
  let steps = 0;
  while (steps < stepsAtMost) {
    await turn();
    for (let i = 0; i < batchSize; i++) batch[i] = rows[draw()]!;
    sinceReassigned += batchSize;
    const reassigns = counts.includes(0) || sinceReassigned >= 10 * k;
    if (reassigns) sinceReassigned = 0;
    const { labels, inertia } = assign(batch, centers);
    updateCenters(data, d, batch, labels, centers, centersAfter, counts);
    if (reassigns && reassignmentRatio > 0) reassign(data, d, batch, centersAfter, counts, reassignmentRatio, random);
    [centers, centersAfter] = [centersAfter, centers];
    if (++steps === 1) continue; // that is the inertia of the start
    smoothed = Number.isNaN(smoothed) ? inertia / batchSize : smoothed * (1 - alpha) + inertia / batchSize * alpha;
    if (smoothed < lowest) [lowest, withoutImprovement] = [smoothed, 0];
    else if (++withoutImprovement >= maxNoImprovement) break;
  }

  // Repeated rows get their label once.
  const distinct = Int32Array.from(new Set(rows));
  const labelOf = new Int32Array(points.rows);
  for (let start = 0; start < distinct.length; start += 256) {
    await turn();
    const chunk = distinct.subarray(start, start + 256);
    const { labels } = assign(chunk, centers);
    chunk.forEach((row, i) => labelOf[row] = labels[i]!);
  }
  return { labels: Int32Array.from(rows, (row) => labelOf[row]!), centers, steps };
}

/** `choice(n, p=1/n)`: the first place whose cumulated probability is above a uniform number. */
function uniformDraw(n: number, random: NumpyRandom): () => number {
  const cumulated = new Float64Array(n);
  const probability = Math.fround(1 / n);
  for (let i = 0, sum = 0; i < n; i++) cumulated[i] = sum += probability;
  const total = cumulated[n - 1]!;
  for (let i = 0; i < n; i++) cumulated[i]! /= total;
  return () => firstAbove(cumulated, random.double(), false);
}

/** The first place with values[place] > wanted, or ≥ wanted. */
function firstAbove(values: Float32Array | Float64Array, wanted: number, orEqual: boolean): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! > wanted || (orEqual && values[middle] === wanted)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Greedy k-means++ (Arthur & Vassilvitskii 2007): of a few candidates, the one that lowers the potential most. */
async function startingCenters(
  points: Matrix,
  rows: Int32Array,
  k: number,
  random: NumpyRandom,
): Promise<Float32Array> {
  const turn = turnTaker();
  const { data, width: d } = points;
  const n = rows.length;
  const trials = 2 + Math.floor(Math.log(k));
  const x = gather(points, rows, new Float64Array(n * d));
  const norms = Float64Array.from({ length: n }, (_, i) => squaredNorm(x, i * d, d));
  const centers = new Float32Array(k * d);
  const distances = (out: Float32Array, places: readonly number[]) => {
    const candidates = new Float64Array(places.length * d);
    places.forEach((place, t) => candidates.set(x.subarray(place * d, (place + 1) * d), t * d));
    const products = new Float64Array(places.length * n);
    timesTransposed(products, candidates, x, places.length, n, d);
    for (let t = 0; t < places.length; t++) {
      const own = norms[places[t]!]!;
      for (let i = 0; i < n; i++) out[t * n + i] = Math.max(0, -2 * products[t * n + i]! + own + norms[i]!);
    }
  };
  const take = (c: number, place: number) => {
    centers.set(data.subarray(rows[place]! * d, (rows[place]! + 1) * d), c * d);
  };

  const first = uniformDraw(n, random)();
  take(0, first);
  let closest = new Float32Array(n);
  distances(closest, [first]);
  let potential = sumOf(closest);
  const cumulated = new Float32Array(n);
  const tried = new Float32Array(trials * n);
  for (let c = 1; c < k; c++) {
    await turn();
    for (let i = 0, sum = 0; i < n; i++) cumulated[i] = sum = Math.fround(sum + closest[i]!);
    const candidates = Array.from(
      { length: trials },
      () => Math.min(firstAbove(cumulated, random.double() * potential, true), n - 1),
    );
    distances(tried, candidates);
    let best = 0;
    let bestPotential = Infinity;
    for (let t = 0; t < trials; t++) {
      for (let i = 0; i < n; i++) tried[t * n + i] = Math.min(tried[t * n + i]!, closest[i]!);
      const own = sumOf(tried.subarray(t * n, (t + 1) * n));
      if (own < bestPotential) [best, bestPotential] = [t, own];
    }
    take(c, candidates[best]!);
    closest = tried.slice(best * n, (best + 1) * n);
    potential = bestPotential;
  }
  return centers;
}

/** Labels of rows by the nearest centre, and the sum of their squared distances. Nothing is allocated per batch. */
function assigner(
  points: Matrix,
  k: number,
  most: number,
): (rows: Int32Array, centers: Float32Array) => { readonly labels: Int32Array; readonly inertia: number } {
  const d = points.width;
  const x = new Float64Array(most * d);
  const c = new Float64Array(k * d);
  const products = new Float64Array(most * k);
  const norms = new Float64Array(k);
  const labels = new Int32Array(most);
  return (rows, centers) => {
    gather(points, rows, x);
    c.set(centers);
    for (let j = 0; j < k; j++) norms[j] = squaredNorm(c, j * d, d);
    timesTransposed(products, x, c, rows.length, k, d);
    let inertia = 0;
    for (let i = 0; i < rows.length; i++) {
      let best = 0;
      let least = Infinity;
      for (let j = 0; j < k; j++) {
        const distance = norms[j]! - 2 * products[i * k + j]!;
        if (distance < least) [best, least] = [j, distance];
      }
      labels[i] = best;
      for (let f = 0; f < d; f++) inertia += (x[i * d + f]! - c[best * d + f]!) ** 2;
    }
    return { labels: labels.subarray(0, rows.length), inertia };
  };
}

/** Each centre becomes the mean of all rows it ever had. */
function updateCenters(
  data: Float32Array,
  d: number,
  batch: Int32Array,
  labels: Int32Array,
  centers: Float32Array,
  after: Float32Array,
  counts: Float32Array,
): void {
  const added = new Float32Array(counts.length);
  for (const label of labels) added[label]!++;
  for (let j = 0; j < counts.length; j++) {
    for (let f = j * d; f < (j + 1) * d; f++) after[f] = added[j] === 0 ? centers[f]! : centers[f]! * counts[j]!;
  }
  for (let i = 0; i < batch.length; i++) {
    const [from, to] = [batch[i]! * d, labels[i]! * d];
    for (let f = 0; f < d; f++) after[to + f]! += data[from + f]!;
  }
  for (let j = 0; j < counts.length; j++) {
    if (added[j] === 0) continue;
    counts[j]! += added[j]!;
    const alpha = Math.fround(1 / counts[j]!);
    for (let f = j * d; f < (j + 1) * d; f++) after[f]! *= alpha;
  }
}

/** Centres with very few rows move to rows of the batch at random, half a batch of them at most. */
function reassign(
  data: Float32Array,
  d: number,
  batch: Int32Array,
  centers: Float32Array,
  counts: Float32Array,
  ratio: number,
  random: NumpyRandom,
): void {
  const threshold = Math.fround(Math.fround(ratio) * counts.reduce((most, count) => Math.max(most, count), 0));
  const places = Array.from(counts, (_, j) => j);
  let few = places.filter((j) => counts[j]! < threshold);
  if (few.length > 0.5 * batch.length) {
    const fewest = new Set(places.sort((a, b) => counts[a]! - counts[b]!).slice(0, Math.floor(0.5 * batch.length)));
    few = few.filter((j) => fewest.has(j));
  }
  if (few.length === 0) return;
  const chosen = random.permutation(batch.length);
  few.forEach((j, i) => {
    const row = batch[chosen[i]!]!;
    centers.set(data.subarray(row * d, (row + 1) * d), j * d);
  });
  const moved = new Set(few);
  const least = counts.reduce((least, count, j) => moved.has(j) ? least : Math.min(least, count), Infinity);
  for (const j of few) counts[j] = least;
}

/** Rows of the points, one after the other. */
function gather({ data, width: d }: Matrix, rows: Int32Array, out: Float64Array): Float64Array {
  for (let i = 0; i < rows.length; i++) out.set(data.subarray(rows[i]! * d, (rows[i]! + 1) * d), i * d);
  return out;
}

function squaredNorm(values: Float32Array | Float64Array, start: number, d: number): number {
  let sum = 0;
  for (let i = start; i < start + d; i++) sum += values[i]! * values[i]!;
  return sum;
}

function sumOf(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value;
  return Math.fround(sum);
}
