import assert from "node:assert/strict";
import { join } from "node:path";
import { LEVELS, openFromFile, openNativeKernels, unpack } from "../../../lib/engine/cpu/native.ts";
import { faultOf } from "../../../lib/engine/cpu/self_test.ts";
import { startThreads } from "../../../lib/engine/cpu/threads.ts";
import { withFolder } from "../../folder.ts";

const script = new URL("native_engine.ts", import.meta.url).pathname;
const { native, reason } = await openNativeKernels();
const ignore = native === undefined;
/** Enough for the scratch of three threads, and a tensor. */
const PAGES = 512;

/** What an engine says of itself in a process with these permissions. */
async function engineWith(...flags: string[]): Promise<{ kernels: string; reason: string; product: number[] }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", ...flags, script],
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

Deno.test(
  "this system has machine code, of the best set of instructions unless another is named",
  { ignore },
  async () => {
    assert.equal(native!.level, reason);
    for (const level of LEVELS) {
      const { native, reason } = await openNativeKernels(level);
      assert.ok(native?.level === level || reason === `the processor has no ${level}`, reason);
      if (native !== undefined) assert.equal(faultOf(native), undefined);
    }
    assert.match((await openNativeKernels("avx1024")).reason, /no avx1024/);
  },
);

Deno.test(
  "without the permission or without the file it is WebAssembly, and said why",
  { ignore },
  async () => {
    const product = [7, 10, 15, 22];
    for (
      const [flags, why] of [
        [[], /as WebAssembly: no permission \(--allow-ffi\)/],
        [["--deny-ffi", "--allow-read"], /as WebAssembly: no permission \(--allow-ffi\)/],
        [["--allow-ffi"], /as WebAssembly: the machine code for .* is not there: .*read access/],
      ] as [string[], RegExp][]
    ) {
      const found = await engineWith(...flags);
      assert.match(found.reason, why);
      assert.deepEqual([found.kernels, found.product], ["wasm", product]);
    }
    const found = await engineWith("-A");
    assert.deepEqual([found.kernels, found.product], [native!.level, product]);
    assert.match(found.reason, /as machine code/);
  },
);

Deno.test("threads of machine code help, can be closed at once, and their places are given back", { ignore }, () => {
  for (let round = 0; round < 80; round++) {
    const threads = startThreads(3, PAGES, native);
    if (round % 8 === 0) {
      const address = 28 << 20;
      for (let tries = 0; threads.helped() === 0 && tries < 1000; tries++) {
        threads.run("fill", 65536, 1024, { target: address, value: tries });
        assert.ok(new Float32Array(threads.memory.buffer, address, 65536).every((value) => value === tries));
      }
      assert.ok(threads.helped() > 0);
    }
    threads.close();
    assert.throws(() => threads.run("fill", 1, 1, { target: 0, value: 0 }), /closed/);
  }
});

Deno.test("a process ends well while threads of machine code are at work or asleep", { ignore }, async () => {
  for (const how of ["exit", "leave", "throw"]) {
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", script, how],
    }).output();
    assert.equal(code, how === "throw" ? 1 : 0, new TextDecoder().decode(stderr));
  }
});

Deno.test(
  "a file that is torn or foreign is written again, and a folder that cannot be written is said",
  { ignore },
  () =>
    withFolder(async (folder) => {
      const name = `${Deno.build.os}_${Deno.build.arch}.ts`;
      const { KERNELS } = await import(new URL(`../../../lib/engine/cpu/binaries/${name}`, import.meta.url).href);
      const bytes = await unpack(KERNELS);
      (await openFromFile(bytes, folder)).close();
      const [file] = [...Deno.readDirSync(folder)];
      const path = join(folder, file!.name);
      for (const content of [bytes.subarray(0, 1000), new TextEncoder().encode("#!/bin/sh\n"), new Uint8Array(0)]) {
        await Deno.remove(path);
        await Deno.writeFile(path, content);
        const library = await openFromFile(bytes, folder);
        assert.equal(library.symbols.kindred_level(), LEVELS.indexOf(native!.level));
        library.close();
      }
      assert.equal([...Deno.readDirSync(folder)].length, 1, "nothing half-written stays");
      await assert.rejects(openFromFile(bytes, join(path, "below")), /Not a directory|os error/);
    }),
);
