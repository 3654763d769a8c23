/**
 * Requests to the hub: what may pass is tried again with growing pauses, what will not is an error with a hint.
 *
 * @module
 */
import { setTimeout } from "node:timers/promises";
import { type Passing, pauseAfter, retryAfter } from "../pause.ts";
import { HubError } from "../error.ts";

/** How patient a request is. */
export interface RequestPatience {
  /** Failures in a row before giving up. Default 6. */
  readonly attempts?: number | undefined;
  /** Broken or refused connections in a row before giving up. Default: as many as failures. */
  readonly drops?: number | undefined;
  /** First pause between attempts in milliseconds; doubles each time. Default 500. */
  readonly pauseMilliseconds?: number | undefined;
  /** A connection that brings less than 1 KiB a second for so many milliseconds is given up. Default 60,000. */
  readonly silenceMilliseconds?: number | undefined;
  /** Stops it all. */
  readonly signal?: AbortSignal | undefined;
}

/** A failure that another attempt may cure. */
export class Transient extends Error implements Passing {
  /** Milliseconds that the hub asked for. */
  readonly retryAfter: number | undefined;
  /** Whether the connection was refused, or broke. */
  readonly isDrop: boolean;

  /** What happened, and what is known about it. */
  constructor(message: string, { retryAfter, isDrop = false }: Passing & { readonly isDrop?: boolean } = {}) {
    super(message);
    this.retryAfter = retryAfter;
    this.isDrop = isDrop;
  }
}

/** A request under way. It ends when too little arrives for too long. */
export interface Answer extends Disposable {
  /** Status and headers. */
  readonly response: Response;
  /** The body as it arrives. */
  readonly chunks: () => AsyncGenerator<Uint8Array<ArrayBuffer>>;
}

/** What a connection must bring, in bytes per second. */
const MINIMUM_RATE = 1024;

/**
 * Sends one request, with the token if there is one.
 *
 * @throws Transient for answers that may be better another time, and broken connections.
 * @throws HubError for other answers that are none.
 */
export async function ask(
  url: string,
  headers: Headers,
  token: string | undefined,
  { signal, silenceMilliseconds = 60_000 }: RequestPatience,
): Promise<Answer> {
  if (token !== undefined) authorize(headers, token);
  const watched = watch(silenceMilliseconds, signal);
  try {
    const request = new Request(url, { headers, signal: watched.signal });
    const response = await watched.over(() => fetch(request));
    watched.arrived(Infinity); // the hub may think for a while before it speaks
    if (!response.ok) throw await refusal(url, response);
    return { response, chunks: () => watched.bytes(response), [Symbol.dispose]: watched[Symbol.dispose] };
  } catch (error) {
    watched[Symbol.dispose]();
    throw error;
  }
}

function authorize(headers: Headers, token: string): void {
  try {
    headers.set("authorization", `Bearer ${token}`);
  } catch {
    // The engine's own error would show the token.
    throw new HubError("the access token holds characters that HTTP cannot send", {
      expected: "letters, digits and signs of ASCII",
      hint: "check HF_TOKEN, or the file with the token",
    });
  }
}

async function refusal(url: string, response: Response): Promise<Error> {
  await response.body?.cancel();
  const { status, headers } = response;
  if (status === 408 || status === 416 || status === 429 || status >= 500) {
    return new Transient(`HTTP ${status}`, { retryAfter: retryAfter(headers.get("retry-after"), Date.now()) });
  }
  const hints: Record<number, string> = {
    401: "set HF_TOKEN to a token that may read this repository",
    403: "accept the repository's terms on its page, and set HF_TOKEN",
    404: "check the name and the revision",
  };
  const hint = hints[status];
  return new HubError("the hub refused", { where: url, found: `HTTP ${status}`, ...(hint !== undefined && { hint }) });
}

/**
 * Does the work until it succeeds or patience ends; then the last failure is thrown. Work that `progressed` in its last
 * attempt starts counting anew. An attempt ends by itself when the signal comes: its files and locks are not taken away
 * under it.
 */
export async function patiently<A>(
  work: () => Promise<A>,
  { attempts = 6, drops = attempts, pauseMilliseconds = 500, signal }: RequestPatience,
  progressed: () => boolean = () => false,
): Promise<A> {
  let failures = 0;
  while (true) {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof Transient)) throw error;
      const anew = progressed();
      failures = anew ? 0 : failures + 1;
      if (!anew && failures >= (error.isDrop ? drops : attempts)) throw error;
      const maxPauseMilliseconds = anew ? pauseMilliseconds : 60_000;
      const patience = { pauseMilliseconds, maxPauseMilliseconds };
      await delay(pauseAfter(Math.max(1, failures), error, patience, Math.random()), signal);
    }
  }
}

/** Waits, unless the signal comes first. */
export async function delay(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await setTimeout(milliseconds, undefined, { signal }).catch(() => signal?.throwIfAborted());
}

/** A request that is watched. */
interface Watch extends Disposable {
  /** To be given to the request. */
  readonly signal: AbortSignal;
  /** So many bytes arrived. */
  readonly arrived: (count: number) => void;
  /** Does something on the connection; failures of it are `Transient`, and no others. */
  readonly over: <A>(work: () => Promise<A>) => Promise<A>;
  /** The body of the answer. */
  readonly bytes: (response: Response) => AsyncGenerator<Uint8Array<ArrayBuffer>>;
}

/** Looks at the end of every period whether enough arrived in it. `signal` still stops the request. */
function watch(milliseconds: number, signal: AbortSignal | undefined): Watch {
  const silence = new AbortController();
  const enough = MINIMUM_RATE * milliseconds / 1000;
  let count = 0;
  const timer = setInterval(() => {
    if (count < enough) silence.abort();
    count = 0;
  }, milliseconds);
  const explain = (error: unknown): unknown => {
    if (signal?.aborted) return error;
    if (silence.signal.aborted) return new Transient(`next to nothing arrived for ${milliseconds / 1000} s`);
    return isBroken(error) ? new Transient(error.message, { isDrop: true }) : error;
  };
  const over = async <A>(work: () => Promise<A>): Promise<A> => {
    try {
      return await work();
    } catch (error) {
      throw explain(error);
    }
  };
  return {
    signal: signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]),
    arrived: (bytes) => void (count += bytes),
    over,
    bytes: async function* (response) {
      const reader = response.body?.getReader();
      if (reader === undefined) return;
      try {
        while (true) {
          const { value, done } = await over(() => reader.read());
          if (done) return;
          count += value.length;
          yield value;
        }
      } finally {
        await reader.cancel().catch(() => {}); // nobody reads the rest
      }
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** What `fetch` and the reading of its body throw when the connection does not come about, or breaks. */
function isBroken(error: unknown): error is Error {
  return error instanceof TypeError || error instanceof Deno.errors.Http ||
    error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.ConnectionRefused ||
    error instanceof Deno.errors.ConnectionAborted || error instanceof Deno.errors.UnexpectedEof ||
    error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.TimedOut;
}
