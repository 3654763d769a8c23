/**
 * One thing at a time: an engine's arenas nest, so computations must not interleave.
 *
 * @module
 */
import { EngineError } from "../error.ts";

/** Requests that wait for their turn, small ones together. */
export interface Turns<Request, Result> {
  /** Waits for the turn of a request, and its result. */
  readonly ask: (request: Request) => Promise<Result>;
  /** Whoever waits, and whoever comes later, gets an `EngineError`. */
  readonly close: () => void;
}

/**
 * @param together The number of requests at the head of those that wait that can be answered at once: at least 1.
 * @param answer Answers them, in their order.
 * @returns A queue of requests.
 */
export function turns<Request, Result>(
  together: (waiting: readonly Request[]) => number,
  answer: (requests: readonly Request[]) => Promise<readonly Result[]>,
): Turns<Request, Result> {
  interface Waiting {
    readonly request: Request;
    readonly resolve: (result: Result) => void;
    readonly reject: (error: unknown) => void;
  }
  let waiting: Waiting[] = [];
  let isWorking = false;
  let isClosed = false;
  const closed = () => new EngineError("the model is closed", { hint: "open it again" });
  const work = async () => {
    isWorking = true;
    await Promise.resolve(); // requests of the same moment go together
    while (waiting.length > 0) {
      const now = waiting.splice(0, together(waiting.map(({ request }) => request)));
      try {
        const results = await answer(now.map(({ request }) => request));
        now.forEach(({ resolve }, i) => resolve(results[i]!));
      } catch (error) {
        for (const { reject } of now) reject(error);
      }
    }
    isWorking = false;
  };
  return {
    ask: (request) =>
      new Promise((resolve, reject) => {
        if (isClosed) return reject(closed());
        waiting.push({ request, resolve, reject });
        if (!isWorking) void work();
      }),
    close() {
      isClosed = true;
      for (const { reject } of waiting) reject(closed());
      waiting = [];
    },
  };
}
