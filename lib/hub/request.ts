/**
 * Requests to the hub: what may pass is tried again with growing pauses, what will not is an error with a hint.
 *
 * @module
 */
import { HubError } from "../error.ts";

/** How patient a request is. */
export interface Patience {
  /** Failures in a row before giving up. Default 6. */
  readonly attempts?: number | undefined;
  /** Broken or refused connections in a row before giving up. Default: as many as failures. */
  readonly drops?: number | undefined;
  /** First pause between attempts; doubles each time. Default 500. */
  readonly pauseMilliseconds?: number | undefined;
  /** Stops it all. */
  readonly signal?: AbortSignal | undefined;
}

/** A failure that another attempt may cure. */
export class Transient extends Error {
  /** What happened, and the seconds that the hub asked for. */
  constructor(message: string, readonly retryAfter?: number) {
    super(message);
  }
}

/** Whether the connection was refused, or broke. */
export function isDropped(error: unknown): boolean {
  return error instanceof TypeError || error instanceof Deno.errors.Http ||
    error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.ConnectionRefused ||
    error instanceof Deno.errors.ConnectionAborted || error instanceof Deno.errors.UnexpectedEof ||
    error instanceof Deno.errors.BrokenPipe;
}

/** Sends one request; answers that may be better another time are `Transient`, others that are none a `HubError`. */
export async function ask(url: string, headers: Headers, signal: AbortSignal | undefined): Promise<Response> {
  const response = await fetch(url, { headers, signal: signal ?? null });
  const { ok, status } = response;
  if (ok) return response;
  await response.body?.cancel();
  if (status === 408 || status === 416 || status === 429 || status >= 500) {
    const seconds = Number(response.headers.get("retry-after") ?? NaN);
    throw new Transient(`HTTP ${status}`, Number.isFinite(seconds) ? seconds : undefined);
  }
  throw refused(url, status);
}

function refused(url: string, status: number): HubError {
  const hints: Record<number, string> = {
    401: "set HF_TOKEN to a token that may read this repository",
    403: "accept the repository's terms on its page, and set HF_TOKEN",
    404: "check the name and the revision",
  };
  const hint = hints[status];
  return new HubError("the hub refused", { where: url, found: `HTTP ${status}`, ...(hint !== undefined && { hint }) });
}

/**
 * Does the work until it succeeds or patience ends; then the last failure is thrown. Work that `progressed` since it was
 * last called starts counting anew.
 */
export async function patiently<A>(
  work: () => Promise<A>,
  { attempts = 6, drops = attempts, pauseMilliseconds = 500, signal }: Patience,
  progressed: () => boolean = () => false,
): Promise<A> {
  for (let failures = 1;; failures++) {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof Transient || isDropped(error))) throw error;
      if (progressed()) failures = 1;
      if (failures >= (error instanceof Transient ? attempts : drops)) throw error;
      const pause = error instanceof Transient && error.retryAfter !== undefined
        ? error.retryAfter * 1000
        : pauseMilliseconds * 2 ** (failures - 1) * (0.5 + Math.random() / 2);
      await delay(Math.min(pause, 60_000), signal);
    }
  }
}

/** Waits, unless the signal comes first. */
export function delay(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
  });
}

/** Ends a request during which nothing arrives for too long. */
export interface Watch extends Disposable {
  /** To be given to the request. */
  readonly signal: AbortSignal;
  /** Something arrived. */
  readonly touch: () => void;
  /** The error of a request that ended: `Transient` if it was for the silence. */
  readonly explain: (error: unknown) => unknown;
}

/** Watches a request. `signal` still stops it. */
export function watch(milliseconds: number, signal: AbortSignal | undefined): Watch {
  const silence = new AbortController();
  const stop = () => silence.abort();
  let timer = setTimeout(stop, milliseconds);
  return {
    signal: signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]),
    touch: () => {
      clearTimeout(timer);
      timer = setTimeout(stop, milliseconds);
    },
    explain: (error) =>
      silence.signal.aborted && !signal?.aborted
        ? new Transient(`nothing arrived for ${milliseconds / 1000} s`)
        : error,
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}
