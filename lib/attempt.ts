/**
 * The bridge from functions that throw Kindred's errors to effects that fail with them.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { type KindredError, knownError } from "./error.ts";

/**
 * Runs a promise: a {@linkcode KindredError} becomes the failure, and so do a missing permission and a full disk; anything
 * else is a defect (a bug of ours).
 */
export function attempt<A>(run: (signal: AbortSignal) => PromiseLike<A>): Effect.Effect<A, KindredError> {
  return Effect.catch(Effect.tryPromise({ try: run, catch: (error) => error }), told);
}

/** The same for a function that does not wait. */
export function attemptSync<A>(run: () => A): Effect.Effect<A, KindredError> {
  return Effect.catch(Effect.try({ try: run, catch: (error) => error }), told);
}

const told = (error: unknown): Effect.Effect<never, KindredError> => {
  const known = knownError(error);
  return known === undefined ? Effect.die(error) : Effect.fail(known);
};
