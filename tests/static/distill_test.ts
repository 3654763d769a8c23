import assert from "node:assert/strict";
import { join } from "node:path";
import { encodeTexts } from "../../lib/embed/mod.ts";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { loadBiEncoder } from "../../lib/model/bi_encoder.ts";
import {
  countTokens,
  distill,
  type DistillOptions,
  pruneTable,
  randomTable,
  writeStaticFolder,
} from "../../lib/static/mod.ts";
import { loadTokenizer } from "../../lib/text/tokenizer.ts";
import { tokensOf } from "../../lib/text/vocabulary.ts";
import { engines } from "../engine/engines.ts";
import { withFolder } from "../folder.ts";
import { assertNear, goldenPath, goldenTensors } from "../golden/golden.ts";

interface Expected {
  readonly tokens: string[];
  readonly embeddings: number[][];
}
const { texts, words, ...expected }: { texts: string[]; words: string[] } & Record<string, Expected> = JSON.parse(
  await Deno.readTextFile(goldenPath("distillation/expected.json")),
);
const tables = await goldenTensors("distillation/tables.safetensors");
const bert = goldenPath("distillation/bert");
const cases: Readonly<Record<string, readonly [string, DistillOptions]>> = {
  bert: [bert, { pcaDims: 8 }],
  bert_words: [bert, { pcaDims: 8, vocabulary: words }],
  bert_whole: [bert, { pcaDims: 0, sifCoefficient: 0, pooling: "cls" }],
  modernbert: [goldenPath("folders/modernbert"), { pcaDims: 12, sifCoefficient: 1e-3 }],
};

for (const { name, create } of engines) {
  for (const [model, [teacher, options]] of Object.entries(cases)) {
    Deno.test(`${name}: ${model} is distilled as model2vec distils it, and loads with sentence-transformers' embeddings`, () =>
      withFolder(async (folder) => {
        const engine = await create();
        const table = await distill(engine, teacher, options);
        const { tokens, embeddings } = (expected as Record<string, Expected>)[model]!;
        assert.deepEqual(tokensOf(table.tokenizer).map(({ token }) => token), tokens);
        assertNear("table", table.rows, tables.get(model)!, 1e-4);
        const path = join(folder, model);
        await writeStaticFolder(path, table, { modelCard: "# A model\n" });
        const { data } = await encodeTexts(engine, await loadBiEncoder(engine, path), texts);
        assertNear("embeddings", data, embeddings.flat(), 1e-4);
        engine.close();
      }));
  }
}

Deno.test("a pruned model gives its texts the same embeddings, with word pieces, byte pairs, and pieces of a unigram model", () =>
  withFolder(async (folder) => {
    const engine = createCpuEngine({ threads: 1 });
    for (const kind of ["bert", "modernbert", "xlm_roberta", "gemma3", "wordlevel"]) {
      const tokenizer = await loadTokenizer(goldenPath(`tokenizers/${kind}`));
      const table = randomTable(tokenizer, { width: 4 });
      const paths = [join(folder, `${kind}-whole`), join(folder, `${kind}-pruned`)] as const;
      await writeStaticFolder(paths[0], table, { modelCard: "" });
      const whole = await loadBiEncoder(engine, paths[0]);
      const counts = await countTokens(whole.tokenizer.bareIds, texts);
      const pruned = pruneTable(table, counts);
      assert.ok(pruned.tokens < pruned.of, `${kind}: ${pruned.tokens} of ${pruned.of}`);
      await writeStaticFolder(paths[1], pruned, { modelCard: "" });
      const small = await loadBiEncoder(engine, paths[1]);
      assert.deepEqual(
        (await encodeTexts(engine, small, texts)).data,
        (await encodeTexts(engine, whole, texts)).data,
        kind,
      );
      const often = pruneTable(table, counts, { minCount: 2 });
      assert.ok(often.tokens <= pruned.tokens);
    }
    engine.close();
  }));
