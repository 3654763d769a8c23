/**
 * How far a metric may be off by the choice of rows: intervals by the bootstrap, and the difference of two models on the
 * same rows.
 *
 * Rows (queries, pairs, texts) are drawn anew with replacement, as many as there are, and the metric is computed again:
 * the middle 95 of 100 such values are the interval (Efron 1979, the percentile method). Of two models the same rows are
 * drawn for both, and the interval is that of the difference: rows that are hard for both then cancel out.
 *
 * @module
 */
import { randomPurpose, randomStream } from "../engine/philox.ts";
import { EvaluationError, UsageError } from "../error.ts";
import { expectWholeNumber } from "../expect.ts";
import { expectFinite } from "./expect.ts";
import { ranks, type Values } from "../numeric/correlation.ts";

/** A metric that can be computed on rows drawn anew. */
export interface Resampled {
  /** Rows of each part that is drawn from on its own: the queries of each set; mostly one number. */
  readonly counts: readonly number[];
  /** What is drawn, in the singular: row, query, text. */
  readonly unit: string;
  /** The metrics of these rows of each part. */
  readonly metrics: (rows: readonly Int32Array[]) => Readonly<Record<string, number>>;
}

/** Options of {@linkcode bootstrapIntervals}. */
export interface BootstrapOptions {
  /** How often rows are drawn. Default 1000. */
  readonly resamples?: number | undefined;
  /** Default 42. */
  readonly seed?: number | undefined;
  /** Share of the values that lie in the interval. Default 0.95. */
  readonly level?: number | undefined;
}

/** Where a metric lies, in 95 of 100 draws. */
export interface Interval {
  /** Its lower end. */
  readonly low: number;
  /** Its upper end. */
  readonly high: number;
}

/** A difference and where it lies. */
export interface Difference extends Interval {
  /** The first model's metric less the second's. */
  readonly difference: number;
}

/**
 * The interval of each metric.
 *
 * @param of Metrics that can be computed on rows drawn anew: {@linkcode resampledMeans} and its like.
 * @param options How often, from which seed, and how wide.
 * @returns The interval by the metric's name; what no draw gives is left out.
 * @throws {EvaluationError} There are no rows.
 * @throws {UsageError} A number of draws that is not a whole number from 1, or a level that is not between 0 and 1.
 *
 * @example
 * ```ts
 * import { bootstrapIntervals, resampledMeans } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const right = Float64Array.from({ length: 100 }, (_, row) => row % 4 === 0 ? 0 : 1); // three of four
 * const { accuracy } = bootstrapIntervals(resampledMeans([{ accuracy: right }]));
 * assert.ok(accuracy!.low > .64 && accuracy!.low < .72 && accuracy!.high > .78 && accuracy!.high < .86);
 * ```
 */
export function bootstrapIntervals(of: Resampled, options: BootstrapOptions = {}): Record<string, Interval> {
  const draws = drawn(of, options, (rows) => of.metrics(rows));
  return Object.fromEntries(draws.map(([name, values]) => [name, intervalOf(values, options.level)]));
}

/**
 * The difference of two models on the same rows, with its interval.
 *
 * @param first The first model's metrics.
 * @param second The second's, on the same rows.
 * @param options How often, from which seed, and how wide.
 * @returns First less second by the metric's name; an interval without 0 tells the two apart. What no draw gives is left
 *   out.
 * @throws {EvaluationError} There are no rows, or the two have different ones.
 * @throws {UsageError} A number of draws that is not a whole number from 1, or a level that is not between 0 and 1.
 *
 * @example
 * ```ts
 * import { pairedDifferences, resampledMeans } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const hard = Float64Array.from({ length: 50 }, (_, row) => row / 50);
 * const better = hard.map((value) => value + .01); // a little, on every row
 * const { mrr } = pairedDifferences(resampledMeans([{ mrr: better }]), resampledMeans([{ mrr: hard }]));
 * assert.ok(mrr!.low > 0); // the rows differ by much more than the models, and the difference is told all the same
 * ```
 */
export function pairedDifferences(
  first: Resampled,
  second: Resampled,
  options: BootstrapOptions = {},
): Record<string, Difference> {
  if (first.counts.join() !== second.counts.join()) {
    throw new EvaluationError("two models are compared on the same rows", {
      expected: first.counts.join(", "),
      found: second.counts.join(", "),
    });
  }
  const difference = (rows: readonly Int32Array[]) => {
    const [a, b] = [first.metrics(rows), second.metrics(rows)];
    return Object.fromEntries(Object.keys(a).filter((key) => key in b).map((key) => [key, a[key]! - b[key]!]));
  };
  const whole = difference(first.counts.map((count) => Int32Array.from({ length: count }, (_, row) => row)));
  return Object.fromEntries(
    drawn(first, options, difference).map(([name, values]) => [
      name,
      { difference: whole[name]!, ...intervalOf(values, options.level) },
    ]),
  );
}

/** Every metric's values, of the draws that give one; a metric that none gives is left out. */
function drawn(
  { counts }: Resampled,
  options: BootstrapOptions,
  metrics: (rows: readonly Int32Array[]) => Readonly<Record<string, number>>,
): [string, Float64Array][] {
  const { resamples = 1000, seed = 42, level = 0.95 } = options;
  expectWholeNumber("resamples", resamples);
  if (!(level > 0 && level < 1)) {
    throw new UsageError("level is a share of the values", {
      expected: "a number between 0 and 1",
      found: String(level),
    });
  }
  if (counts.length === 0 || counts.includes(0)) {
    throw new EvaluationError("there are no rows to draw from", { expected: "at least one" });
  }
  const stream = randomStream(seed, randomPurpose("sample"));
  const values = new Map<string, Float64Array>();
  const rows = counts.map((count) => new Int32Array(count));
  for (let draw = 0; draw < resamples; draw++) {
    for (const part of rows) for (let i = 0; i < part.length; i++) part[i] = stream.int(part.length);
    for (const [name, value] of Object.entries(metrics(rows))) {
      let all = values.get(name);
      if (all === undefined) values.set(name, all = new Float64Array(resamples).fill(NaN));
      all[draw] = value;
    }
  }
  // A draw may have no value, such as a correlation of equal scores, and does not count then.
  return [...values].map(([name, all]): [string, Float64Array] => [name, all.filter((value) => !Number.isNaN(value))])
    .filter(([, all]) => all.length > 0);
}

/** Quantiles between neighbours, as numpy's default. */
function intervalOf(values: Float64Array, level = 0.95): Interval {
  const sorted = values.sort();
  const quantile = (share: number) => {
    const place = share * (sorted.length - 1);
    const [low, high] = [sorted[Math.floor(place)]!, sorted[Math.ceil(place)]!];
    return low + (high - low) * (place - Math.floor(place));
  };
  return { low: quantile((1 - level) / 2), high: quantile((1 + level) / 2) };
}

/**
 * Metrics that are means over rows: those of retrieval, accuracies.
 *
 * @param parts Values by row of each part; more than one part where sets are drawn from on their own.
 * @param options What is drawn, in the singular (default row); and what keys of parts begin with, where there are several:
 *   their means have `mean_` before them.
 * @returns Metrics that can be computed on rows drawn anew.
 *
 * @example
 * ```ts
 * import { resampledMeans } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const { metrics } = resampledMeans([{ accuracy: Float64Array.of(1, 0, 1) }]);
 * assert.equal(metrics([Int32Array.of(0, 0, 2)])["accuracy"], 1);
 * ```
 */
export function resampledMeans(
  parts: readonly Readonly<Record<string, Float64Array>>[],
  options: { readonly unit?: string; readonly names?: readonly string[]; readonly mean?: string } = {},
): Resampled {
  const { unit = "row", names = parts.map((_, i) => `${i}`), mean = "mean" } = options;
  return {
    counts: parts.map((part) => Object.values(part)[0]?.length ?? 0),
    unit,
    metrics(rows) {
      const result: Record<string, number> = {};
      const sums: Record<string, number> = {};
      parts.forEach((part, i) => {
        for (const [key, values] of Object.entries(part)) {
          let sum = 0;
          for (const row of rows[i]!) sum += values[row]!;
          const value = sum / rows[i]!.length;
          result[parts.length === 1 && options.names === undefined ? key : `${names[i]}_${key}`] = value;
          sums[key] = (sums[key] ?? 0) + value / parts.length;
        }
      });
      if (options.names !== undefined) {
        for (const [key, sum] of Object.entries(sums)) {
          result[`${mean}_${key}`] = sum;
        }
      }
      return result;
    },
  };
}

/**
 * Correlations of similarities with gold scores, `pearson_…` and `spearman_…`. Of Spearman's, the ranks are those among
 * all rows, so that no draw sorts anew.
 *
 * @param similarities [n] by kind.
 * @param scores [n] gold scores.
 * @returns Metrics that can be computed on rows drawn anew.
 * @throws {EvaluationError} Not as many of each, or a value that is not finite.
 *
 * @example
 * ```ts
 * import { resampledCorrelations } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const { metrics } = resampledCorrelations({ cosine: [.1, .5, .9] }, [0, 1, 2]);
 * assert.ok(Math.abs(metrics([Int32Array.of(0, 1, 2)])["spearman_cosine"]! - 1) < 1e-12);
 * ```
 */
export function resampledCorrelations(similarities: Readonly<Record<string, Values>>, scores: Values): Resampled {
  expectFinite("gold scores", scores);
  for (const [kind, values] of Object.entries(similarities)) expectFinite(kind, values, scores.length);
  const gold = { pearson: centered(scores), spearman: centered(ranks(scores)) };
  const kinds = Object.entries(similarities).map(([kind, values]) =>
    [kind, { pearson: centered(values), spearman: centered(ranks(values)) }] as const
  );
  return {
    counts: [scores.length],
    unit: "row",
    metrics([rows]) {
      const result: Record<string, number> = {};
      for (const [kind, values] of kinds) {
        for (const measure of ["pearson", "spearman"] as const) {
          result[`${measure}_${kind}`] = correlationOf(values[measure], gold[measure], rows!);
        }
      }
      return result;
    },
  };
}

/**
 * Average precision of telling pairs with label 1 from the others by a similarity, `cosine_ap` and so on. Rows are sorted
 * once; a draw only says how often each of them counts.
 *
 * @param similarities [n] by kind.
 * @param labels [n] 1 or 0.
 * @returns Metrics that can be computed on rows drawn anew; not a number where no row drawn has label 1.
 * @throws {EvaluationError} Not as many of each, or a similarity that is not finite.
 *
 * @example
 * ```ts
 * import { resampledAveragePrecision } from "@kindred/kindred/evaluate";
 * import assert from "node:assert/strict";
 * const { metrics } = resampledAveragePrecision({ cosine: [.9, .1, .5] }, [1, 1, 0]);
 * assert.equal(metrics([Int32Array.of(0, 1, 2)])["cosine_ap"], 1 / 2 + 1 / 2 * 2 / 3);
 * ```
 */
export function resampledAveragePrecision(similarities: Readonly<Record<string, Values>>, labels: Values): Resampled {
  for (const [kind, values] of Object.entries(similarities)) expectFinite(kind, values, labels.length);
  const kinds = Object.entries(similarities).map(([kind, values]) => {
    const order = Int32Array.from({ length: labels.length }, (_, row) => row).sort((a, b) => values[b]! - values[a]!);
    return { kind, values, order };
  });
  const times = new Int32Array(labels.length);
  return {
    counts: [labels.length],
    unit: "row",
    metrics([rows]) {
      times.fill(0);
      let positives = 0;
      for (const row of rows!) {
        times[row]!++;
        if (labels[row] === 1) positives++;
      }
      const result: Record<string, number> = {};
      for (const { kind, values, order } of kinds) {
        let [seen, hits, sum] = [0, 0, 0];
        for (let at = 0; at < order.length;) {
          const [before, score] = [hits, values[order[at]!]!];
          for (; at < order.length && values[order[at]!]! === score; at++) {
            seen += times[order[at]!]!;
            if (labels[order[at]!] === 1) hits += times[order[at]!]!;
          }
          if (hits > before) sum += (hits - before) / positives * hits / seen;
        }
        result[`${kind}_ap`] = positives === 0 ? NaN : sum;
      }
      return result;
    },
  };
}

/** Less their mean, so that sums of squares of rows drawn anew lose no digits. */
function centered(values: Values): Float64Array {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return Float64Array.from(values, (value) => value - sum / values.length);
}

/** Pearson's correlation of rows: (Σxy − ΣxΣy/n) / √((Σx² − (Σx)²/n) (Σy² − (Σy)²/n)). */
function correlationOf(x: Float64Array, y: Float64Array, rows: Int32Array): number {
  let [sx, sy, xx, yy, xy] = [0, 0, 0, 0, 0];
  for (const row of rows) {
    const [a, b] = [x[row]!, y[row]!];
    sx += a;
    sy += b;
    xx += a * a;
    yy += b * b;
    xy += a * b;
  }
  const n = rows.length;
  const [ofX, ofY] = [xx - sx * sx / n, yy - sy * sy / n];
  // Of rows that are all alike nothing is left but what rounding left.
  const isConstant = ofX <= n * Number.EPSILON * xx || ofY <= n * Number.EPSILON * yy;
  return isConstant ? NaN : (xy - sx * sy / n) / Math.sqrt(ofX * ofY);
}
