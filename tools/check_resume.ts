// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * Kills a training pipeline at random moments, again and again, and compares what it makes in the end with an undisturbed
 * run, byte by byte:
 *
 *     deno run -A tools/check_resume.ts [--kills 10] [--interrupts 3] [--seed 1] [PIPELINE FLAGS…]
 *
 * Default pipeline: multiple_negatives_ranking on the sample with the WebAssembly product. Killed means SIGKILL;
 * interrupted means SIGINT, which must end the process with code 130 after it has saved a checkpoint.
 *
 * @module
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { randomPurpose, randomStream } from "../lib/engine/philox.ts";

const FLAGS = [
  ...["--gemm", "wasm", "--limit", "3000", "--max-steps", "60", "--save-steps", "5", "--eval-steps", "20"],
  ...["--logging-steps", "1", "--keep-best", "spearman_cosine"],
];

interface Ending {
  readonly code: number;
  readonly seconds: number;
  /** Seconds from the signal to the end. */
  readonly after: number;
  /** The last line of progress. */
  readonly last: string;
}

const { values, positionals } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  strict: false,
  options: {
    kills: { type: "string", default: "10" },
    interrupts: { type: "string", default: "3" },
    seed: { type: "string", default: "1" },
  },
});
const pipeline = (positionals[0] ?? "multiple_negatives_ranking").replace(/\.ts$/, "");
const given = Deno.args.slice(Deno.args.indexOf(positionals[0] ?? "") + 1);
const flags = positionals.length > 0 && given.length > 0 ? given : FLAGS;
const work = await Deno.makeTempDir({ prefix: "kindred-resume-" });
const file = new URL(`../pipelines/${pipeline}.ts`, import.meta.url).href;
const chance = randomStream(Number(values.seed), randomPurpose("sample"));

/** Runs the pipeline in a world of its own; sends a signal after some seconds, if there is one. */
async function run(world: string, signal?: Deno.Signal, after = 0): Promise<Ending> {
  const started = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", file, ...flags],
      ...["--cache-dir", join(work, world, "cache"), "--output", join(work, world, "output")],
    ],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const text = new Response(child.stderr).text();
  let sent = Infinity;
  const timer = signal && setTimeout(() => {
    sent = performance.now();
    child.kill(signal);
  }, 1000 * after);
  const { code } = await child.status;
  clearTimeout(timer);
  const ended = performance.now();
  if (code !== 0 && !(signal !== undefined && sent < Infinity)) throw new Error(`exit code ${code}\n${await text}`);
  const lines = (await text).trim().split("\n").filter((line) => line !== "" && !line.startsWith("interrupted"));
  const last = (lines.at(-1) ?? "").replace(/ {2}.*/, "");
  return { code, seconds: (ended - started) / 1000, after: Math.max(0, ended - sent) / 1000, last };
}

/** What must be equal: the weights, the curve of the loss, the evaluations. */
async function product(world: string): Promise<{ weights: Uint8Array; course: string }> {
  const output = join(work, world, "output");
  const report = JSON.parse(await Deno.readTextFile(join(output, "report.json")));
  const { training: { steps, samples, tokens, loss }, metrics, evaluations } = report;
  return {
    weights: await Deno.readFile(join(output, "model", "model.safetensors")),
    course: JSON.stringify({ steps, samples, tokens, loss, metrics, evaluations }),
  };
}

/** Disturbs runs so many times in all, each as often as it takes; compares what each comes to. */
async function disturbed(name: string, signal: Deno.Signal, times: number, whole: number): Promise<void> {
  const expected = await product("undisturbed");
  let [slowest, runs] = [0, 0];
  for (let done = 0; done < times; runs++) {
    const world = `${name}-${runs}`;
    let here = 0;
    for (let ended = false; !ended; here++) {
      const after = whole * (0.1 + 0.5 * chance.uniform());
      const { code, after: late, last } = done < times ? await run(world, signal, after) : await run(world);
      ended = code === 0;
      if (ended) break;
      done++;
      slowest = Math.max(slowest, late);
      console.log(`${signal} after ${after.toFixed(1)} s (${last}): exit code ${code}, ${late.toFixed(2)} s later`);
      if (signal === "SIGINT" && code !== 130) throw new Error(`exit code ${code} instead of 130`);
    }
    const found = await product(world);
    const same = found.weights.length === expected.weights.length &&
      found.weights.every((byte, i) => byte === expected.weights[i]);
    if (!same) throw new Error(`${signal}: the weights differ`);
    if (found.course !== expected.course) throw new Error(`${signal}: ${found.course}\ninstead of ${expected.course}`);
    console.log(
      `after ${here} × ${signal}: weights (${found.weights.length} bytes), loss curve, evaluations identical`,
    );
  }
  console.log(`${times} × ${signal} over ${runs} runs; ${slowest.toFixed(2)} s from the signal to the end at most`);
}

try {
  const { seconds } = await run("undisturbed");
  console.log(`undisturbed: ${pipeline} ${flags.join(" ")}: ${seconds.toFixed(1)} s`);
  await disturbed("killed", "SIGKILL", Number(values.kills), seconds);
  await disturbed("interrupted", "SIGINT", Number(values.interrupts), seconds);
} finally {
  await Deno.remove(work, { recursive: true });
}
