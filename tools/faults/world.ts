/**
 * Runs of a pipeline in worlds of their own: a cache and an output folder each, disturbed from outside, and compared with
 * a run that nothing disturbed.
 *
 * @module
 */
import { join } from "node:path";
import { randomPurpose, randomStream } from "../../lib/engine/philox.ts";

/** A training that has something to lose: checkpoints, evaluations, the best weights. */
const TRAINING: readonly string[] = [
  ...["--limit", "3000", "--max-steps", "60", "--save-steps", "5", "--eval-steps", "20", "--logging-steps", "1"],
  ...["--keep-best", "spearman_cosine"],
];

/** How a run ended. */
export interface Ending {
  /** Exit code. */
  readonly code: number;
  /** Seconds it took. */
  readonly seconds: number;
  /** Seconds from the disturbance to the end; 0 where it ended before. */
  readonly after: number;
  /** What it wrote to standard error. */
  readonly said: string;
}

/** What every fault may use. */
export interface World {
  /** Folder for whatever a fault needs; it goes at the end. */
  readonly folder: string;
  /** A number from 0 to 1, seeded. */
  readonly chance: () => number;
  /** Seconds an undisturbed run takes. */
  readonly whole: number;
  /** What an undisturbed run makes. */
  readonly expected: Product;
}

/** What must be equal: the weights, the curve of the loss, the evaluations. */
export interface Product {
  /** Bytes of the model's weights. */
  readonly weights: Uint8Array;
  /** Steps, samples, tokens, losses, metrics and evaluations as text. */
  readonly course: string;
}

/** What a fault comes to: one row of the table. */
export interface Finding {
  /** What was done. */
  readonly fault: string;
  /** How often. */
  readonly tried: number;
  /** What went wrong; empty where nothing did. */
  readonly failures: readonly string[];
  /** What else is worth knowing. */
  readonly note: string;
}

/** How a run is disturbed. */
export interface Disturbance {
  /** Sends this signal. */
  readonly signal?: Deno.Signal;
  /** After so many seconds. */
  readonly after?: number;
  /** Other flags than those of the training. */
  readonly flags?: readonly string[];
  /** Another cache than the world's own. */
  readonly cache?: string;
  /** Variables of the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Ends it by force after so many seconds: it hangs. Default 120. */
  readonly limit?: number;
}

/** Runs the pipeline in the world of this name, and waits for its end. */
export async function run(folder: string, name: string, disturbance: Disturbance = {}): Promise<Ending> {
  return await start(folder, name, disturbance).ended;
}

/** Starts the pipeline in the world of this name. */
export function start(folder: string, name: string, disturbance: Disturbance = {}): {
  readonly ended: Promise<Ending>;
  readonly kill: (signal: Deno.Signal) => void;
} {
  const { signal, after = 0, flags = TRAINING, env = {}, limit = 120 } = disturbance;
  const cache = disturbance.cache ?? join(folder, name, "cache");
  const pipeline = new URL("../../pipelines/multiple_negatives_ranking.ts", import.meta.url).href;
  const started = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", pipeline, ...flags, "--cache-dir", cache, "--output", join(folder, name, "output")],
    stdout: "null",
    stderr: "piped",
    env: { ...env },
  }).spawn();
  const said = new Response(child.stderr).text();
  let sent = Infinity;
  const kill = (signal: Deno.Signal) => {
    sent = performance.now();
    try {
      child.kill(signal);
    } catch {
      // It has ended already.
    }
  };
  const timers = [
    ...(signal === undefined ? [] : [setTimeout(() => kill(signal), 1000 * after)]),
    setTimeout(() => kill("SIGKILL"), 1000 * limit),
  ];
  const ended = child.status.then(async ({ code }) => {
    timers.forEach(clearTimeout);
    const now = performance.now();
    return { code, seconds: (now - started) / 1000, after: Math.max(0, now - sent) / 1000, said: await said };
  });
  return { ended, kill };
}

/** What the run in this world has made. */
export async function productOf(folder: string, name: string): Promise<Product> {
  const output = join(folder, name, "output");
  const report = JSON.parse(await Deno.readTextFile(join(output, "report.json")));
  const { training: { steps, samples, tokens, loss }, metrics, evaluations } = report;
  return {
    weights: await Deno.readFile(join(output, "model", "model.safetensors")),
    course: JSON.stringify({ steps, samples, tokens, loss, metrics, evaluations }),
  };
}

/** How a product differs from what it should be; undefined: not at all. */
export function differenceOf(found: Product, expected: Product): string | undefined {
  const same = found.weights.length === expected.weights.length &&
    found.weights.every((byte, i) => byte === expected.weights[i]);
  if (!same) return "other weights";
  return found.course === expected.course ? undefined : "another course of training";
}

/** Makes a world: one undisturbed run, which the others are compared with. */
export async function openWorld(seed: number): Promise<World> {
  const folder = await Deno.makeTempDir({ prefix: "kindred-faults-" });
  const { code, seconds, said } = await run(folder, "undisturbed");
  if (code !== 0) throw new Error(`the undisturbed run ended with exit code ${code}\n${said}`);
  const stream = randomStream(seed, randomPurpose("sample"));
  return { folder, chance: () => stream.uniform(), whole: seconds, expected: await productOf(folder, "undisturbed") };
}

/** All files below a folder. */
export async function* filesBelow(folder: string): AsyncGenerator<string> {
  if (!await Deno.stat(folder).then(() => true, () => false)) return; // nothing was written
  for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
    if (isDirectory) yield* filesBelow(join(folder, name));
    else if (isFile) yield join(folder, name);
  }
}

/** The last line of an error, for a failure. */
export const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";
