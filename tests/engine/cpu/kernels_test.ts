import assert from "node:assert/strict";
import { KERNELS } from "../../../lib/engine/cpu/kernels_wasm.ts";
import { buildKernels } from "../../../tools/build_kernels.ts";

Deno.test("the kernels in the repository are what their source compiles to", async () => {
  const built = await buildKernels();
  const file = new URL("../../../lib/engine/cpu/kernels_wasm.ts", import.meta.url);
  assert.ok(built.includes(KERNELS), "run `deno run -A tools/build_kernels.ts`");
  assert.ok(built === await Deno.readTextFile(file), "run `deno run -A tools/build_kernels.ts`");
});
