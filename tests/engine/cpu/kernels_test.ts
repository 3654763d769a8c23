import assert from "node:assert/strict";
import { findZig, ZIG_VERSION } from "../../../tools/kernels/build.ts";
import { kernelDispatch, kernelHeader } from "../../../tools/kernels/header.ts";

const kernels = new URL("../../../lib/engine/cpu/kernels/", import.meta.url);
const build = new URL("../../../tools/kernels/build.ts", import.meta.url);

Deno.test("the C that follows from the table of kernels is what follows from it", async () => {
  assert.equal(await Deno.readTextFile(new URL("table.h", kernels)), kernelHeader());
  assert.equal(await Deno.readTextFile(new URL("dispatch.c", kernels)), kernelDispatch());
});

const zig = await findZig();
Deno.test({
  name: `the kernels are what their sources compile to${zig === undefined ? ` (left out: no zig ${ZIG_VERSION})` : ""}`,
  ignore: zig === undefined,
  async fn() {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "-A", build.pathname, "--check", "wasm", `${Deno.build.os}_${Deno.build.arch}`],
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
  },
});
