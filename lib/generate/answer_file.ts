/**
 * Answers on disk, so that a run that was killed asks only for what is missing.
 *
 * One JSON line an answer, added when it arrives. A line that is no answer (the last one of a process that was killed,
 * or damaged) is passed over and asked again. Two processes may share a file: lines are appended whole.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { GeneratorError } from "../error.ts";
import { isObject } from "../expect.ts";
import type { GeneratedText } from "./generator.ts";

/** An answer as it is kept. */
export type KeptAnswer = Omit<GeneratedText, "cached">;

/** Answers by key; closing it releases the file. */
export interface AnswerFile extends Disposable {
  /** The answer to a request, if there is one. */
  readonly get: (key: string) => KeptAnswer | undefined;
  /** Keeps an answer; it is in the file when this returns. */
  readonly add: (key: string, answer: KeptAnswer) => void;
}

/** The key of a request: sha256 of its JSON with sorted names. */
export function answerKey(body: { readonly [name: string]: unknown }): string {
  const sorted = JSON.stringify(
    body,
    (_, value) =>
      isObject(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1)) : value,
  );
  return createHash("sha256").update(sorted).digest("hex");
}

/**
 * The name of a file for the answers of one model at one endpoint: other endpoints may have another model under its name.
 *
 * @param baseUrl Where the endpoint is; a query, which may hold a key, does not count.
 * @param model The model's name there.
 * @returns Hexadecimal digits, and `.jsonl`.
 */
export function answerFileName(baseUrl: string, model: string): string {
  const url = URL.parse(baseUrl);
  const where = url === null ? baseUrl : url.origin + url.pathname.replace(/\/+$/, "");
  return `${answerKey({ where, model })}.jsonl`;
}

/** Answers in memory alone. */
export function answersInMemory(): AnswerFile {
  const answers = new Map<string, KeptAnswer>();
  return { get: (key) => answers.get(key), add: (key, answer) => void answers.set(key, answer), [Symbol.dispose]() {} };
}

/** Opens a file of answers, or begins one. One that cannot be read or written is a `GeneratorError`. */
export async function openAnswerFile(path: string): Promise<AnswerFile> {
  const answers = new Map<string, KeptAnswer>();
  let file: Deno.FsFile;
  let torn = false;
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    file = await Deno.open(path, { read: true, append: true, create: true });
    try {
      torn = await readAnswers(file, answers);
    } catch (error) {
      file.close();
      throw error;
    }
  } catch (error) {
    throw new GeneratorError("the file of answers cannot be opened", {
      where: path,
      found: (error as Error).message,
      hint: error instanceof Deno.errors.NotCapable
        ? `allow it: --allow-read=${path} --allow-write=${path}`
        : "choose a file in a folder that can be written",
      cause: error,
    });
  }
  return {
    get: (key) => answers.get(key),
    add(key, answer) {
      const line = `${torn ? "\n" : ""}${JSON.stringify({ key, ...answer })}\n`;
      const bytes = new TextEncoder().encode(line);
      try {
        for (let written = 0; written < bytes.length;) written += file.writeSync(bytes.subarray(written));
      } catch (error) {
        torn = true; // the next one starts a line of its own
        throw new GeneratorError("an answer cannot be kept", {
          where: path,
          found: (error as Error).message,
          hint: "make room on the disk and run again: the answers before it are kept",
          cause: error,
        });
      }
      torn = false;
      answers.set(key, answer);
    },
    [Symbol.dispose]: () => file.close(),
  };
}

/**
 * How many lines of a file are answers, and how many are not. A last line without its end counts as what it is.
 *
 * @param path A file of answers.
 * @returns Numbers of lines.
 */
export async function countAnswers(path: string): Promise<{ readonly count: number; readonly others: number }> {
  using file = await Deno.open(path);
  let [count, others] = [0, 0];
  await readLines(file, (line) => {
    if (readLine(line, new Map())) count++;
    else if (line !== "") others++;
  });
  return { count, others };
}

/** Reads the lines that are answers. Returns whether the file ends within a line. */
const readAnswers = (file: Deno.FsFile, answers: Map<string, KeptAnswer>): Promise<boolean> =>
  readLines(file, (line) => readLine(line, answers));

/** Gives every line to `use`. Returns whether the file ends within one. */
async function readLines(file: Deno.FsFile, use: (line: string) => unknown): Promise<boolean> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(1 << 16);
  let rest = "";
  for (let count = await file.read(buffer); count !== null; count = await file.read(buffer)) {
    const lines = (rest + decoder.decode(buffer.subarray(0, count), { stream: true })).split("\n");
    rest = lines.pop()!;
    for (const line of lines) use(line);
  }
  rest += decoder.decode();
  use(rest); // whole but for its end: still an answer
  return rest !== "";
}

/** Takes a line into the answers if it is one. */
function readLine(line: string, answers: Map<string, KeptAnswer>): boolean {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return false;
  }
  const { key, text, finish, usage } = (value ?? {}) as Partial<KeptAnswer> & { readonly key?: unknown };
  if (typeof key !== "string" || typeof text !== "string" || typeof finish !== "string") return false;
  const { prompt, completion, estimated } = usage ?? {};
  if (typeof prompt !== "number" || typeof completion !== "number") return false;
  answers.set(key, { text, finish, usage: { prompt, completion, estimated: estimated === true } });
  return true;
}
