import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { TokenizerError } from "../../lib/error.ts";
import { modelOf } from "../../lib/text/models/select.ts";
import { packPairs, tokenizeBare } from "../../lib/text/pairs.ts";
import { loadTokenizer, tokenize, tokenizerFromVocabulary } from "../../lib/text/tokenizer.ts";

interface Encodings {
  readonly size: number;
  readonly texts: readonly { text: string; ids: number[]; cut: number[] }[];
  readonly long: { readonly length: number; readonly sha256: string };
  readonly pairs: readonly { a: string; b: string; maxLength: number; ids: number[]; typeIds: number[] }[];
}

const GOLDEN = join(import.meta.dirname!, "../golden/tokenizers");
const { families } = JSON.parse(await Deno.readTextFile(join(GOLDEN, "encodings.json"))) as {
  families: Record<string, Encodings>;
};
const LONG = "the quick running fox 東京 déjà 🙂 unwanted ".repeat(1250).trim().split(" ")
  .map((word, i) => `${word}${i % 7}`).join(" ");

for (const [family, expected] of Object.entries(families)) {
  Deno.test(`${family}: ids, cut ids and pairs equal those of Python's tokenizers`, async (t) => {
    const tokenizer = await loadTokenizer(join(GOLDEN, family));
    assert.equal(tokenizer.vocabSize, expected.size);
    for (const { text, ids, cut } of expected.texts) {
      await t.step(JSON.stringify(text), () => {
        assert.deepEqual(tokenizer.ids(text, 512), ids);
        assert.deepEqual(tokenizer.ids(text, 8), cut);
      });
    }
    await t.step("ten thousand words", () => {
      const long = tokenizer.ids(LONG, 1_000_000);
      assert.equal(long.length, expected.long.length);
      const bytes = new Uint8Array(Int32Array.from(long).buffer);
      assert.equal(createHash("sha256").update(bytes).digest("hex"), expected.long.sha256);
    });
    for (const { a, b, maxLength, ids, typeIds } of expected.pairs) {
      await t.step(`pair ${JSON.stringify([a, b])} cut to ${maxLength}`, async () => {
        const [first, second] = [await tokenizeBare(tokenizer, [a]), await tokenizeBare(tokenizer, [b])];
        const pair = packPairs(tokenizer.pair, { texts: first, rows: [0] }, { texts: second, rows: [0] }, {
          maxLength,
        });
        assert.deepEqual({ ids: [...pair.ids], typeIds: [...pair.typeIds] }, { ids, typeIds });
      });
    }
  });
}

Deno.test("a cut that cannot hold the special tokens is refused", async () => {
  const tokenizer = await loadTokenizer(join(GOLDEN, "bert"));
  assert.deepEqual(tokenizer.ids("How are you doing?", 2), tokenizer.ids("", 512));
  assert.throws(() => tokenizer.ids("How are you doing?", 1), TokenizerError);
});

Deno.test("many texts: each as alone, prompt before it, repeated ones too, the storage grows", async () => {
  const tokenizer = await loadTokenizer(join(GOLDEN, "bert"));
  const texts = [LONG.slice(0, 4000), "", "How are you?", "How are you?", "x"];
  for (const prompt of [undefined, "a man: "]) {
    const { ids, offsets } = await tokenize(tokenizer, texts, { maxLength: 700, prompt });
    for (let i = 0; i < texts.length; i++) {
      assert.deepEqual(
        [...ids.subarray(offsets[i]!, offsets[i + 1]!)],
        tokenizer.ids((prompt ?? "") + texts[i]!, 700),
      );
    }
    assert.equal(offsets.at(-1), ids.length);
  }
});

Deno.test("a vocabulary becomes a tokenizer whose files load again", async () => {
  const folder = await Deno.makeTempDir();
  const tokenizer = tokenizerFromVocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "run", "##ning", "dog"]);
  for (const [name, bytes] of tokenizer.files) await Deno.writeFile(join(folder, name), bytes);
  const again = await loadTokenizer(folder);
  assert.deepEqual(again.ids("Running DOG cat", 16), [2, 5, 6, 7, 1, 3]);
  assert.deepEqual(again.ids("Running DOG cat", 16), tokenizer.ids("Running DOG cat", 16));
  assert.deepEqual([...again.wordStarts("Running DOG cat", 16)], [1, 1, 0, 1, 1, 1]);
  assert.deepEqual([...again.specialIds].sort(), [0, 1, 2, 3, 4]);
  assert.deepEqual(again.special, { pad: 0, cls: 2, sep: 3, mask: 4 });
  await Deno.remove(folder, { recursive: true });
});

Deno.test("a word that is not known needs a token for the unknown", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(join(folder, "vocab.txt"), "a\nb\n");
  const tokenizer = await loadTokenizer(folder);
  // The special tokens stand behind the vocabulary, in transformers' order: [UNK] [SEP] [PAD] [CLS] [MASK].
  assert.deepEqual(tokenizer.ids("b a", 9), [5, 1, 0, 3]);
  assert.throws(() => tokenizer.ids("c", 9), /no token for that/);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("unigram: of the same tokens in two orders, the reference's, which the last bits of the scores as it reads them decide", () => {
  const dashes = (count: number) => "-".repeat(count);
  const scores = {
    "▁": -3.5970666292360267,
    "-": -5.742699680053059,
    "▁-": -6.690834505936214,
    "--": -8.715093622787652,
  };
  const longer = { [dashes(11)]: -12.220570268373496, [dashes(8)]: -12.735418862480529 };
  const vocab = [["<unk>", 0], ...Object.entries({ ...scores, ...longer })];
  const ids: number[] = [];
  modelOf({ type: "Unigram", unk_id: 0, vocab }).tokenize(`▁${dashes(20)}`, ids);
  assert.deepEqual(ids, [3, 6, 5]); // Python's; with scores read exactly it would be 3, 5, 6
});

Deno.test("files that are no tokenizer are refused", async (t) => {
  const bad: Record<string, Record<string, string>> = {
    "nothing": {},
    "cut JSON": { "tokenizer.json": '{"model": {' },
    "an unknown model": { "tokenizer.json": '{"model": {"type": "Magic", "vocab": {}}, "added_tokens": []}' },
    "JSON null": { "tokenizer.json": "null" },
  };
  for (const [name, files] of Object.entries(bad)) {
    await t.step(name, async () => {
      const folder = await Deno.makeTempDir();
      for (const [file, text] of Object.entries(files)) await Deno.writeTextFile(join(folder, file), text);
      await assert.rejects(loadTokenizer(folder), TokenizerError);
      await Deno.remove(folder, { recursive: true });
    });
  }
});
