/**
 * How long Kindred waits before it asks a server again.
 *
 * @module
 */

/** What the policy looks at in a failure. */
export interface Passing {
  /** Milliseconds that the server asked for. */
  readonly retryAfter?: number | undefined;
}

/** How patient the policy is. */
export interface Patience<E> {
  /** Attempts in all, the first one included; it may depend on the last failure. */
  readonly attempts: number | ((failure: E) => number);
  /** The first pause in milliseconds. */
  readonly pauseMilliseconds: number;
  /** The longest pause in milliseconds. */
  readonly maxPauseMilliseconds: number;
}

/**
 * The pause after the k-th failure, in milliseconds: pause · 2ᵏ⁻¹ · (½ + u/2), so that many clients do not come back as one;
 * or what the server asked for. Neither is longer than the longest pause.
 *
 * @param k Failures so far, from 1.
 * @param failure What the server asked for, if it did.
 * @param patience The first pause, and the longest.
 * @param u Drawn uniformly from [0, 1).
 * @returns Milliseconds.
 */
export function pauseAfter(
  k: number,
  { retryAfter }: Passing,
  { pauseMilliseconds, maxPauseMilliseconds }: Omit<Patience<never>, "attempts">,
  u: number,
): number {
  if (retryAfter !== undefined) return Math.min(retryAfter, maxPauseMilliseconds);
  return Math.min(pauseMilliseconds * 2 ** (k - 1), maxPauseMilliseconds) * (0.5 + u / 2);
}

/** The header `Retry-After` in milliseconds from `now` on: seconds, or a date; undefined if it says neither. */
export function retryAfter(value: string | null, now: number): number | undefined {
  if (value === null || value.trim() === "") return undefined;
  const milliseconds = Number.isFinite(Number(value)) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : undefined;
}
