/**
 * The line search of Moré and Thuente (1994), as MINPACK-2's `dcsrch` and scipy's L-BFGS-B have it.
 *
 * It seeks a step α with f(α) ≤ f(0) + ftol α f′(0) (enough decrease) and |f′(α)| ≤ gtol |f′(0)| (curvature).
 *
 * @module
 */

/** Tolerances of {@linkcode moreThuente}; the defaults are those of L-BFGS-B. */
export interface LineSearchOptions {
  /** Of the decrease. Default 1e-3. */
  readonly ftol?: number;
  /** Of the curvature. Default 0.9. */
  readonly gtol?: number;
  /** Relative width of the interval at which the search gives up. Default 0.1. */
  readonly xtol?: number;
  /** Longest step. Default 1e10. */
  readonly longest?: number;
}

/** A step, and what is known there. */
interface Point {
  /** Step α. */
  x: number;
  /** f(α) */
  f: number;
  /** f′(α) */
  d: number;
}

/** Takes value and slope at the last step; gives the next step to try, or undefined when the last one is taken. */
export type LineSearch = (value: number, slope: number) => number | undefined;

/**
 * Starts a search from f(0) and f′(0) < 0 with a first step; the result is fed with values there until it is content.
 *
 * @param value f(0)
 * @param slope f′(0), below 0.
 * @param first The first step to try.
 * @param options Tolerances.
 * @returns Takes value and slope at the step that was tried last.
 */
export function moreThuente(value: number, slope: number, first: number, options: LineSearchOptions = {}): LineSearch {
  const { ftol = 1e-3, gtol = 0.9, xtol = 0.1, longest = 1e10 } = options;
  const needed = ftol * slope;
  const best: Point = { x: 0, f: value, d: slope };
  const other: Point = { x: 0, f: value, d: slope };
  let bracketed = false;
  let stage = 1;
  let width = longest;
  let widthBefore = 2 * width;
  let lower = 0;
  let upper = 5 * first;
  let step = first;
  return (f, d) => {
    const allowed = value + step * needed;
    if (stage === 1 && f <= allowed && d >= 0) stage = 2;
    const stuck = bracketed && (step <= lower || step >= upper || upper - lower <= xtol * upper);
    const atEnd = (step === longest && f <= allowed && d <= needed) || (step === 0 && (f > allowed || d >= needed));
    const content = f <= allowed && Math.abs(d) <= gtol * -slope;
    if (stuck || atEnd || content) return undefined;

    const trial: Point = { x: step, f, d };
    // As long as the decrease does not suffice, the search is for a minimum of ψ(α) = f(α) − ftol α f′(0).
    const tilt = stage === 1 && f <= best.f && f > allowed ? needed : 0;
    for (const point of [best, other, trial]) {
      point.f -= point.x * tilt;
      point.d -= tilt;
    }
    [step, bracketed] = nextStep(best, other, trial, bracketed, lower, upper);
    for (const point of [best, other]) {
      point.f += point.x * tilt;
      point.d += tilt;
    }
    if (bracketed) {
      if (Math.abs(other.x - best.x) >= 0.66 * widthBefore) step = best.x + 0.5 * (other.x - best.x);
      widthBefore = width;
      width = Math.abs(other.x - best.x);
      lower = Math.min(best.x, other.x);
      upper = Math.max(best.x, other.x);
    } else {
      lower = step + 1.1 * (step - best.x);
      upper = step + 4 * (step - best.x);
    }
    step = Math.min(Math.max(step, 0), longest);
    if (bracketed && (step <= lower || step >= upper || upper - lower <= xtol * upper)) step = best.x;
    return step;
  };
}

/** `dcstep`: a safeguarded cubic or quadratic step, and the interval (best, other) that holds a minimum. */
function nextStep(
  best: Point,
  other: Point,
  trial: Point,
  bracketed: boolean,
  lower: number,
  upper: number,
): [number, boolean] {
  const signs = Math.sign(trial.d) * Math.sign(best.d);
  const { x: stx, f: fx, d: dx } = best;
  const { x: stp, f: fp, d: dp } = trial;
  const cubic = () => 3 * (fx - fp) / (stp - stx) + dx + dp;
  let step: number;
  if (fp > fx) { // higher: the minimum is between
    const theta = cubic();
    const s = Math.max(Math.abs(theta), Math.abs(dx), Math.abs(dp));
    const gamma = Math.sqrt((theta / s) ** 2 - (dx / s) * (dp / s)) * (stp < stx ? -s : s);
    const ratio = (gamma - dx + theta) / (gamma - dx + gamma + dp);
    const byCubic = stx + ratio * (stp - stx);
    const byQuadratic = stx + dx / ((fx - fp) / (stp - stx) + dx) / 2 * (stp - stx);
    step = Math.abs(byCubic - stx) <= Math.abs(byQuadratic - stx) ? byCubic : byCubic + (byQuadratic - byCubic) / 2;
    bracketed = true;
  } else if (signs < 0) { // lower, and the slope has turned: between, too
    const theta = cubic();
    const s = Math.max(Math.abs(theta), Math.abs(dx), Math.abs(dp));
    const gamma = Math.sqrt((theta / s) ** 2 - (dx / s) * (dp / s)) * (stp > stx ? -s : s);
    const ratio = (gamma - dp + theta) / (gamma - dp + gamma + dx);
    const byCubic = stp + ratio * (stx - stp);
    const bySecant = stp + dp / (dp - dx) * (stx - stp);
    step = Math.abs(byCubic - stp) > Math.abs(bySecant - stp) ? byCubic : bySecant;
    bracketed = true;
  } else if (Math.abs(dp) < Math.abs(dx)) { // lower and flatter
    const theta = cubic();
    const s = Math.max(Math.abs(theta), Math.abs(dx), Math.abs(dp));
    const gamma = Math.sqrt(Math.max(0, (theta / s) ** 2 - (dx / s) * (dp / s))) * (stp > stx ? -s : s);
    const ratio = (gamma - dp + theta) / (gamma + (dx - dp) + gamma);
    const byCubic = ratio < 0 && gamma !== 0 ? stp + ratio * (stx - stp) : stp > stx ? upper : lower;
    const bySecant = stp + dp / (dp - dx) * (stx - stp);
    const cubicIsNearer = Math.abs(byCubic - stp) < Math.abs(bySecant - stp);
    if (bracketed) {
      step = cubicIsNearer ? byCubic : bySecant;
      const bound = stp + 0.66 * (other.x - stp);
      step = stp > stx ? Math.min(bound, step) : Math.max(bound, step);
    } else {
      step = Math.abs(byCubic - stp) > Math.abs(bySecant - stp) ? byCubic : bySecant;
      step = Math.min(Math.max(step, lower), upper);
    }
  } else if (bracketed) { // lower and not flatter
    const theta = 3 * (fp - other.f) / (other.x - stp) + other.d + dp;
    const s = Math.max(Math.abs(theta), Math.abs(other.d), Math.abs(dp));
    const gamma = Math.sqrt((theta / s) ** 2 - (other.d / s) * (dp / s)) * (stp > other.x ? -s : s);
    const ratio = (gamma - dp + theta) / (gamma - dp + gamma + other.d);
    step = stp + ratio * (other.x - stp);
  } else step = stp > stx ? upper : lower;

  if (fp > fx) Object.assign(other, trial);
  else {
    if (signs < 0) Object.assign(other, best);
    Object.assign(best, trial);
  }
  return [step, bracketed];
}
