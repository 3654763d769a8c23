/**
 * Compiles the kernels of the cpu engine and writes them, in base64, as one TypeScript module: `deno task build:kernels`.
 * With `--check` it compares instead of writing.
 *
 * The compiler is clang in the package `ziglang` of PyPI: `pip install ziglang==0.17.1`; who uses the library never needs
 * it. It is found as `python3 -m ziglang`, or where the variable ZIG says. It needs no network and gives the same bytes
 * on every machine.
 *
 * @module
 */
import { kernelDispatch, kernelHeader } from "./header.ts";

/** The version that the bytes depend on. */
export const ZIG_VERSION = "0.17.1";

const folder = new URL("../../lib/engine/cpu/kernels/", import.meta.url);
const target = new URL("../../lib/engine/cpu/kernels_wasm.ts", import.meta.url);

/** Flags of the compiler. */
const FLAGS = [
  "-target",
  "wasm32-freestanding",
  "-mcpu=generic+simd128+relaxed_simd+atomics+bulk_memory+nontrapping_fptoint+sign_ext+mutable_globals",
  "-O3",
  "-ffp-contract=off", // FMA is where the source says so, and nowhere else
  "-fno-math-errno",
  "-fno-stack-protector",
  "-mllvm",
  "-pre-RA-sched=source", // the order of the source keeps sums in registers; the scheduler's own spills them
  "-Wall",
  "-Wextra",
  "-Wno-unused-parameter",
  "-Werror",
  "-nostdlib",
  "-g0",
  "-s",
  "-Wl,--no-entry",
  "-Wl,--import-memory",
  "-Wl,--shared-memory",
  "-Wl,--export=__stack_pointer", // every thread has a stack of its own
  "-Wl,--global-base=1024", // below is the control block of the threads
  "-Wl,-z,stack-size=1024",
  "-Wl,--initial-memory=65536",
  "-Wl,--max-memory=4294901760", // 65,535 pages: zig cannot read the 4 GiB themselves,
];

/** How the compiler is called on this machine, or undefined where it is not there in the right version. */
export async function findZig(): Promise<readonly string[] | undefined> {
  const own = Deno.env.get("ZIG");
  for (const command of own === undefined ? [["python3", "-m", "ziglang"], ["zig"]] : [[own]]) {
    const version = await output([...command, "version"]).catch(() => undefined);
    if (version?.trim() === ZIG_VERSION) return command;
  }
  return undefined;
}

async function output(command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const [program, ...args] = command as [string, ...string[]];
  const { success, stdout, stderr } = await new Deno.Command(program, { args, env }).output();
  if (!success) throw new Error(`${program} failed:\n${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** Compiles all sources, each time from nothing. */
async function compile(zig: readonly string[]): Promise<Uint8Array> {
  const sources = [];
  for await (const { name } of Deno.readDir(folder)) if (name.endsWith(".c")) sources.push(name);
  const scratch = await Deno.makeTempDir();
  try {
    const wasm = `${scratch}/kernels.wasm`;
    const files = sources.sort().map((name) => decodeURIComponent(new URL(name, folder).pathname));
    const cache = { ZIG_GLOBAL_CACHE_DIR: `${scratch}/global`, ZIG_LOCAL_CACHE_DIR: `${scratch}/local` };
    await output([...zig, "cc", ...FLAGS, "-o", wasm, ...files], cache);
    return await Deno.readFile(wasm);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** The text of the generated module. */
function moduleOf(binary: Uint8Array): string {
  return [
    "// Generated from lib/engine/cpu/kernels by tools/kernels/build.ts. Do not edit.",
    "/** The WebAssembly module of the kernels, in base64. */",
    "export const KERNELS: string =",
    "  `",
    ...binary.toBase64().match(/.{1,120}/g)!,
    "`;",
    "",
  ].join("\n");
}

/** Writes, or compares, what is generated. */
async function settle(file: URL, text: string, check: boolean): Promise<void> {
  if (!check) await Deno.writeTextFile(file, text);
  else if (text !== await Deno.readTextFile(file)) {
    throw new Error(`${file.pathname} is not what its sources give: run \`deno task build:kernels\``);
  }
}

if (import.meta.main) {
  const check = Deno.args.includes("--check");
  await settle(new URL("table.h", folder), kernelHeader(), check);
  await settle(new URL("dispatch.c", folder), kernelDispatch(), check);
  const zig = await findZig();
  if (zig === undefined) throw new Error(`no zig ${ZIG_VERSION}: \`pip install ziglang==${ZIG_VERSION}\`, or set ZIG`);
  await settle(target, moduleOf(await compile(zig)), check);
}
