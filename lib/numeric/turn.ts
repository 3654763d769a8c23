/**
 * Turns of the event loop within long computations, so that Ctrl-C, progress and timers work.
 *
 * @module
 */

/** A function to be awaited now and then: it gives the event loop a turn if the last one is `milliseconds` ago. */
export function turnTaker(milliseconds = 50): () => Promise<void> | void {
  let last = performance.now();
  return () => {
    if (performance.now() - last < milliseconds) return;
    return new Promise((resolve) =>
      setTimeout(() => {
        last = performance.now();
        resolve();
      }, 0)
    );
  };
}
