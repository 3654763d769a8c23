// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * Feeds damaged inputs to every parser: each gives a value or one of Kindred's errors, soon, and the process lives on.
 *
 *     deno run -A tools/fuzz.ts [--inputs 100000] [--seed 1] [--from 0] [NAME…]
 *
 * Inputs are shared out among the parsers whose name begins with one of the names; all by default. The exit code is 1 if
 * anything went wrong; `--from N --inputs 1 NAME` shows one input again.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { emptyTally, feed } from "./fuzz/fuzz.ts";
import { openTargets } from "./fuzz/targets.ts";

const { values, positionals } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: {
    inputs: { type: "string", default: "100000" },
    seed: { type: "string", default: "1" },
    from: { type: "string", default: "0" },
  },
});

const uncaught: string[] = [];
globalThis.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  uncaught.push(`uncaught: ${event.reason?.stack ?? event.reason}`);
});

const folder = await Deno.makeTempDir({ prefix: "kindred-fuzz-" });
let failed = false;
try {
  const targets = (await openTargets(folder))
    .filter(({ name }) => positionals.length === 0 || positionals.some((wanted) => name.startsWith(wanted)));
  const each = Math.max(1, Math.ceil(Number(values.inputs) / targets.length));
  const from = Number(values.from);
  const started = performance.now();
  console.log(`${"parser".padEnd(20)}     read  refused  faults  slowest   memory`);
  let total = 0;
  for (const target of targets) {
    const tally = emptyTally(target.name);
    await feed(target, Number(values.seed), from, from + each, tally);
    await new Promise((resolve) => setTimeout(resolve, 0)); // what is uncaught is told now
    tally.faults.push(...uncaught.splice(0));
    total += each;
    const { read, refused, faults, slowest } = tally;
    const memory = `${Math.round(Deno.memoryUsage().rss / 2 ** 20)} MiB`;
    console.log(
      `${target.name.padEnd(20)} ${`${read}`.padStart(8)} ${`${refused}`.padStart(8)} ${
        `${faults.length}`.padStart(7)
      } ${`${slowest.toFixed(0)} ms`.padStart(8)} ${memory.padStart(8)}`,
    );
    for (const fault of faults.slice(0, 10)) console.log(`  ${fault}`);
    failed ||= faults.length > 0;
  }
  console.log(`${total} inputs in ${((performance.now() - started) / 1000).toFixed(0)} s`);
} finally {
  await Deno.remove(folder, { recursive: true });
}
Deno.exit(failed ? 1 : 0);
