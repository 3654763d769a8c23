/**
 * How Kindred waits before it asks a server again: one policy for all that it asks.
 *
 * @module
 */
import { Duration, Effect, Random, Schedule } from "effect";

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
 * The pauses between attempts: pause · 2ᵏ⁻¹ · u after the k-th failure, u uniform in [½, 1) so that many clients do not come
 * back as one; or what the server asked for. Neither is longer than the longest pause.
 */
export function backoff<E extends Passing>(patience: Patience<E>): Schedule.Schedule<Duration.Duration, E> {
  const { attempts, pauseMilliseconds, maxPauseMilliseconds } = patience;
  const allowed = typeof attempts === "number" ? () => attempts : attempts;
  const longest = Duration.millis(maxPauseMilliseconds);
  return Schedule.exponential(pauseMilliseconds).pipe(
    Schedule.setInputType<E>(),
    Schedule.while(({ attempt, input }) => attempt < allowed(input)),
    Schedule.modifyDelay(({ duration, input: { retryAfter } }) =>
      retryAfter !== undefined
        ? Effect.succeed(Duration.min(Duration.millis(retryAfter), longest))
        : Effect.map(Random.next, (u) => Duration.times(Duration.min(duration, longest), 0.5 + u / 2))
    ),
  );
}

/** The header `Retry-After` in milliseconds from `now` on: seconds, or a date; undefined if it says neither. */
export function retryAfter(value: string | null, now: number): number | undefined {
  if (value === null || value.trim() === "") return undefined;
  const milliseconds = Number.isFinite(Number(value)) ? Number(value) * 1000 : Date.parse(value) - now;
  return Number.isFinite(milliseconds) ? Math.max(0, milliseconds) : undefined;
}
