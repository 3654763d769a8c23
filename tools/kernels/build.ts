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
import { unpack } from "../../lib/engine/cpu/native.ts";
import { kernelDispatch, kernelHeader } from "./header.ts";

/** The version that the bytes depend on. */
export const ZIG_VERSION = "0.17.1";

const folder = new URL("../../lib/engine/cpu/kernels/", import.meta.url);

/** What all compilations have. */
const FLAGS = [
  "-O3",
  "-ffp-contract=off", // FMA is where the source says so, and nowhere else
  "-fno-math-errno",
  "-fno-stack-protector",
  "-fvisibility=hidden",
  "-Wall",
  "-Wextra",
  "-Wno-unused-parameter",
  "-Wno-psabi", // vectors wider than a register are passed within one file only
  "-Werror",
  "-nostdlib",
  "-g0",
];

/** A library, or the module, that is built. */
export interface Target {
  /** Flags that name the machine. */
  readonly machine: readonly string[];
  /** Sets of instructions by the name that the sources know them by. */
  readonly levels: Readonly<Record<string, readonly string[]>>;
  /** What is compiled once. */
  readonly sources: readonly string[];
  /** Flags of the linker. */
  readonly link: readonly string[];
}

const X64 = {
  sse42: ["-mcpu=x86_64+sse4_2"],
  avx2: ["-mcpu=x86_64+avx2+fma"],
  avx512: ["-mcpu=x86_64+avx2+fma+avx512f+avx512bw+avx512dq+avx512vl"],
  avx512bf16: ["-mcpu=x86_64+avx2+fma+avx512f+avx512bw+avx512dq+avx512vl+avx512bf16"],
};
/** Tiles need the system's leave, which is asked for on Linux alone. */
const TILES = {
  amx: [
    "-mcpu=x86_64+avx2+fma+avx512f+avx512bw+avx512dq+avx512vl+avx512bf16+avx512vnni+amx_tile+amx_bf16+amx_int8",
  ],
};
const ARM64 = { neon: [] };
/** Whether a processor has it is the system's to say, and Windows does not. */
const ARM64_BF16 = { ...ARM64, neonbf16: ["-mcpu=generic+dotprod+i8mm+bf16"] };
const NATIVE = { sources: ["native.c", "threads.c"] };
const ELF = ["-shared", "-s", "-Wl,-z,nodelete", "-Wl,-z,undefs", "-Wl,--build-id=none"];
const DYLIB = ["-shared", "-s", "-lSystem", "-Wl,-install_name,kernels.dylib"];
const DLL = ["-shared", "-s", "-lkernel32", "-lapi-ms-win-core-synch-l1-2-0"];

/** Generated module → what is in it. */
export const TARGETS: Readonly<Record<string, Target>> = {
  wasm: {
    machine: [
      "-target",
      "wasm32-freestanding",
      "-mcpu=generic+simd128+relaxed_simd+atomics+bulk_memory+nontrapping_fptoint+sign_ext+mutable_globals",
      "-mllvm",
      "-pre-RA-sched=source", // the order of the source keeps sums in registers; the scheduler's own spills them
    ],
    levels: { wasm: [] },
    sources: ["threads.c"],
    link: [
      "-s",
      "-Wl,--no-entry",
      "-Wl,--import-memory",
      "-Wl,--shared-memory",
      "-Wl,--export=__stack_pointer", // every thread has a stack of its own
      "-Wl,--global-base=1024", // below is the control block of the threads
      "-Wl,-z,stack-size=1024",
      "-Wl,--initial-memory=65536",
      "-Wl,--max-memory=4294901760", // 65,535 pages: zig cannot read the 4 GiB themselves,
    ],
  },
  linux_x86_64: {
    ...NATIVE,
    machine: ["-target", "x86_64-linux-none", "-fPIC"],
    levels: { ...X64, ...TILES },
    link: ELF,
  },
  linux_aarch64: { ...NATIVE, machine: ["-target", "aarch64-linux-none", "-fPIC"], levels: ARM64_BF16, link: ELF },
  darwin_x86_64: { ...NATIVE, machine: ["-target", "x86_64-macos.11.0"], levels: X64, link: DYLIB },
  darwin_aarch64: { ...NATIVE, machine: ["-target", "aarch64-macos.11.0"], levels: ARM64_BF16, link: DYLIB },
  windows_x86_64: { ...NATIVE, machine: ["-target", "x86_64-windows-gnu"], levels: X64, link: DLL },
  windows_aarch64: { ...NATIVE, machine: ["-target", "aarch64-windows-gnu"], levels: ARM64, link: DLL },
};

/** How the compiler is called on this machine, or undefined where it is not there in the right version. */
export async function findZig(): Promise<readonly string[] | undefined> {
  const own = Deno.env.get("ZIG");
  for (const command of own === undefined ? [["python3", "-m", "ziglang"], ["zig"]] : [[own]]) {
    const version = await output([...command, "version"]).catch(() => undefined);
    if (version?.trim() === ZIG_VERSION) return command;
  }
  return undefined;
}

/** What a command says, if it ends well. */
export async function output(command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const [program, ...args] = command as [string, ...string[]];
  const { success, stdout, stderr } = await new Deno.Command(program, { args, env }).output();
  if (!success) throw new Error(`${program} failed:\n${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

/** Compiles one library, each time from nothing; with `more` flags it is another one than is kept. */
export async function compile(
  zig: readonly string[],
  { machine, levels, sources, link }: Target,
  more: readonly string[] = [],
): Promise<Uint8Array<ArrayBuffer>> {
  const scratch = await Deno.makeTempDir();
  const cache = {
    ZIG_GLOBAL_CACHE_DIR: `${scratch}/global`,
    ZIG_LOCAL_CACHE_DIR: `${scratch}/local`,
    SOURCE_DATE_EPOCH: "0", // Windows' libraries say when they were linked
  };
  const compileTo = async (name: string, source: string, flags: readonly string[]) => {
    const object = `${scratch}/${name}.o`;
    const file = decodeURIComponent(new URL(source, folder).pathname);
    await output([...zig, "cc", ...FLAGS, ...machine, ...flags, ...more, "-c", "-o", object, file], cache);
    return object;
  };
  try {
    const objects = await Promise.all([
      ...Object.entries(levels).map(([level, flags]) => compileTo(level, "level.c", [...flags, `-DLEVEL=${level}`])),
      ...sources.map((source) => compileTo(source, source, [])),
    ]);
    const library = `${scratch}/kernels.dylib`; // its name is part of what macOS wants signed
    await output([...zig, "cc", "-nostdlib", "-g0", ...machine, ...link, "-o", library, ...objects], cache);
    return await Deno.readFile(library);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

/** Where each lies in the repository: WebAssembly as it is, so that it starts at once; libraries compressed. */
const moduleOf = (name: string) => new URL(`../../lib/engine/cpu/binaries/${name}.ts`, import.meta.url);
const isPacked = (name: string) => name !== "wasm";

/** What the generated module of this name holds. */
async function committed(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const { KERNELS } = await import(moduleOf(name).href) as { KERNELS: string };
  return isPacked(name) ? await unpack(KERNELS) : Uint8Array.fromBase64(KERNELS);
}

/** Writes the module. */
async function write(name: string, binary: Uint8Array<ArrayBuffer>): Promise<void> {
  const packed = new Blob([binary]).stream().pipeThrough(new CompressionStream("gzip"));
  const bytes = isPacked(name) ? new Uint8Array(await new Response(packed).arrayBuffer()) : binary;
  const text = [
    "// Generated from lib/engine/cpu/kernels by tools/kernels/build.ts. Do not edit.",
    `/** The kernels for ${name}, ${isPacked(name) ? "by gzip and " : ""}in base64. */`,
    "export const KERNELS: string =",
    "  `",
    ...bytes.toBase64().match(/.{1,120}/g)!,
    "`;",
    "",
  ];
  await Deno.writeTextFile(moduleOf(name), text.join("\n"));
}

/** Writes, or compares, what is generated from the table. */
async function settle(file: URL, text: string, check: boolean): Promise<void> {
  if (!check) await Deno.writeTextFile(file, text);
  else if (text !== await Deno.readTextFile(file)) refuse(file.pathname);
}

function refuse(what: string): never {
  throw new Error(`${what} is not what its sources give: run \`deno task build:kernels\``);
}

if (import.meta.main) {
  const check = Deno.args.includes("--check");
  const wanted = Deno.args.filter((arg) => arg in TARGETS);
  await settle(new URL("table.h", folder), kernelHeader(), check);
  await settle(new URL("dispatch.c", folder), kernelDispatch(), check);
  const zig = await findZig();
  if (zig === undefined) throw new Error(`no zig ${ZIG_VERSION}: \`pip install ziglang==${ZIG_VERSION}\`, or set ZIG`);
  for (const [name, target] of Object.entries(TARGETS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const binary = await compile(zig, target);
    if (!check) await write(name, binary);
    else if (binary.toHex() !== (await committed(name)).toHex()) refuse(`the library for ${name}`);
    // deno-lint-ignore no-console
    console.log(name, binary.length, "bytes");
  }
}
