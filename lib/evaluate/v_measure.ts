/**
 * How well clusters agree with classes: V-measure and adjusted mutual information, in float64, equal to scikit-learn's.
 *
 * Labels are numbers; with counts n_{ck} of class c in cluster k, n_c and n_k their sums, and n rows:
 *
 *     H(C) = −Σ n_c/n log(n_c/n)      I(C; K) = Σ n_{ck}/n log(n n_{ck} / (n_c n_k))
 *
 * @module
 */
import { counted } from "../counted.ts";
import { EvaluationError } from "../error.ts";
import type { Values } from "../numeric/correlation.ts";

/** Counts of classes in clusters. */
interface Contingency {
  /** n_c */
  readonly classes: Int32Array;
  /** n_k */
  readonly clusters: Int32Array;
  /** [class · cluster] n_{ck} */
  readonly both: Int32Array;
  /** n */
  readonly rows: number;
}

function contingency(labels: Values, clusters: Values): Contingency {
  if (labels.length !== clusters.length || labels.length === 0) {
    throw new EvaluationError("labels and clusters do not match", {
      expected: `${counted(labels.length, "cluster")}, at least one`,
      found: `${clusters.length}`,
    });
  }
  const places = (values: Values) => {
    const place = new Map<number, number>();
    return { of: Int32Array.from(values, (v) => place.get(v) ?? (place.set(v, place.size), place.size - 1)), place };
  };
  const [c, k] = [places(labels), places(clusters)];
  const width = k.place.size;
  const result = {
    classes: new Int32Array(c.place.size),
    clusters: new Int32Array(width),
    both: new Int32Array(c.place.size * width),
    rows: labels.length,
  };
  for (let i = 0; i < labels.length; i++) {
    result.classes[c.of[i]!]!++;
    result.clusters[k.of[i]!]!++;
    result.both[c.of[i]! * width + k.of[i]!]!++;
  }
  return result;
}

function entropy(counts: Int32Array, n: number): number {
  if (counts.length === 1) return 0;
  let sum = 0;
  for (const count of counts) sum -= count / n * (Math.log(count) - Math.log(n));
  return sum;
}

function mutualInformation({ classes, clusters, both, rows: n }: Contingency): number {
  if (classes.length === 1 || clusters.length === 1) return 0;
  let sum = 0;
  for (let c = 0; c < classes.length; c++) {
    for (let k = 0; k < clusters.length; k++) {
      const count = both[c * clusters.length + k]!;
      if (count === 0) continue;
      const term = count / n * (Math.log(count) - Math.log(n)) +
        count / n * (-Math.log(classes[c]! * clusters[k]!) + 2 * Math.log(n));
      if (Math.abs(term) >= Number.EPSILON) sum += term;
    }
  }
  return Math.max(0, sum);
}

/**
 * Agreement of clusters with classes: the harmonic mean of homogeneity I/H(C) and completeness I/H(K) (Rosenberg &
 * Hirschberg 2007), equal to scikit-learn's `v_measure_score`.
 *
 * @param labels [n] classes.
 * @param clusters [n] clusters, under any names.
 * @returns From 0 to 1.
 * @throws {EvaluationError} Another number of clusters than of labels.
 *
 * @example
 * ```ts
 * import { vMeasure } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * assert.equal(vMeasure([0, 0, 1, 1], [7, 7, 3, 3]), 1);
 * ```
 */
export function vMeasure(labels: Values, clusters: Values): number {
  const counts = contingency(labels, clusters);
  const information = mutualInformation(counts);
  const [ofClasses, ofClusters] = [entropy(counts.classes, counts.rows), entropy(counts.clusters, counts.rows)];
  const homogeneity = ofClasses === 0 ? 1 : information / ofClasses;
  const completeness = ofClusters === 0 ? 1 : information / ofClusters;
  const sum = homogeneity + completeness;
  return sum === 0 ? 0 : 2 * homogeneity * completeness / sum;
}

/**
 * Agreement of clusters with classes beyond chance: (I − E[I]) / (mean(H(C), H(K)) − E[I]), 0 for clusters at random,
 * whatever their number (Vinh et al. 2010); equal to scikit-learn's `adjusted_mutual_info_score`.
 *
 * @param labels [n] classes.
 * @param clusters [n] clusters, under any names.
 * @returns 1 at most.
 * @throws {EvaluationError} Another number of clusters than of labels.
 *
 * @example
 * ```ts
 * import { adjustedMutualInformation } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * assert.equal(adjustedMutualInformation([0, 0, 1, 1], [7, 7, 3, 3]), 1);
 * assert.ok(adjustedMutualInformation([0, 0, 1, 1], [7, 3, 7, 3]) <= 0);
 * ```
 */
export function adjustedMutualInformation(labels: Values, clusters: Values): number {
  const counts = contingency(labels, clusters);
  if (counts.classes.length === 1 && counts.clusters.length === 1) return 1;
  if (counts.classes.length === 1 || counts.clusters.length === 1) return 0;
  const expected = expectedInformation(counts);
  const mean = (entropy(counts.classes, counts.rows) + entropy(counts.clusters, counts.rows)) / 2;
  return awayFromZero(mutualInformation(counts) - expected) / awayFromZero(mean - expected);
}

function awayFromZero(value: number): number {
  return value < 0 ? Math.min(value, -Number.EPSILON) : Math.max(value, Number.EPSILON);
}

/** E[I] over all ways to draw clusters of these sizes: Σ over c, k and possible counts m, hypergeometric. */
function expectedInformation({ classes, clusters, rows: n }: Contingency): number {
  const logFactorial = new Float64Array(n + 1);
  for (let i = 2; i <= n; i++) logFactorial[i] = logFactorial[i - 1]! + Math.log(i);
  const f = logFactorial;
  let sum = 0;
  for (const a of classes) {
    for (const b of clusters) {
      const fixed = f[a]! + f[b]! + f[n - a]! + f[n - b]! - f[n]!;
      for (let m = Math.max(1, a + b - n); m <= Math.min(a, b); m++) {
        const logProbability = fixed - f[m]! - f[a - m]! - f[b - m]! - f[n - a - b + m]!;
        sum += m / n * (Math.log(n) + Math.log(m) - Math.log(a) - Math.log(b)) * Math.exp(logProbability);
      }
    }
  }
  return sum;
}
