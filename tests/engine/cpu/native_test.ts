import assert from "node:assert/strict";
import { join } from "node:path";
import { createCpuEngine } from "../../../lib/engine/cpu/engine.ts";
import {
  bytesFor,
  LEVELS,
  type NativeKernels,
  openFromFile,
  openNativeKernels,
} from "../../../lib/engine/cpu/native.ts";
import { faultOf } from "../../../lib/engine/cpu/self_test.ts";
import { startThreads } from "../../../lib/engine/cpu/threads.ts";
import { withFolder } from "../../folder.ts";

const script = new URL("native_engine.ts", import.meta.url).pathname;
const { native, reason } = await openNativeKernels();
const ignore = native === undefined;
const onLinux = { ignore: ignore || Deno.build.os !== "linux" };
const here = `${Deno.build.os}_${Deno.build.arch}`;
const systems = ["linux", "darwin", "windows"].flatMap((os) => [`${os}_x86_64`, `${os}_aarch64`]);
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

Deno.test("where machine code starts no more threads it is WebAssembly, in its own forms, and said so", async () => {
  const spent: NativeKernels = { level: "amx", dots: "dots", start: () => undefined };
  const products = [];
  for (const native of [undefined, spent]) {
    const engine = createCpuEngine({ threads: 1, native, precision: "int8" });
    assert.deepEqual([engine.info.backend, engine.info.kernels], ["wasm", "wasm"]);
    const weight = engine.variable([3, 9], { dtype: "i8" });
    engine.write(weight, Float32Array.from({ length: 27 }, (_, i) => Math.sin(i)));
    const x = engine.upload(Float32Array.from({ length: 18 }, (_, i) => Math.cos(i)), [2, 9]);
    products.push(await engine.read(engine.matmul(x, weight, { transposeB: true })));
    engine.close();
  }
  assert.deepEqual(products[1], products[0]);
  assert.throws(
    () => createCpuEngine({ threads: 1, native: spent, precision: "bf16" }),
    /precision bf16 .*WebAssembly/s,
  );
  assert.equal(faultOf(spent), undefined);
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
      const bytes = await bytesFor(here);
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

Deno.test(
  "a library for another processor or another system is refused, and nothing else happens",
  { ignore },
  () =>
    withFolder(async (folder) => {
      for (const system of systems.filter((each) => each !== here)) {
        const opened = await openFromFile(await bytesFor(system), folder).then((library) => {
          library.close();
          return "opened";
        }, (error: Error) => error.message);
        // Windows and macOS may run what was made for Intel by a translator.
        assert.ok(opened !== "opened" || system.split("_")[0] === Deno.build.os, system);
        if (Deno.build.os === "linux") assert.match(opened, /Could not open library|invalid ELF|wrong ELF|cannot open/);
      }
      await assert.rejects(bytesFor("plan9_riscv64"), /plan9_riscv64/);
    }),
);

/** What a process prints that is started through a line of the shell. */
async function inShell(line: string, ...args: string[]): Promise<{ readonly success: boolean; readonly text: string }> {
  const { success, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", line, Deno.execPath(), "run", "--no-prompt", "--no-check", "-A", ...args],
  }).output();
  return { success, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

Deno.test("where no file may grow, one in memory neither, it is WebAssembly", onLinux, async () => {
  const { text } = await inShell(`trap '' XFSZ; ulimit -f 64; exec "$0" "$@"`, script);
  const found = JSON.parse(text);
  assert.match(found.reason, /as WebAssembly: the file in memory cannot be written; File too large/);
  assert.deepEqual([found.kernels, found.product], ["wasm", [7, 10, 15, 22]]);
});

Deno.test(
  "a folder whose files may not be executed is said, and the process goes on",
  onLinux,
  (t) =>
    withFolder(async (folder) => {
      const mount = `mount -t tmpfs -o noexec,size=16m tmpfs ${folder}`;
      const isAllowed = (await new Deno.Command("unshare", { args: ["-Urm", "sh", "-c", mount] }).output()
        .catch(() => ({ success: false }))).success;
      if (!isAllowed) return void await t.step({ name: "left out: no mounts here", ignore: true, fn() {} });
      const open = new URL("open_file.ts", import.meta.url).pathname;
      const { text } = await inShell(`exec unshare -Urm sh -c '${mount} && exec "$0" "$@"' "$0" "$@"`, open, folder);
      assert.match(text, /^refused: .*failed to map segment/);
    }),
);

Deno.test("no library is among the modules that everyone fetches", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--no-lock", new URL("../../../mod.ts", import.meta.url).pathname],
  }).output();
  const modules: string[] = JSON.parse(new TextDecoder().decode(stdout)).modules
    .map(({ specifier }: { readonly specifier: string }) => specifier);
  assert.deepEqual(modules.filter((name) => /cpu\/binaries/.test(name)).map((name) => name.split("/").at(-1)), [
    "wasm.ts",
  ]);
});
