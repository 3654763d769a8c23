import assert from "node:assert/strict";
import { join } from "node:path";
import { measurementFiles } from "../../lib/engine/measurement_files.ts";
import { withFolder } from "../folder.ts";

Deno.test("files hold one text for each key, whole; a folder that cannot be written holds none", () =>
  withFolder(async (folder) => {
    const files = measurementFiles(join(folder, "kept"));
    assert.equal(await files.read("a"), undefined);
    await files.write("a", "1");
    await files.write("b", "2");
    await files.write("a", "3");
    assert.deepEqual([await files.read("a"), await files.read("b")], ["3", "2"]);
    const names = [...Deno.readDirSync(join(folder, "kept"))].map(({ name }) => name);
    assert.equal(names.length, 2, "nothing half-written stays");
    assert.ok(names.every((name) => /^[0-9a-f]{32}\.json$/.test(name)));
    const below = measurementFiles(join(folder, "kept", names[0]!)); // a file is no folder
    await below.write("a", "1");
    assert.equal(await below.read("a"), undefined);
  }));

for (const permission of ["read", "write"] as const) {
  Deno.test({
    name: `without permission to ${permission} no file is touched: a touch would ask, on a terminal`,
    permissions: { read: true, write: true, [permission]: false },
    fn: async () => {
      const { readTextFile, writeTextFile, mkdir } = Deno;
      const touched: string[] = [];
      const touch = (name: "read" | "write") => () => (touched.push(name), Promise.reject(new Error(name)));
      Object.assign(Deno, { readTextFile: touch("read"), writeTextFile: touch("write"), mkdir: touch("write") });
      try {
        const files = measurementFiles("/nowhere");
        await files.write("a", "1");
        assert.equal(await files.read("a"), undefined);
      } finally {
        Object.assign(Deno, { readTextFile, writeTextFile, mkdir });
      }
      assert.deepEqual(touched, [permission === "read" ? "write" : "read"]);
    },
  });
}
