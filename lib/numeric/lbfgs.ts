/**
 * L-BFGS: minimising a smooth function from its gradients, along the path that scipy's L-BFGS-B takes without bounds.
 *
 * Byrd, Lu, Nocedal & Zhu 1995, version 3.0; the direction is computed by Nocedal's two loops (1980), which is the same
 * in exact arithmetic.
 *
 * @module
 */
import { EvaluationError } from "../error.ts";
import { moreThuente } from "./line_search.ts";
import { turnTaker } from "./turn.ts";

/** Options of {@linkcode minimize}; the defaults are those of `scipy.optimize.minimize`. */
export interface MinimizeOptions {
  /** Pairs of steps and gradient changes that are remembered. Default 10. */
  readonly memory?: number;
  /** Iterations at most. Default 15000. */
  readonly maxIterations?: number;
  /** Steps of one line search at most. Default 20. */
  readonly maxLineSearch?: number;
  /** It ends where no entry of the gradient is larger. Default 1e-5. */
  readonly gtol?: number;
  /** It ends where (f − f′) / max(|f|, |f′|, 1) is no larger. Default 2.2e-9. */
  readonly ftol?: number;
}

/** Where the search ended. */
export interface Minimum {
  /** The point. */
  readonly x: Float64Array;
  /** Its value. */
  readonly value: number;
  /** Iterations. */
  readonly iterations: number;
  /** Calls of the function. */
  readonly evaluations: number;
  /** False: it ended because of a limit, or because the line search found nothing better. */
  readonly converged: boolean;
}

const EPSILON = Number.EPSILON;

/**
 * Finds a minimum of a smooth function from its gradients. The event loop gets a turn every 50 ms.
 *
 * @param evaluate Writes the gradient at x into its second argument, and returns the value there.
 * @param start Where to begin; it is not changed.
 * @param options Memory and limits.
 * @returns The point, its value, and how the search ended: `converged` is false where a limit ended it.
 * @throws {EvaluationError} The function is not finite at the start.
 *
 * @example
 * ```ts
 * import { minimize } from "@kindred/kindred/numeric";
 * import assert from "node:assert/strict";
 * const { x } = await minimize((x, gradient) => {
 *   gradient[0] = 2 * (x[0]! - 3);
 *   return (x[0]! - 3) ** 2;
 * }, new Float64Array(1));
 * assert.ok(Math.abs(x[0]! - 3) < 1e-5);
 * ```
 */
export async function minimize(
  evaluate: (x: Float64Array, gradient: Float64Array) => number,
  start: Float64Array,
  options: MinimizeOptions = {},
): Promise<Minimum> {
  const { memory = 10, maxIterations = 15000, maxLineSearch = 20, gtol = 1e-5, ftol = 1e7 * EPSILON } = options;
  const turn = turnTaker();
  const n = start.length;
  const x = start.slice();
  const gradient = new Float64Array(n);
  const [xBefore, gradientBefore, direction] = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
  let pairs: Pair[] = [];
  let scale = 1; // θ: the Hessian starts from θ I
  let value = evaluate(x, gradient);
  let evaluations = 1;
  let iterations = 0;
  const result = (converged: boolean): Minimum => ({ x, value, iterations, evaluations, converged });
  if (!Number.isFinite(value)) throw new EvaluationError("the function to minimise is not finite at the start");
  if (largest(gradient) <= gtol) return result(true);

  while (true) {
    await turn();
    newtonDirection(direction, gradient, pairs, scale);
    const slope = dot(gradient, direction);
    xBefore.set(x);
    gradientBefore.set(gradient);
    const valueBefore = value;
    let step: number | undefined = iterations === 0 ? Math.min(1 / Math.sqrt(dot(direction, direction)), 1e10) : 1;
    let slopeThere = slope;
    let taken = step;
    let found = false;
    if (slope < 0) {
      const search = moreThuente(value, slope, step);
      for (let tries = 0; tries < maxLineSearch; tries++) {
        taken = step;
        for (let i = 0; i < n; i++) x[i] = xBefore[i]! + taken * direction[i]!;
        value = evaluate(x, gradient);
        evaluations++;
        slopeThere = dot(gradient, direction);
        step = search(value, slopeThere);
        if (step === undefined) {
          found = true;
          break;
        }
      }
    }
    if (!found) {
      x.set(xBefore);
      gradient.set(gradientBefore);
      value = valueBefore;
      if (pairs.length === 0) return result(false);
      pairs = []; // once more along the gradient
      scale = 1;
      continue;
    }
    iterations++;
    if (iterations >= maxIterations) return result(false);
    if (largest(gradient) <= gtol) return result(true);
    if (valueBefore - value <= ftol * Math.max(Math.abs(valueBefore), Math.abs(value), 1)) return result(true);

    const curvature = (slopeThere - slope) * taken;
    if (curvature <= EPSILON * -slope * taken) continue; // the pair would spoil positive definiteness
    const oldest = pairs.length === memory ? pairs.shift() : undefined;
    const pair = {
      step: oldest?.step ?? new Float64Array(n),
      change: oldest?.change ?? new Float64Array(n),
      curvature,
    };
    for (let i = 0; i < n; i++) {
      pair.step[i] = taken * direction[i]!;
      pair.change[i] = gradient[i]! - gradientBefore[i]!;
    }
    pairs.push(pair);
    scale = dot(pair.change, pair.change) / curvature;
  }
}

/** s, y and sᵀy of an iteration. */
interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly curvature: number;
}

/** direction = −H g, H the inverse Hessian that the pairs stand for. */
function newtonDirection(direction: Float64Array, gradient: Float64Array, pairs: readonly Pair[], scale: number): void {
  for (let i = 0; i < direction.length; i++) direction[i] = -gradient[i]!;
  const weights = new Float64Array(pairs.length);
  for (let k = pairs.length - 1; k >= 0; k--) {
    const { step, change, curvature } = pairs[k]!;
    weights[k] = dot(step, direction) / curvature;
    add(direction, change, -weights[k]!);
  }
  for (let i = 0; i < direction.length; i++) direction[i]! /= scale;
  for (let k = 0; k < pairs.length; k++) {
    const { step, change, curvature } = pairs[k]!;
    add(direction, step, weights[k]! - dot(change, direction) / curvature);
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function add(target: Float64Array, values: Float64Array, weight: number): void {
  for (let i = 0; i < target.length; i++) target[i]! += weight * values[i]!;
}

function largest(values: Float64Array): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]!));
  return most;
}
