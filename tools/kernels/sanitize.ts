// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * Runs every kernel, at every level that the processor has, through the suite of conformance, compiled so that it stops
 * where C says nothing of what happens and where it touches memory that is not a tensor of the engine, not its scratch
 * and not its own: `deno run -A tools/kernels/sanitize.ts [LEVEL …]`. For Linux on x86-64.
 *
 * The compiler is that of `build.ts`. What notices wrong addresses is the library of clang (`apt install
 * libclang-rt-14-dev`) or of gcc (`libasan8`), which is put before all others; or the one that the variable ASAN names.
 * All of the engine's memory is forbidden to the kernels but what `guard.ts` opens, to the byte.
 *
 * @module
 */
import type { Guard } from "../../lib/engine/cpu/caller.ts";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { kernelsOf, LEVELS, type NativeKernels, roundedBy, SYMBOLS } from "../../lib/engine/cpu/native.ts";
import { SCRATCH_BYTES, startThreads } from "../../lib/engine/cpu/threads.ts";
import type { Engine } from "../../lib/engine/engine.ts";
import { conformance } from "../../tests/engine/conformance/conformance.ts";
import { table } from "../../tests/engine/conformance/table.ts";
import { bitsOn } from "./bits.ts";
import { compile, findZig, TARGETS, ZIG_VERSION } from "./build.ts";

/** The optimizer would remove what is watched; lines are for the report. */
const FLAGS = [
  "-O1",
  "-gline-tables-only",
  "-fsanitize=undefined",
  "-fsanitize-trap=undefined",
  "-Xclang", // zig itself knows nothing of addresses
  "-fsanitize=address",
];
/** V8 has handlers of its own for faults. */
const OPTIONS = "detect_leaks=0:handle_segv=0:allow_user_segv_handler=1:use_sigaltstack=0:poison_array_cookie=0";

/** Where the sanitizer's library may be. */
async function findRuntime(): Promise<string | undefined> {
  const places = [Deno.env.get("ASAN"), "/usr/lib/x86_64-linux-gnu/libasan.so.8"];
  for (let version = 22; version >= 14; version--) {
    for (const name of [`${version}`, `${version}.0.6`]) {
      places.push(`/usr/lib/llvm-${version}/lib/clang/${name}/lib/linux/libclang_rt.asan-x86_64.so`);
    }
  }
  for (const place of places) {
    if (place !== undefined && await Deno.stat(place).then(({ isFile }) => isFile, () => false)) return place;
  }
  return undefined;
}

/** The same kernels over a memory of which they may touch what the engine opens, and their scratch. */
function watched(native: NativeKernels, runtime: string): NativeKernels {
  const { symbols } = Deno.dlopen(runtime, {
    __asan_poison_memory_region: { parameters: ["usize", "usize"], result: "void" },
    __asan_unpoison_memory_region: { parameters: ["usize", "usize"], result: "void" },
  });
  return {
    ...native,
    start(memory, count, scratch, scratchBytes) {
      const caller = native.start(memory, count, scratch, scratchBytes);
      if (caller === undefined) return undefined;
      const base = Deno.UnsafePointer.value(Deno.UnsafePointer.of(new Uint8Array(memory.buffer)));
      const guard: Guard = {
        open: (address, bytes) => symbols.__asan_unpoison_memory_region(base + BigInt(address), BigInt(bytes)),
        close: (address, bytes) => symbols.__asan_poison_memory_region(base + BigInt(address), BigInt(bytes)),
      };
      let begun = false;
      const begin = () => {
        begun = true;
        guard.close(0, memory.buffer.byteLength);
        // What a product remembers lies below its scratch.
        for (let i = 0; i < count; i++) guard.open(scratch - 64 + i * scratchBytes, 64 + SCRATCH_BYTES);
      };
      const open: Guard["open"] = (address, bytes) => {
        if (!begun) begin();
        guard.open(address, bytes);
      };
      const close = () => {
        caller.close();
        guard.open(0, memory.buffer.byteLength);
      };
      return { ...caller, close, guard: { open, close: guard.close } };
    },
  };
}

/** All products are those of layers, which are rounded. */
const asLayers = (engine: Engine): Engine => ({
  ...engine,
  matmul: (a, b, options) => engine.matmul(a, b, { ...options, isLayer: true }),
});

/** In a process into which the sanitizer was loaded first. */
async function watch(file: string, runtime: string, wanted: readonly string[]): Promise<void> {
  const library = Deno.dlopen(file, SYMBOLS);
  for (const level of wanted) {
    const { native, reason } = kernelsOf(library, level);
    if (native === undefined) console.log(`${level}: left out, ${reason}`);
    else {
      for (const threads of [1, 2]) {
        const options = { threads, native: watched(native, runtime) };
        await conformance(createCpuEngine(options), (_, run) => run(), table);
        // Rounded results are no definition's: they are computed and not compared.
        if (roundedBy(native) !== undefined) await bitsOn(asLayers(createCpuEngine({ ...options, precision: "bf16" })));
        console.log(`${level}, ${threads === 1 ? "1 thread" : `${threads} threads`}: nothing stopped`);
      }
    }
  }
}

/** In such a process: writes one element behind a tensor, which has to end it. */
function overrun(file: string, runtime: string): void {
  const native = watched(kernelsOf(Deno.dlopen(file, SYMBOLS)).native!, runtime);
  const { run, guard } = startThreads(1, 256, native);
  guard!.open(12 << 20, 4 * 20);
  for (const size of [20, 21]) run("fill", size, 64, { target: 12 << 20, value: 1 });
}

async function main(levels: readonly string[]): Promise<void> {
  const [zig, runtime] = [await findZig(), await findRuntime()];
  if (zig === undefined) throw new Error(`no zig ${ZIG_VERSION}: \`pip install ziglang==${ZIG_VERSION}\`, or set ZIG`);
  if (runtime === undefined) {
    throw new Error("no sanitizer of addresses: `apt install libclang-rt-14-dev`, or set ASAN");
  }
  const folder = await Deno.makeTempDir();
  try {
    const target = TARGETS.linux_x86_64!;
    const link = target.link.filter((flag) => flag !== "-s");
    await Deno.writeFile(`${folder}/kernels.so`, await compile(zig, { ...target, link }, FLAGS));
    const child = (...args: readonly string[]) => ({
      args: [
        "run",
        "-A",
        "--no-check",
        import.meta.filename!,
        args[0]!,
        `${folder}/kernels.so`,
        runtime,
        ...args.slice(1),
      ],
      env: { LD_PRELOAD: runtime, ASAN_OPTIONS: OPTIONS },
    });
    const { success, stderr } = await new Deno.Command(Deno.execPath(), child("--overrun")).output();
    const report = new TextDecoder().decode(stderr);
    if (success || !report.includes("use-after-poison")) throw new Error(`an overrun is not noticed\n${report}`);
    const { code } = await new Deno.Command(Deno.execPath(), child("--watch", ...levels)).spawn().status;
    if (code !== 0) Deno.exit(code);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) {
  const [first, file, runtime, ...levels] = Deno.args;
  if (first === "--watch") await watch(file!, runtime!, levels);
  else if (first === "--overrun") overrun(file!, runtime!);
  else await main(Deno.args.length > 0 ? Deno.args : LEVELS);
}
