/**
 * What an endpoint's reply means: an answer, a failure that may pass, or one that will not.
 *
 * Endpoints that speak OpenAI's chat completions differ in how they fail: JSON of several shapes, plain text, the HTML
 * of a proxy in between.
 *
 * @module
 */
import { isObject } from "../expect.ts";
import { retryAfter } from "../pause.ts";
import { GeneratorError, type GeneratorFailure } from "../error.ts";

/** A reply over HTTP, its body read to the end. */
export interface HttpReply {
  /** The status. */
  readonly status: number;
  /** The headers. */
  readonly headers: Headers;
  /** The body. */
  readonly body: string;
}

/** What it means. `again`: asking again may help, not before `retryAfter` milliseconds if it says so. */
export type Reply =
  | {
    readonly kind: "answer";
    readonly text: string;
    readonly finish: string;
    readonly usage: { readonly prompt: number; readonly completion: number } | undefined;
  }
  | { readonly kind: "again"; readonly error: GeneratorError; readonly retryAfter?: number | undefined }
  | { readonly kind: "final"; readonly error: GeneratorError; readonly retryAfter?: undefined };

/** Reads a reply that came from `where`; `now` is the time for a `Retry-After` that names a date. */
export function readReply({ status, headers, body }: HttpReply, where: string, now: number): Reply {
  if (status >= 200 && status < 300) return readCompletion(headers, body, where);
  const said = serverMessage(headers, body);
  const found = `HTTP ${status}${said === "" ? "" : `: ${said}`}`;
  const error = (message: string, kind: GeneratorFailure, hint: string | undefined) =>
    new GeneratorError(message, { kind, where, found, ...(hint !== undefined && { hint }) });
  if (status >= 300 && status < 400) {
    const target = headers.get("location");
    const hint = target === null ? undefined : `if that is right, use the base URL that leads to ${target}`;
    return { kind: "final", error: error("the endpoint points elsewhere", "refused", hint) };
  }
  const isSpent = status === 429 && /insufficient_quota/.test(body); // money, not pace
  if (!isSpent && (status === 408 || status === 425 || status === 429 || status >= 500)) {
    const failed = error("the endpoint failed again and again", "unavailable", undefined);
    return { kind: "again", error: failed, retryAfter: retryAfter(headers.get("retry-after"), now) };
  }
  const hints: Record<number, string> = {
    401: "set the API key that this endpoint wants",
    403: "this API key may not use this model or endpoint",
    404: "check the model's name, and the base URL: most end in /v1",
    405: "check the base URL: most end in /v1",
    413: "the prompt is too long for the endpoint",
    429: "the account has no quota left",
  };
  return { kind: "final", error: error("the endpoint refused", "refused", hints[status]) };
}

function readCompletion(headers: Headers, body: string, where: string): Reply {
  const again = (message: string, found: string, hint?: string): Reply => ({
    kind: "again",
    error: new GeneratorError(message, {
      kind: "answer",
      where,
      expected: "JSON with choices[0].message.content",
      found,
      ...(hint !== undefined && { hint }),
    }),
  });
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    const type = headers.get("content-type")?.split(";")[0] ?? "no content type";
    const hint = isHtml(headers, body)
      ? "that is a web page: check the base URL, most end in /v1, and proxies in between"
      : undefined;
    return again("the reply is not JSON", `${type}: ${body === "" ? "nothing" : serverMessage(headers, body)}`, hint);
  }
  const { choices, usage, error } = (isObject(json) ? json : {}) as Record<string, unknown>;
  if (!Array.isArray(choices) || !isObject(choices[0])) {
    // Some proxies report failures under status 200.
    return again("the reply holds no choice", error === undefined ? excerpt(body) : serverMessage(headers, body));
  }
  const [choice] = choices as [Record<string, unknown>];
  const message = isObject(choice.message) ? choice.message : {};
  const finish = typeof choice.finish_reason === "string" ? choice.finish_reason : "stop";
  const final = (what: string, found: string, hint: string): Reply => ({
    kind: "final",
    error: new GeneratorError(what, { kind: "answer", where, found, hint }),
  });
  if (finish === "content_filter" || typeof message.refusal === "string") {
    return final(
      "the endpoint will not answer this prompt",
      String(message.refusal ?? finish),
      "leave this prompt out",
    );
  }
  const content = contentOf(message.content);
  if (content === undefined || content === "") {
    if (finish === "length") {
      return final("the tokens were used up before the answer", "an empty answer", "allow more tokens for an answer");
    }
    if (finish === "tool_calls") return final("a tool call instead of an answer", finish, "ask for plain text");
    if (content === undefined) return again("the reply holds no text", excerpt(body));
  }
  return { kind: "answer", text: withoutThoughts(content!), finish, usage: usageOf(usage) };
}

/** Text, or the texts of its parts. */
function contentOf(content: unknown): string | undefined {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return undefined;
  return content.map((part) => isObject(part) && typeof part.text === "string" ? part.text : "").join("");
}

/** The answer alone: reasoning models of some endpoints write their thoughts in front of it. */
export function withoutThoughts(text: string): string {
  return text.replace(/^\s*<think>[\s\S]*?<\/think>\s*/, "");
}

function usageOf(usage: unknown): { prompt: number; completion: number } | undefined {
  if (!isObject(usage)) return undefined;
  const { prompt_tokens: prompt, completion_tokens: completion } = usage;
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && value as number >= 0;
  return isCount(prompt) && isCount(completion) ? { prompt, completion } : undefined;
}

/** What a failure says: `{error: {message}}`, `{error}`, `{message}`, `{detail}`, a page's title, or how it begins. */
function serverMessage(headers: Headers, body: string): string {
  if (isHtml(headers, body)) {
    const title = body.match(/<title[^>]*>([^<]*)/i)?.[1]?.trim();
    return title ? `a web page, “${excerpt(title)}”` : "a web page";
  }
  try {
    const json: unknown = JSON.parse(body);
    if (isObject(json)) {
      const said = (isObject(json.error) ? json.error.message : json.error) ?? json.message ?? json.detail;
      if (said !== undefined) return excerpt(typeof said === "string" ? said : JSON.stringify(said));
    }
  } catch { /* plain text */ }
  return excerpt(body);
}

function isHtml(headers: Headers, body: string): boolean {
  return /text\/html/.test(headers.get("content-type") ?? "") || /^\s*<(!doctype|html)/i.test(body);
}

function excerpt(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}
