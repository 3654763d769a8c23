/** An endpoint that misbehaves as told. */
import type { GenerateRequest } from "../../lib/generate/mod.ts";

export const ask = (content: string, rest: Partial<GenerateRequest> = {}): GenerateRequest => ({
  messages: [{ role: "user", content }],
  ...rest,
});

/** Short pauses, so that a test of retries does not wait. */
export const quick = { model: "m", pauseMilliseconds: 1, attempts: 3 } as const;

/** What reached it. */
export interface Received {
  readonly path: string;
  readonly authorization: string | null;
  // deno-lint-ignore no-explicit-any -- JSON of a request
  readonly body: any;
}

/** How one request is answered; `call` counts them from 1. */
export type Handler = (received: Received, call: number, request: Request) => Response | Promise<Response>;

/** A server on this machine alone. */
export interface Endpoint extends AsyncDisposable {
  readonly baseUrl: string;
  readonly received: readonly Received[];
}

export function endpoint(handle: Handler): Endpoint {
  const received: Received[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const now = {
      path: new URL(request.url).pathname,
      authorization: request.headers.get("authorization"),
      body: await request.json(),
    };
    received.push(now);
    return await handle(now, received.length, request);
  });
  return {
    baseUrl: `http://127.0.0.1:${server.addr.port}/v1`,
    received,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A proper completion. */
export function completion(content: unknown, { finish = "stop", usage = true, ...message }: {
  readonly finish?: string;
  readonly usage?: boolean;
  readonly [name: string]: unknown;
} = {}): Response {
  return Response.json({
    id: "1",
    object: "chat.completion",
    choices: [{ index: 0, message: { role: "assistant", content, ...message }, finish_reason: finish }],
    ...(usage && { usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 } }),
  });
}

/** A server of bytes, for what no HTTP server would send. */
export function rawEndpoint(answer: (connection: Deno.Conn, call: number) => Promise<void>): Endpoint {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const received: Received[] = [];
  const serving = (async () => {
    for await (const connection of listener) {
      received.push({ path: "", authorization: null, body: undefined });
      await connection.read(new Uint8Array(1 << 16));
      await answer(connection, received.length).catch(() => {});
      connection.close();
    }
  })();
  return {
    baseUrl: `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}/v1`,
    received,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}
