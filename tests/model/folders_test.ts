import assert from "node:assert/strict";
import { join } from "node:path";
import { openTensors } from "../../lib/checkpoint/safetensors.ts";
import { encodeTexts } from "../../lib/embed/mod.ts";
import { loadBiEncoder, saveBiEncoder } from "../../lib/model/bi_encoder.ts";
import { engines } from "../engine/engines.ts";
import { withFolder } from "../folder.ts";
import { assertNear, goldenPath } from "../golden/golden.ts";

const { texts, ...families }: { readonly texts: string[] } & Record<string, number[][]> = JSON.parse(
  await Deno.readTextFile(goldenPath("folders/embeddings.json")),
);
const read = (...path: string[]) => Deno.readTextFile(join(...path));

const kindOf = (number: string) => /[.eE]/.test(number) ? "float" : "int";

/** Names, shapes and values of all tensors. */
async function tensorsIn(folder: string) {
  const reader = await openTensors(folder);
  const found = new Map<string, unknown>();
  for (const [name, { shape }] of [...reader.tensors].sort()) found.set(name, [shape, await reader.readF32(name)]);
  reader.close();
  return found;
}

for (const { name, create } of engines) {
  for (const [family, embeddings] of Object.entries(families as Record<string, number[][]>)) {
    Deno.test(`${name}: a folder with ${family} gives sentence-transformers' embeddings, and is saved as it was`, () =>
      withFolder(async (folder) => {
        const engine = await create();
        const original = goldenPath(`folders/${family}`);
        const model = await loadBiEncoder(engine, original);
        const { data } = await encodeTexts(engine, model, texts);
        assertNear("embeddings", data, Float32Array.from(embeddings.flat()), 1e-5);
        const saved = join(folder, "saved");
        await saveBiEncoder(engine, model, saved, "# A model\n");
        const again = await encodeTexts(engine, await loadBiEncoder(engine, saved), texts);
        assert.deepEqual(again.data, data);
        if (family === "model2vec") return engine.close(); // saved as what it is: static embeddings
        assert.deepEqual(await tensorsIn(saved), await tensorsIn(original));
        if (family === "static") return engine.close(); // which have no configuration
        // Every number as Python wrote it: it refuses 2 where it expects 2.0.
        const lines = async (path: string) =>
          (await read(path, "config.json")).split("\n")
            .map((line) =>
              line.trim().replace(/,$/, "").replace(/: ([-\d.eE]+)$/, (_, x) => `: ${kindOf(x)} ${Number(x)}`)
            )
            .filter((line) => !/"(dtype|architectures|transformers_version)"/.test(line)).sort();
        assert.deepEqual(await lines(saved), await lines(original));
        engine.close();
      }));
  }
}
