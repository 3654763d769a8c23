// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * How much of the cpu kernels the conformance suite sees: their sources are changed in one place at a time (a sign, a
 * bound, an index, a constant, a statement that is missing), compiled, and compared with the definitions. What nobody
 * notices is printed: a case is missing, or the change is none (a bound that only makes work, a padding).
 *
 * `deno run -A tools/mutate_kernels.ts [--count 120] [--seed 1] [--file attention.c]`
 *
 * @module
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Engine } from "../lib/engine/engine.ts";
import { randomPurpose, randomStream } from "../lib/engine/philox.ts";
import { check } from "../tests/engine/conformance/case.ts";
import { checkBlocks, checkOrder } from "../tests/engine/conformance/protocol.ts";
import { table } from "../tests/engine/conformance/table.ts";

const root = decodeURIComponent(new URL("..", import.meta.url).pathname);
/** Where the kernels' sources are, below the root. */
const SOURCES = "lib/engine/cpu/kernels";
/** What is written by the build itself. */
const GENERATED = new Set(["dispatch.c", "table.h"]);
/** Seconds after which a mutant is taken for one that never ends. */
const PATIENCE = 40;
/** Mutants after which the process that runs them is another one: each reserves four gigabytes of addresses. */
const PER_PROCESS = 20;

interface Change {
  readonly what: string;
  readonly pattern: RegExp;
  readonly by: (found: string) => string;
}

const swap = (a: string, b: string): Change[] => [
  { what: `${a} → ${b}`, pattern: new RegExp(`(?<= )${escape(a)}(?= )`, "g"), by: () => b },
  { what: `${b} → ${a}`, pattern: new RegExp(`(?<= )${escape(b)}(?= )`, "g"), by: () => a },
];
const escape = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** One way each to be wrong. */
const CHANGES: readonly Change[] = [
  ...swap("+", "-"),
  ...swap("*", "/"),
  ...swap("<", "<="),
  ...swap(">", ">="),
  ...swap("==", "!="),
  ...swap("&&", "||"),
  ...swap("+=", "-="),
  ...swap("&", "|"),
  { what: "* → +", pattern: /(?<=[\w)\]] )\*(?= [\w(])/g, by: () => "+" },
  { what: "a whole number more", pattern: /(?<![\w.])\d+(?![\w.])/g, by: (n) => `${Number(n) + 1}` },
  { what: "a whole number less", pattern: /(?<![\w.])[1-9]\d*(?![\w.])/g, by: (n) => `${Number(n) - 1}` },
  {
    what: "a number a hundredth larger",
    pattern: /(?<![\w.])\d+\.\d+(e-?\d+)?(?=f?\b)/g,
    by: (n) => `${Number(n) * 1.01}`,
  },
  { what: "the other sign", pattern: /(?<=[(,=?:] ?)-(?=[\w(])/g, by: () => "" },
  { what: "another index", pattern: /\bi\b/g, by: () => "j" },
  { what: "another index", pattern: /\bj\b/g, by: () => "i" },
  { what: "another bound", pattern: /\blesser\b/g, by: () => "greater" },
  { what: "another bound", pattern: /\bgreater\b/g, by: () => "lesser" },
  { what: "no statement", pattern: /(?<=^ *)[A-Za-z_*][^;{}]* [-+]?= [^;{}]*;$/gm, by: () => ";" },
  { what: "no call", pattern: /(?<=^ *)[a-z]\w*\([^;{}]*\);$/gm, by: () => ";" },
];

interface Mutant {
  readonly file: string;
  readonly line: number;
  readonly what: string;
  readonly before: string;
  readonly after: string;
  readonly text: string;
}

/** Characters of comments, directives and text, which are no code. */
function codeOf(text: string): boolean[] {
  const code = new Array<boolean>(text.length).fill(true);
  for (const { index, 0: found } of text.matchAll(/\/\/.*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\])*"|^#.*$/gm)) {
    code.fill(false, index, index + found.length);
  }
  return code;
}

/** All that can be changed in a file. */
function mutantsOf(file: string, text: string): Mutant[] {
  const code = codeOf(text);
  const lineAt = (index: number) => text.slice(0, index).split("\n").length;
  return CHANGES.flatMap(({ what, pattern, by }) =>
    [...text.matchAll(pattern)].filter(({ index }) => code[index]).map(({ index, 0: found }) => {
      const changed = text.slice(0, index) + by(found) + text.slice(index + found.length);
      const line = lineAt(index);
      const [before, after] = [text, changed].map((source) => source.split("\n")[line - 1]!.trim());
      return { file, line, what, before: before!, after: after!, text: changed };
    })
  );
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory, isFile } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(join(from, name), join(to, name));
    else if (isFile) await Deno.copyFile(join(from, name), join(to, name));
  }
}

/** A copy of what the kernels are built from and run by. */
async function copyOf(folder: string): Promise<void> {
  for (const name of ["lib/engine", "tools/kernels"]) await copyFolder(join(root, name), join(folder, name));
  await Deno.copyFile(join(root, "deno.json"), join(folder, "deno.json"));
  for await (const { name, isFile } of Deno.readDir(join(root, "lib"))) {
    if (isFile) await Deno.copyFile(join(root, "lib", name), join(folder, "lib", name));
  }
}

async function build(folder: string): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "-A", "--no-check", "--no-lock", join(folder, "tools/kernels/build.ts"), "wasm"],
    stdout: "null",
    stderr: "null",
  }).output();
  return success;
}

/** Another process that runs mutants, each in its folder. */
interface Runner {
  /** The case that found it, "" for none, or undefined where it did not come to an end. */
  readonly run: (folder: string, threads: number) => Promise<string | undefined>;
  readonly stop: () => void;
}

function startRunner(): Runner {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      "--no-lock",
      "--config",
      join(root, "deno.json"),
      import.meta.filename!,
      "--child",
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  const line = async (): Promise<string> => {
    while (!rest.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) return "crash";
      rest += value;
    }
    const [first, ...others] = rest.split("\n");
    rest = others.join("\n");
    return first!;
  };
  const ready = line(); // the definitions are computed once
  return {
    async run(folder, threads) {
      await ready;
      await writer.write(new TextEncoder().encode(`${threads} ${folder}\n`)).catch(() => {});
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<undefined>((resolve) => timer = setTimeout(() => resolve(undefined), 1000 * PATIENCE));
      const answer = await Promise.race([line(), late]);
      clearTimeout(timer);
      return answer;
    },
    stop() {
      try {
        child.kill("SIGKILL");
      } catch {
        // it has ended
      }
    },
  };
}

/** Runs mutants whose folders come in, and answers with the case that found each. */
async function serve(): Promise<void> {
  for (const cases of Object.values(table)) for (const each of cases) each.expected();
  console.log("ready");
  let rest = "";
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    rest += text;
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      const [threads, folder] = rest.slice(0, end).split(" ") as [string, string];
      rest = rest.slice(end + 1);
      console.log(await findFault(folder, Number(threads)));
    }
  }
}

/** The first case that an engine does not pass, or "". */
async function findFault(folder: string, threads: number): Promise<string> {
  const { createCpuEngine } = await import(`file://${folder}/lib/engine/cpu/engine.ts`) as {
    createCpuEngine: (options: object) => Engine;
  };
  let name = "the start";
  let engine: Engine | undefined;
  try {
    engine = createCpuEngine({ threads, logitBytes: 4 * 700 });
    if (threads > 1) await new Promise((resolve) => setTimeout(resolve, 500)); // until the others have started
    for (const cases of Object.values(table)) {
      for (const each of cases) {
        name = each.name;
        await check(engine, each);
      }
    }
    name = "blocks";
    await checkBlocks(engine);
    name = "order";
    await checkOrder(engine);
    return "";
  } catch {
    return name;
  } finally {
    engine?.close();
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      count: { type: "string", default: "120" },
      seed: { type: "string", default: "1" },
      file: { type: "string", default: "" },
    },
  });
  const [count, seed, only] = [Number(values.count), Number(values.seed), values.file];
  const folder = await Deno.makeTempDir();
  try {
    await copyOf(folder);
    const sources = [...Deno.readDirSync(join(root, SOURCES))].map(({ name }) => name).sort()
      .filter((name) => /\.[ch]$/.test(name) && !GENERATED.has(name) && (only === "" || name === only));
    const all = sources.flatMap((name) => mutantsOf(name, Deno.readTextFileSync(join(root, SOURCES, name))));
    const chosen = randomStream(seed, randomPurpose("sample")).shuffle(all);
    console.log(`${all.length} places in ${sources.length} files; ${count} of them, seed ${seed}`);
    let runner = startRunner();
    let [done, lost, ended, stillborn, same] = [0, 0, 0, 0, 0];
    const survivors: Mutant[] = [];
    const original = await Deno.readTextFile(join(root, "lib/engine/cpu/binaries/wasm.ts"));
    for (const mutant of chosen) {
      if (done === count) break;
      const place = join(folder, `mutant${done + stillborn + same}`);
      await copyOf(place);
      await Deno.writeTextFile(join(place, SOURCES, mutant.file), mutant.text);
      if (!await build(place)) stillborn++;
      else if (await Deno.readTextFile(join(place, "lib/engine/cpu/binaries/wasm.ts")) === original) same++;
      else {
        const found = await runner.run(place, mutant.file === "threads.c" ? 2 : 1);
        done++;
        if (found === "") survivors.push(mutant);
        else if (found === undefined || found === "crash") ended++;
        else lost++;
        if (found === undefined || found === "crash" || done % PER_PROCESS === 0) {
          runner.stop();
          runner = startRunner();
        }
        const fate = found === "" ? "UNNOTICED" : found === undefined ? "never ends" : found;
        console.log(`${done}. ${mutant.file}:${mutant.line} ${mutant.what}: ${mutant.after} — ${fate}`);
      }
      await Deno.remove(place, { recursive: true });
    }
    runner.stop();
    console.log(
      `${done} mutants: ${lost} found by a case, ${ended} never ended or broke the process, ${survivors.length} unnoticed; ` +
        `beside them ${stillborn} did not compile and ${same} compiled to the same bytes`,
    );
    for (const { file, line, what, before, after } of survivors) {
      console.log(`${file}:${line} ${what}\n  - ${before}\n  + ${after}`);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) await (Deno.args.includes("--child") ? serve() : main());
