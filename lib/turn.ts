/**
 * Long work that lets others have their turn.
 *
 * @module
 */

/** Rounds of the event loop in one turn: what waits often takes some, one after the other. */
const ROUNDS = 4;

/**
 * Gives what waits for the event loop its turn: signals, timers, files, requests. A timer of 0 milliseconds would sleep for
 * more than two, which is a twentieth of the work between two turns.
 */
export async function turn(): Promise<void> {
  for (let i = 0; i < ROUNDS; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
