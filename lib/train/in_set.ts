/**
 * Errors of one of several data sets say which.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import type { ErrorDetails, KindredError } from "../error.ts";

/** The same error, with the name of the data set in front of where it is; the name stays where it is there already. */
export function inSet(name: string, error: KindredError): KindredError {
  const { expected, found, where, hint, cause } = error;
  const set = `data set ${name}`;
  if (where?.startsWith(set)) return error;
  const details = { expected, found, hint, cause, where: where === undefined ? set : `${set}: ${where}` };
  const Same = error.constructor as new (summary: string, details: ErrorDetails) => KindredError;
  const given = Object.entries({ ...details, ...("kind" in error && { kind: error.kind }) });
  return new Same(error.summary, Object.fromEntries(given.filter(([, value]) => value !== undefined)));
}

/** An effect about one data set, whose errors say so. */
export const aboutSet = <A, R>(
  name: string,
  effect: Effect.Effect<A, KindredError, R>,
): Effect.Effect<A, KindredError, R> => Effect.mapError(effect, (error) => inSet(name, error));
