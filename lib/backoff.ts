/**
 * How Kindred waits before it asks a server again: one policy for all that it asks.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import * as Random from "effect/Random";
import * as Schedule from "effect/Schedule";
import { type Passing, type Patience, pauseAfter } from "./pause.ts";

/** The policy for effects. */
export function backoff<E extends Passing>(patience: Patience<E>): Schedule.Schedule<number, E> {
  const { attempts } = patience;
  const allowed = typeof attempts === "number" ? () => attempts : attempts;
  return Schedule.forever.pipe(
    Schedule.setInputType<E>(),
    Schedule.while(({ attempt, input }) => attempt < allowed(input)),
    Schedule.modifyDelay(({ attempt, input }) =>
      Effect.map(Random.next, (u) => pauseAfter(attempt, input, patience, u))
    ),
  );
}
