/**
 * The bridge from promises that throw Kindred's errors to effects that fail with them.
 *
 * @module
 */
import { Effect } from "effect";
import { KindredError } from "./error.ts";

/** Runs a promise: a {@linkcode KindredError} becomes the failure, anything else is a defect (a bug of ours). */
export function attempt<A>(run: (signal: AbortSignal) => PromiseLike<A>): Effect.Effect<A, KindredError> {
  return Effect.tryPromise({ try: run, catch: (error) => error }).pipe(
    Effect.catch((error) => error instanceof KindredError ? Effect.fail(error) : Effect.die(error)),
  );
}
