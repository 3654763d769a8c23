import assert from "node:assert/strict";
import { join } from "node:path";
import { encodeTexts } from "../../lib/embed/mod.ts";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { loadBiEncoder } from "../../lib/model/bi_encoder.ts";
import { readStaticTable, writeStaticFolder } from "../../lib/static/mod.ts";
import { withFolder } from "../folder.ts";
import { assertNear, goldenPath } from "../golden/golden.ts";

for (const kind of ["static", "model2vec"]) {
  Deno.test(`the table of a ${kind} folder is read whole: written again, it gives the same embeddings`, () =>
    withFolder(async (folder) => {
      const engine = createCpuEngine({ threads: 1 });
      const original = goldenPath(`folders/${kind}`);
      const table = await readStaticTable(original);
      assert.equal(table.rows.length % table.width, 0);
      const path = join(folder, kind);
      await writeStaticFolder(path, table, { modelCard: "# A model\n" });
      const texts = ["a quick brown fox", "jumps"];
      const [before, after] = await Promise.all(
        [original, path].map(async (each) => await encodeTexts(engine, await loadBiEncoder(engine, each), texts)),
      );
      assertNear("embeddings", after!.data, before!.data, 1e-6);
      engine.close();
    }));
}
