// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * Whether the libraries for other systems give the bits of this one: all cases of the suite of conformance, by Deno itself
 * for that system, under an emulator. For Linux.
 *
 * ```sh
 * apt install qemu-user-static libc6-arm64-cross libgcc-s1-arm64-cross wine64
 * npm pack @deno/linux-arm64-glibc @deno/win32-x64 # and unpack them
 * deno run -A tools/kernels/elsewhere.ts linux_aarch64 DENO
 * deno run -A tools/kernels/elsewhere.ts windows_x86_64 DENO.exe
 * ```
 *
 * `--by "COMMAND …"` names another emulator or processor: QEMU's `cortex-a72` has no bf16.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { openNativeKernels } from "../../lib/engine/cpu/native.ts";
import { type Bits, bitsOn, type Found } from "./bits.ts";
import { findZig, output, ZIG_VERSION } from "./build.ts";

const EMULATORS: Readonly<Record<string, string>> = {
  linux_aarch64: "qemu-aarch64-static -cpu max -L /usr/aarch64-linux-gnu",
  windows_x86_64: "/usr/lib/wine/wine64",
};

/** What Wine 8 lacks of Windows: random numbers under a newer name. */
const RANDOM = `
__declspec(dllimport) unsigned char SystemFunction036(void *buffer, unsigned long size);
__declspec(dllexport) int ProcessPrng(void *buffer, __SIZE_TYPE__ size) { return SystemFunction036(buffer, size); }
int DllMainCRTStartup(void *module, unsigned reason, void *reserved) { return 1; }
`;

/** Deno as Wine 8 runs it: without a call of newer Windows that Wine has by name alone, and with what it lacks beside. */
async function forWine(deno: string, folder: string): Promise<string> {
  const zig = await findZig();
  if (zig === undefined) throw new Error(`no zig ${ZIG_VERSION}: \`pip install ziglang==${ZIG_VERSION}\`, or set ZIG`);
  await Deno.writeTextFile(join(folder, "random.c"), RANDOM);
  const library = join(folder, "bcryptprimitives.dll");
  const flags = ["-target", "x86_64-windows-gnu", "-shared", "-nostdlib", "-s", "-ladvapi32"];
  await output([...zig, "cc", ...flags, "-o", library, join(folder, "random.c")]);
  const program = Buffer.from(await Deno.readFile(deno));
  for (let at = 0; (at = program.indexOf("VirtualAlloc2\0", at)) >= 0; at++) program.write("VirtualAllocX", at);
  const path = join(folder, "deno.exe");
  await Deno.writeFile(path, program, { mode: 0o755 });
  return path;
}

/** Case → hash of WebAssembly here, and of what does not fuse products. */
async function bitsHere(): Promise<(level: string) => Bits | undefined> {
  const fused = await bitsOn(createCpuEngine({ threads: 1 }));
  const { native } = await openNativeKernels("sse42");
  const plain = native === undefined ? undefined : await bitsOn(createCpuEngine({ threads: 1, native }));
  return (level) => level === "sse42" ? plain : fused;
}

/** Compares what a line says; answers whether all is well. */
function judge({ level, threads, fault, bits }: Found, expected: Bits | undefined): boolean {
  const name = `${level}, ${threads === 1 ? "1 thread" : `${threads} threads`}`;
  if (bits === undefined || expected === undefined) {
    console.log(`${name}: ${fault ?? "nothing here to compare with"}`);
    return /the processor has no/.test(fault ?? "");
  }
  const cases = Object.keys(expected);
  const others = cases.filter((each) => bits[each] !== expected[each]);
  console.log(`${name}: ${cases.length - others.length} of ${cases.length} cases have the same bits`);
  for (const each of others) console.log(`  ${each}`);
  return others.length === 0;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options: { by: { type: "string" } }, allowPositionals: true });
  const [system = "", deno] = positionals;
  const by = values.by ?? EMULATORS[system];
  if (by === undefined || deno === undefined) {
    throw new Error(`needs ${Object.keys(EMULATORS).join(" or ")}, and a Deno`);
  }
  const folder = await Deno.makeTempDir();
  try {
    const bundle = join(folder, "bits.js");
    await output([Deno.execPath(), "bundle", "--quiet", "--output", bundle, join(import.meta.dirname!, "bits.ts")]);
    await Deno.mkdir(join(folder, "binaries"));
    const library = new URL(`../../lib/engine/cpu/binaries/${system}.ts`, import.meta.url);
    await Deno.copyFile(library, join(folder, "binaries", `${system}.ts`));
    const program = system.startsWith("windows") ? await forWine(deno, folder) : await Deno.realPath(deno);
    const [emulator, ...args] = by.split(" ") as [string, ...string[]];
    const expected = await bitsHere();
    const { success, stdout, stderr } = await new Deno.Command(emulator, {
      args: [...args, program, "run", "-A", "--no-check", "--no-config", "bits.js"],
      cwd: folder,
    }).output();
    const lines = new TextDecoder().decode(stdout).split("\n").filter((line) => line.startsWith("{"));
    const found = lines.map((line) => JSON.parse(line) as Found);
    const good = found.map((line) => judge(line, expected(line.level)));
    if (success && good.length > 0 && !good.includes(false)) return;
    console.error(new TextDecoder().decode(stderr));
    Deno.exit(1);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) await main();
