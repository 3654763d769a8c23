import assert from "node:assert/strict";
import { join } from "node:path";
import { finetune } from "../../lib/simple/mod.ts";
import { randomTable, writeStaticFolder } from "../../lib/static/mod.ts";
import { loadTokenizer } from "../../lib/text/tokenizer.ts";
import { recipeOf } from "../../lib/train/recipe.ts";
import { goldenPath } from "../golden/golden.ts";
import { withFolder } from "../folder.ts";

Deno.test("static embeddings have a learning rate of their own, and batches that leave an epoch its updates", () =>
  withFolder(async (folder) => {
    const tokenizer = await loadTokenizer(goldenPath("tokenizers/bert"));
    const random = join(folder, "random");
    await writeStaticFolder(random, randomTable(tokenizer, { width: 32 }), { modelCard: "" });
    assert.deepEqual(await recipeOf(random), { learningRate: 0.2 });
    const batch = async (rows: number) => (await recipeOf(random, { rows, inBatch: true })).batchSize;
    assert.deepEqual([await batch(10), await batch(4177), await batch(1e6)], [32, 256, 2048]);
    assert.deepEqual(await recipeOf(goldenPath("folders/model2vec")), { learningRate: 0.01 });
    assert.deepEqual(await recipeOf(goldenPath("folders/modernbert")), {});
    const words = ["guitar", "man", "cat", "mat", "dog", "time", "music", "plays"];
    const output = join(folder, "trained");
    const { warnings } = await finetune({
      model: random,
      anchor: words.flatMap((word) => [`the ${word}`, `a ${word}`, `one ${word}`, `no ${word}`]),
      positive: words.flatMap((word) => [`${word} is`, `${word} was`, `${word} has`, `${word} had`]),
      output,
      epochs: 3,
      holdOut: 0,
      cacheDir: join(folder, "cache"),
      engine: { engine: "cpu" },
    });
    assert.ok(!warnings.some((warning) => /learning rate/.test(warning)), warnings.join());
    assert.match(await Deno.readTextFile(join(output, "README.md")), /learning rate \| 0\.2/i);
  }));
