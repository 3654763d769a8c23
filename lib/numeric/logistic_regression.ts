/**
 * Logistic regression on embeddings, as scikit-learn's `LogisticRegression()` fits it.
 *
 * For n rows x with classes y, and K classes:
 *
 *     minimise  −(1/n) Σᵢ log softmax(W xᵢ + b)[yᵢ]  +  ‖W‖² / (2 C n)
 *
 * by L-BFGS from 0, with the intercept b unpenalised; with two classes one weight vector and the logistic function, as
 * there. Often the iterations run out before it converges (768 features of embeddings that are not normalised): then the
 * result is a point of the path, which is why the path is scipy's. All in float64; scikit-learn keeps float32 embeddings
 * in float32, which moves scores by rounding only.
 *
 * @module
 */
import { EvaluationError } from "../error.ts";
import type { Values } from "./correlation.ts";
import { minimize } from "./lbfgs.ts";
import type { Matrix } from "./matrix.ts";
import { addTransposedTimes, timesTransposed } from "./products.ts";
import { turnTaker } from "./turn.ts";

/** Options of {@linkcode fitLogisticRegression}; the defaults are scikit-learn's. */
export interface LogisticRegressionOptions {
  /** Inverse strength of the penalty. Default 1. */
  readonly inverseRegularization?: number;
  /** Iterations at most. Default 100. */
  readonly maxIterations?: number;
  /** It ends where no entry of the gradient is larger. Default 1e-4. */
  readonly tolerance?: number;
}

/** A fitted classifier. */
export interface LogisticRegression {
  /** The classes, in ascending order. */
  readonly classes: readonly number[];
  /** [K · width] weights, or [width] of the second class if there are two. */
  readonly weights: Float64Array;
  /** [K] intercepts, or one. */
  readonly intercepts: Float64Array;
  /** Iterations it took. */
  readonly iterations: number;
  /** False where the iterations ran out. */
  readonly converged: boolean;
}

/**
 * Fits the classifier to rows of embeddings and their classes.
 *
 * @param rows Embeddings, or any features: [n, width].
 * @param labels [n] the class of each row, a number; at least two different ones.
 * @param options Penalty and limits.
 * @returns The classifier, for {@linkcode predictClasses}.
 * @throws {EvaluationError} Another number of labels than of rows, no rows, or a single class.
 *
 * @example
 * ```ts
 * import { fitLogisticRegression, predictClasses } from "@kindred/kindred/numeric";
 * import assert from "node:assert/strict";
 * const rows = { data: Float32Array.of(1, 0, .9, .1, 0, 1, .2, .8), width: 2, rows: 4 };
 * const model = await fitLogisticRegression(rows, [7, 7, 3, 3]);
 * assert.deepEqual([...await predictClasses(model, rows)], [7, 7, 3, 3]);
 * ```
 */
export async function fitLogisticRegression(
  rows: Matrix,
  labels: Values,
  options: LogisticRegressionOptions = {},
): Promise<LogisticRegression> {
  const { inverseRegularization = 1, maxIterations = 100, tolerance = 1e-4 } = options;
  const { rows: n, width: d } = rows;
  if (labels.length !== n || n === 0) {
    throw new EvaluationError("there is not one label for each row", {
      expected: `${n} labels, at least one`,
      found: `${labels.length}`,
    });
  }
  const classes = [...new Set(Array.from(labels))].sort((a, b) => a - b);
  if (classes.length < 2) {
    throw new EvaluationError("a classifier needs at least two classes", { found: `only class ${classes[0]}` });
  }
  const index = new Map(classes.map((name, i) => [name, i]));
  const y = Int32Array.from(labels, (label) => index.get(label)!);
  const x = Float64Array.from(rows.data);
  const penalty = 1 / (inverseRegularization * n);
  const k = classes.length === 2 ? 1 : classes.length;
  const scores = new Float64Array(n * k);

  const lossOf = k === 1 ? logisticLoss : softmaxLoss;
  const evaluate = (parameters: Float64Array, gradient: Float64Array): number => {
    const weights = parameters.subarray(0, k * d);
    const weightGradient = gradient.subarray(0, k * d);
    linear(scores, x, weights, parameters.subarray(k * d), n, d);
    let loss = lossOf(scores, y, n, k); // scores become gradients
    let squares = 0;
    for (let i = 0; i < weights.length; i++) {
      squares += weights[i]! * weights[i]!;
      weightGradient[i] = penalty * weights[i]!;
    }
    addTransposedTimes(weightGradient, scores, x, n, k, d);
    gradient.fill(0, k * d);
    for (let i = 0; i < n; i++) for (let c = 0; c < k; c++) gradient[k * d + c]! += scores[i * k + c]!;
    return loss += 0.5 * penalty * squares;
  };
  const { x: parameters, iterations, converged } = await minimize(evaluate, new Float64Array(k * (d + 1)), {
    maxIterations,
    gtol: tolerance,
    ftol: 64 * Number.EPSILON,
    maxLineSearch: 50,
  });
  return {
    classes,
    weights: parameters.slice(0, k * d),
    intercepts: parameters.slice(k * d),
    iterations,
    converged,
  };
}

/** Rows whose classes are predicted at once: only they are in float64. */
const CHUNK = 512;

/**
 * The class of every row by a fitted classifier: that of the highest score W x + b, the first of equal ones.
 *
 * @param model From {@linkcode fitLogisticRegression}.
 * @param seen Embeddings of the width of the fit: [n, width].
 * @returns [n] classes, as they were called at the fit.
 * @throws {EvaluationError} Embeddings of another width.
 *
 * @example
 * ```ts
 * import { fitLogisticRegression, predictClasses } from "@kindred/kindred/numeric";
 * import assert from "node:assert/strict";
 * const known = { data: Float32Array.of(1, 0, 0.9, 0.1, 0, 1, 0.2, 0.8), width: 2, rows: 4 };
 * const model = await fitLogisticRegression(known, [7, 7, 3, 3]);
 * const seen = { data: Float32Array.of(0, 0.7, 2, 0.3), width: 2, rows: 2 };
 * assert.deepEqual([...await predictClasses(model, seen)], [3, 7]);
 * ```
 */
export async function predictClasses(
  model: LogisticRegression,
  seen: Matrix,
): Promise<Float64Array> {
  const { data, width, rows } = seen;
  const { classes, weights, intercepts } = model;
  const k = intercepts.length;
  if (weights.length !== k * width) {
    throw new EvaluationError("the embeddings do not have the width of those that were fitted", {
      expected: `${weights.length / k} features`,
      found: `${width}`,
    });
  }
  const turn = turnTaker();
  const predicted = new Float64Array(rows);
  const scores = new Float64Array(CHUNK * k);
  const x = new Float64Array(CHUNK * width);
  for (let start = 0; start < rows; start += CHUNK) {
    await turn();
    const count = Math.min(CHUNK, rows - start);
    x.set(data.subarray(start * width, (start + count) * width));
    linear(scores, x, weights, intercepts, count, width);
    for (let i = 0; i < count; i++) {
      let best = 0;
      if (k === 1) best = scores[i]! > 0 ? 1 : 0;
      else for (let c = 1; c < k; c++) if (scores[i * k + c]! > scores[i * k + best]!) best = c;
      predicted[start + i] = classes[best]!;
    }
  }
  return predicted;
}

/** scores [n, k] = x [n, d] · weights [k, d]ᵀ + intercepts [k] */
function linear(
  scores: Float64Array,
  x: Float64Array,
  weights: Float64Array,
  intercepts: Float64Array,
  n: number,
  d: number,
): void {
  const k = intercepts.length;
  timesTransposed(scores, x, weights, n, k, d);
  for (let i = 0; i < n; i++) for (let c = 0; c < k; c++) scores[i * k + c]! += intercepts[c]!;
}

/** Mean of −log softmax(s)[y]; the scores become (softmax(s) − onehot(y)) / n. */
function softmaxLoss(scores: Float64Array, y: Int32Array, n: number, k: number): number {
  let loss = 0;
  for (let i = 0; i < n; i++) {
    const row = i * k;
    let most = scores[row]!;
    for (let c = 1; c < k; c++) most = Math.max(most, scores[row + c]!);
    let sum = 0;
    const own = scores[row + y[i]!]!;
    for (let c = 0; c < k; c++) sum += scores[row + c] = Math.exp(scores[row + c]! - most);
    loss += Math.log(sum) + most - own;
    for (let c = 0; c < k; c++) scores[row + c]! /= sum * n;
    scores[row + y[i]!]! -= 1 / n;
  }
  return loss / n;
}

/** Mean of log(1 + eˢ) − y s; the scores become (σ(s) − y) / n. */
function logisticLoss(scores: Float64Array, y: Int32Array, n: number): number {
  let loss = 0;
  for (let i = 0; i < n; i++) {
    const s = scores[i]!;
    const small = Math.exp(-Math.abs(s));
    loss += Math.log1p(small) + Math.max(s, 0) - y[i]! * s;
    scores[i] = ((s >= 0 ? 1 : small) / (1 + small) - y[i]!) / n;
  }
  return loss / n;
}
