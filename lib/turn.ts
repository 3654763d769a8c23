/**
 * Long work that lets others have their turn.
 *
 * @module
 */

/** Milliseconds of a turn: what waits takes many rounds of the event loop, one after the other, and help of other threads. */
const LENGTH = 0.75;

/**
 * Gives what waits for the event loop its turn: signals, timers, files, requests. A timer of 0 milliseconds would sleep for
 * more than two.
 */
export async function turn(): Promise<void> {
  const end = performance.now() + LENGTH;
  do await new Promise<void>((resolve) => setImmediate(resolve)); while (performance.now() < end);
}
