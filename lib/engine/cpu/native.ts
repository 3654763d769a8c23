/**
 * The kernels as machine code: a library for this system, opened by FFI. It holds the same kernels as the WebAssembly
 * module, compiled from the same sources for several sets of instructions, and gives the same bits.
 *
 * @module
 */
import { join } from "node:path";
import { defaultCacheFolder, isGranted } from "../../environment.ts";
import type { KernelCaller } from "./caller.ts";

/** Sets of instructions, the best last. */
export const LEVELS: readonly string[] = Deno.build.arch === "aarch64"
  ? ["neon", "neonbf16"]
  : ["sse42", "avx2", "avx512", "avx512bf16", "amx"];

/**
 * How products of 8 bits are added up, as `kernels/dots.h` numbers it: as products of 16 bits, four at a time (VNNI, NEON's
 * dot products), or by the tiles of AMX.
 */
export const DOTS: readonly NativeKernels["dots"][] = ["widened", "dots", "grids"];

/** These, and how products of 7 and 8 bits are added up. */
export const FORMS = [...DOTS, "sevens"] as const;
/** One of {@linkcode FORMS}. */
export type Form = typeof FORMS[number];

/** How products are added up in 7 or 8 bits, if that is faster than in floats. */
export function fastForm(native: NativeKernels | undefined): Form | undefined {
  if (native !== undefined && native.dots !== "widened") return native.dots;
  return native !== undefined && Deno.build.arch === "aarch64" ? undefined : "sevens";
}

/** What a library exports: `native.c`. */
export const SYMBOLS = {
  kindred_level: { parameters: [], result: "i32" },
  kindred_dots: { parameters: ["i32"], result: "i32" },
  kindred_start: { parameters: ["i32", "pointer", "i32", "i32", "i32"], result: "pointer" },
  kindred_run: { parameters: ["pointer", "i32", "i32", "i32", "i32"], result: "void" },
  kindred_stop: { parameters: ["pointer"], result: "void" },
  kindred_values: { parameters: ["pointer"], result: "pointer" },
  kindred_tile: { parameters: ["pointer"], result: "i32" },
  kindred_panel: { parameters: ["pointer"], result: "i32" },
  kindred_block: { parameters: ["pointer"], result: "i32" },
  kindred_helped: { parameters: ["pointer"], result: "i32" },
} as const;
type Library = Deno.DynamicLibrary<typeof SYMBOLS>;

/** A library that was opened. */
export interface NativeKernels {
  /** The set of instructions that is used. */
  readonly level: string;
  /** How it adds up products of 8 bits on this processor: two at a time, four at a time, or by the tiles of AMX. */
  readonly dots: "widened" | "dots" | "grids";
  /**
   * Threads over a memory: each has `scratchBytes` there, the first from byte `scratch` on. Undefined where the system
   * gives no more threads.
   */
  readonly start: (
    memory: WebAssembly.Memory,
    count: number,
    scratch: number,
    scratchBytes: number,
  ) => KernelCaller | undefined;
}

/** Whose products of 16 bits kernels have, or undefined: each adds up in an order of its own. */
export const roundedBy = (native: NativeKernels | undefined): string | undefined =>
  ({ avx512bf16: "AVX-512", amx: "AMX", neonbf16: "NEON" } as Readonly<Record<string, string>>)[native?.level ?? ""];

/** What is said where they have not. */
export const NO_BF16 =
  "--precision bf16 needs machine code and a processor with products of bf16 (AVX-512 BF16, AMX, NEON BF16)";

/** What came of opening the library. */
export interface OpenedNative {
  /** Undefined where it cannot be had. */
  readonly native: NativeKernels | undefined;
  /** The set of instructions, or why there is none. */
  readonly reason: string;
}

let opened: Promise<{ readonly library: Library } | { readonly reason: string }> | undefined;

/**
 * Opens the library of this system, once for the process. Nothing is asked for: without the permission, on another
 * system, or where its code may not be loaded, the answer is why not.
 *
 * @param level The set of instructions. Default: the best that the processor has.
 * @returns The library, or why it cannot be had.
 *
 * @example
 * ```ts
 * import { createCpuEngine, openNativeKernels } from "@kindred/kindred/engine";
 * const { native } = await openNativeKernels();
 * const engine = createCpuEngine({ threads: 1, native }); // WebAssembly where there is none
 * if (engine.info.backend !== (native ? "native" : "wasm")) throw new Error("other kernels");
 * engine.close();
 * ```
 */
export async function openNativeKernels(level?: string): Promise<OpenedNative> {
  const result = await (opened ??= openLibrary());
  return "reason" in result ? { native: undefined, reason: result.reason } : kernelsOf(result.library, level);
}

/** The kernels of a library that is open. */
export function kernelsOf(library: Library, level?: string): OpenedNative {
  const best = library.symbols.kindred_level();
  const wanted = level === undefined ? best : LEVELS.indexOf(level);
  if (best < 0) return { native: undefined, reason: "the processor is older than SSE4.2" };
  if (wanted < 0 || wanted > best) return { native: undefined, reason: `the processor has no ${level}` };
  const dots = DOTS[library.symbols.kindred_dots(wanted)]!;
  return {
    native: { level: LEVELS[wanted]!, dots, start: starterOf(library, wanted) },
    reason: LEVELS[wanted]!,
  };
}

function starterOf({ symbols }: Library, level: number): NativeKernels["start"] {
  return (memory, count, scratch, scratchBytes) => {
    const base = Deno.UnsafePointer.of(new Uint8Array(memory.buffer));
    const threads = symbols.kindred_start(level, base, count, scratch, scratchBytes);
    if (threads === null) return undefined;
    return {
      tile: symbols.kindred_tile(threads),
      panel: symbols.kindred_panel(threads),
      block: symbols.kindred_block(threads),
      values: new Float64Array(Deno.UnsafePointerView.getArrayBuffer(symbols.kindred_values(threads)!, 512)),
      call: (kernel, items, grain) => symbols.kindred_run(threads, kernel, items, grain, scratch),
      helped: () => symbols.kindred_helped(threads),
      close: () => symbols.kindred_stop(threads),
    };
  };
}

/** The library stays open until the process ends: its threads sleep in it. */
async function openLibrary(): Promise<{ readonly library: Library } | { readonly reason: string }> {
  const system = `${Deno.build.os}_${Deno.build.arch}`;
  const reasons: string[] = [];
  // Nothing is fetched that could not be opened.
  if (!isGranted("ffi")) return { reason: "no permission (--allow-ffi)" };
  const bytes = await bytesFor(system).catch((error: Error) => error);
  if (bytes instanceof Error) {
    return { reason: `the machine code for ${system.replace("_", " on ")} is not there: ${bytes.message}` };
  }
  for (const open of Deno.build.os === "linux" ? [openFromMemory, openFromFile] : [openFromFile]) {
    try {
      return { library: await open(bytes) };
    } catch (error) {
      reasons.push((error as Error).message);
    }
  }
  return { reason: [...new Set(reasons)].join("; ") };
}

/** The library for a system. It is fetched there alone: its address is not known before, to a bundler neither. */
export async function bytesFor(system: string): Promise<Uint8Array<ArrayBuffer>> {
  const { KERNELS } = await import(new URL(`./binaries/${system}.ts`, import.meta.url).href) as { KERNELS: string };
  return await unpack(KERNELS);
}

/** The bytes of a generated module. */
export async function unpack(packed: string): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([Uint8Array.fromBase64(packed)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Linux opens what lies in memory alone: no folder has to allow it. */
function openFromMemory(bytes: Uint8Array<ArrayBuffer>): Library {
  const libc = openLibc();
  try {
    const { memfd_create, write, close } = libc.symbols;
    const file = memfd_create(new TextEncoder().encode("kindred\0"), 1); // closed in a child
    if (file < 0) throw new Error("the system gives no file in memory");
    try {
      for (let at = 0; at < bytes.length;) {
        const written = Number(write(file, bytes.subarray(at), BigInt(bytes.length - at)));
        if (written <= 0) throw new Error("the file in memory cannot be written");
        at += written;
      }
      return Deno.dlopen(`/proc/self/fd/${file}`, SYMBOLS);
    } finally {
      close(file);
    }
  } finally {
    libc.close();
  }
}

function openLibc() {
  const symbols = {
    memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
    write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
    close: { parameters: ["i32"], result: "i32" },
  } as const;
  for (const name of ["libc.so.6", `libc.musl-${Deno.build.arch}.so.1`]) {
    try {
      return Deno.dlopen(name, symbols);
    } catch {
      // the other kind of system
    }
  }
  throw new Error("no C library that is known");
}

/** Elsewhere it is written into the cache once, under the hash of its content. */
export async function openFromFile(
  bytes: Uint8Array<ArrayBuffer>,
  folder = join(defaultCacheFolder(), "kernels"),
): Promise<Library> {
  for (const name of ["read", "write"] as const) {
    if (!isGranted(name, folder)) throw new Error(`no permission (--allow-${name}=${folder})`);
  }
  const hash = await hashOf(bytes);
  const suffix = { darwin: "dylib", windows: "dll" }[Deno.build.os as string] ?? "so";
  const file = join(folder, `${hash}.${suffix}`);
  // A file that was torn, or is not ours, is written again.
  const isThere = await Deno.readFile(file).then(hashOf).catch(() => undefined) === hash;
  if (!isThere) {
    await Deno.mkdir(folder, { recursive: true });
    const part = `${file}.${crypto.randomUUID()}`;
    try {
      await Deno.writeFile(part, bytes, { mode: 0o700 });
      await Deno.rename(part, file);
    } catch (error) {
      await Deno.remove(part).catch(() => {});
      throw error;
    }
  }
  return Deno.dlopen(file, SYMBOLS);
}

async function hashOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
