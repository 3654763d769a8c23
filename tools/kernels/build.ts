/**
 * Compiles the kernels of the cpu engine and writes them, in base64, as one TypeScript module:
 * `deno run -A tools/kernels/build.ts`. The compiler is a dependency of this folder alone: who uses the library never
 * downloads it.
 *
 * @module
 */
import asc from "assemblyscript/asc";

const kernels = new URL("../../lib/engine/cpu/kernels/", import.meta.url);
const target = new URL("../../lib/engine/cpu/kernels_wasm.ts", import.meta.url);

/** The text of the generated module. */
async function buildKernels(): Promise<string> {
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main([
    "index.ts",
    "--outFile=kernels.wasm",
    "--runtime=stub",
    "--optimizeLevel=3",
    "--noAssert",
    "--importMemory",
    "--sharedMemory",
    "--initialMemory=1",
    "--maximumMemory=65536",
    "--enable=simd,threads,relaxed-simd,bulk-memory",
    "--use=abort=",
  ], {
    readFile: (name) => {
      try {
        return Deno.readTextFileSync(new URL(name, kernels));
      } catch {
        return null;
      }
    },
    writeFile: (_name, contents) => {
      if (contents instanceof Uint8Array) binary = contents;
    },
    listFiles: () => [],
  });
  if (error !== null || binary === undefined) throw new Error(`${error?.message}\n${stderr.toString()}`);
  const lines = binary.toBase64().match(/.{1,120}/g)!;
  return [
    "// Generated from lib/engine/cpu/kernels by tools/kernels/build.ts. Do not edit.",
    "/** The WebAssembly module of the kernels, in base64. */",
    "export const KERNELS: string =",
    "  `",
    ...lines,
    "`;",
    "",
  ].join("\n");
}

if (import.meta.main) {
  const built = await buildKernels();
  if (!Deno.args.includes("--check")) await Deno.writeTextFile(target, built);
  else if (built !== await Deno.readTextFile(target)) {
    throw new Error("the kernels are not what their source compiles to: run `deno run -A tools/kernels/build.ts`");
  }
}
