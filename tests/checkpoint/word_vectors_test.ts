import assert from "node:assert/strict";
import { join } from "node:path";
import { readWordVectors, writeWordVectors } from "../../lib/checkpoint/word_vectors.ts";
import { encodeTexts } from "../../lib/embed/mod.ts";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { loadBiEncoder, saveBiEncoder } from "../../lib/model/bi_encoder.ts";
import { encode } from "../../lib/simple/mod.ts";
import { engines } from "../engine/engines.ts";
import { withFolder } from "../folder.ts";
import { assertNear, goldenPath } from "../golden/golden.ts";

const golden = goldenPath("word_embeddings");
const { texts, ...expected }: { texts: string[] } & Record<string, (number[] | null)[]> = JSON.parse(
  await Deno.readTextFile(join(golden, "expected.json")),
);
const embeddingsOf = (name: string) => (expected as Record<string, (number[] | null)[]>)[name]!;

for (const { name, create } of engines) {
  for (const source of ["glove.txt", "word2vec.txt", "folder"]) {
    Deno.test(`${name}: ${source} gives sentence-transformers' embeddings of averaged word vectors, and is saved`, () =>
      withFolder(async (folder) => {
        const engine = await create();
        let path = join(golden, source);
        if (source !== "folder") {
          path = join(folder, "read");
          await writeWordVectors(path, await readWordVectors(join(golden, source)), "# Words\n");
        }
        const model = await loadBiEncoder(engine, path);
        const saved = join(folder, "saved");
        await saveBiEncoder(engine, model, saved, "# Words\n");
        for (const one of [model, await loadBiEncoder(engine, saved)]) {
          const { data, width } = await encodeTexts(engine, one, texts);
          for (const [row, embedding] of embeddingsOf(source).entries()) {
            if (embedding !== null) {
              assertNear(texts[row]!, data.subarray(row * width, (row + 1) * width), embedding, 1e-5);
            }
          }
        }
        engine.close();
      }));
  }
}

Deno.test("a file of word vectors is a model by its name, packed as well; anything else is refused", () =>
  withFolder(async (folder) => {
    const bytes = await Deno.readFile(join(golden, "glove.txt"));
    const packed = join(folder, "glove.txt.gz");
    const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
    await Deno.writeFile(packed, stream);
    const { words, rows, width, skipped } = await readWordVectors(packed);
    assert.deepEqual([words.length, words[0], width, skipped], [21, "PADDING_TOKEN", 5, 2]);
    assert.deepEqual(
      [...rows.subarray(2 * width, 3 * width)],
      [1e-3, -25, 0.5, 7, 123456789.0123456789].map(Math.fround),
    );
    const { data } = await encode(packed, texts.slice(0, 1), { engine: { engine: "cpu" } });
    assertNear("embedding", data, embeddingsOf("glove.txt")[0]!, 1e-5);
    const wrong = join(folder, "notes.txt");
    for (const text of ["", "a b c\n", "just a line of words\nand another one\n", "a 1 2\nb 1\nc 2\nd 3\n"]) {
      await Deno.writeTextFile(wrong, text);
      await assert.rejects(readWordVectors(wrong), /^CheckpointError: this is no file of word vectors/);
    }
  }));

Deno.test("word vectors of damaged folders are refused by name", () =>
  withFolder(async (folder) => {
    const engine = createCpuEngine({ threads: 1 });
    const files: readonly (readonly [string, unknown])[] = [
      ["wordembedding_config.json", { tokenizer_class: "sentence_transformers.models.tokenizer.PhraseTokenizer" }],
      ["whitespacetokenizer_config.json", { vocab: "cat" }],
    ];
    for (const [name, content] of files) {
      const path = join(folder, name.slice(0, 4));
      await writeWordVectors(path, await readWordVectors(join(golden, "glove.txt")), "");
      await Deno.writeTextFile(join(path, name), JSON.stringify(content));
      await assert.rejects(loadBiEncoder(engine, path), (error: Error) => error.message.includes("word vectors"));
    }
    engine.close();
  }));
