import assert from "node:assert/strict";
import { join } from "node:path";
import { TokenizerError } from "../../lib/error.ts";
import { packPairs, tokenizeBare } from "../../lib/text/pairs.ts";
import { loadTokenizer, type Tokenizer } from "../../lib/text/tokenizer.ts";
import { goldenPath } from "../golden/golden.ts";

interface Case {
  readonly family: string;
  readonly files: Record<string, unknown>;
  readonly ids: number[][];
  readonly cut: number[][];
  readonly pairs: number[][];
  readonly types: (number[] | null)[];
}

/** The tokenizer of a golden folder with other files beside it; null takes a file away. */
async function loadWith(family: string, files: Record<string, unknown>): Promise<Tokenizer> {
  const folder = await Deno.makeTempDir();
  try {
    for await (const { name } of Deno.readDir(goldenPath(`tokenizers/${family}`))) {
      if (files[name] !== null) await Deno.copyFile(goldenPath(`tokenizers/${family}/${name}`), join(folder, name));
    }
    for (const [name, value] of Object.entries(files)) {
      if (value === null) continue;
      await Deno.writeTextFile(join(folder, name), typeof value === "string" ? value : JSON.stringify(value));
    }
    return await loadTokenizer(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const { texts, cases } = JSON.parse(await Deno.readTextFile(goldenPath("tokenizers/folders.json"))) as {
  texts: string[];
  cases: Record<string, Case>;
};

for (const [name, { family, files, ids, cut, pairs, types }] of Object.entries(cases)) {
  Deno.test(`${name}: a folder is read as transformers reads it`, async () => {
    const tokenizer = await loadWith(family, files);
    assert.deepEqual(texts.map((text) => tokenizer.ids(text, 512)), ids);
    assert.deepEqual(texts.map((text) => tokenizer.ids(text, 7)), cut);
    const bare = await tokenizeBare(tokenizer, texts);
    const seconds = texts.flatMap((text, i) => text === "" ? [] : [i]);
    for (const [i, second] of seconds.entries()) {
      const one = { texts: bare, rows: [0] };
      const pair = packPairs(tokenizer.pair, one, { texts: bare, rows: [second] }, { maxLength: 24 });
      assert.deepEqual([...pair.ids], pairs[i]);
      assert.deepEqual([...pair.typeIds], types[i] ?? pairs[i]!.map(() => 0));
    }
  });
}

Deno.test("do_lower_case of sentence-transformers comes before the tokenizer's rules, and is saved with them", async () => {
  const config = { "config.json": { model_type: "roberta" } };
  const plain = await loadWith("roberta", config);
  const lower = await loadWith("roberta", {
    ...config,
    "sentence_bert_config.json": { max_seq_length: 8, do_lower_case: true },
  });
  const text = "The QUICK Fox";
  assert.notDeepEqual(plain.ids(text, 99), plain.ids(text.toLowerCase(), 99));
  assert.deepEqual(lower.ids(text, 99), plain.ids(text.toLowerCase(), 99));
  const saved = Object.fromEntries(
    [...lower.files].map(([name, bytes]) => [name, new TextDecoder().decode(bytes)]),
  );
  const again = await loadWith("roberta", { ...config, ...saved });
  assert.deepEqual(again.ids(text, 99), lower.ids(text, 99));
});

Deno.test("what cannot be read exactly is refused by its name, before a text is seen", async (t) => {
  const definition = JSON.parse(await Deno.readTextFile(goldenPath("tokenizers/bert/tokenizer.json")));
  const token = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: false };
  const part = (changes: Record<string, unknown>) => ({ "tokenizer.json": { ...definition, ...changes } });
  const split = (pattern: unknown) =>
    part({ pre_tokenizer: { type: "Split", pattern, behavior: "Isolated", invert: false } });
  const bad: [string, Record<string, unknown>, RegExp][] = [
    ["cut JSON", { "tokenizer.json": "{" }, /not JSON/],
    ["null", { "tokenizer.json": "null" }, /not a JSON object/],
    ["nothing", { "tokenizer.json": {} }, /a model in tokenizer.json/],
    ["a model", { "tokenizer.json": { model: { type: "Magic", vocab: {} } } }, /type Magic/],
    ["a normalizer", part({ normalizer: { type: "Magic" } }), /normalizer Magic/],
    ["a pre-tokenizer", part({ pre_tokenizer: { type: "Magic" } }), /pre-tokenizer Magic/],
    ["a post-processor", part({ post_processor: { type: "Magic" } }), /post-processor Magic/],
    ["a backreference", split({ Regex: "(a)\\1" }), /\\1/],
    ["a conditional", split({ Regex: "(?(1)a|b)" }), /group of this kind/],
    ["letters that fold to one", split({ Regex: "(?i:ss)" }), /\(\?i\) with ss/],
    ["an empty pattern", split({ String: "" }), /empty pattern/],
    ["a behaviour", part({ pre_tokenizer: { type: "Punctuation", behavior: "Magic" } }), /Magic/],
    ["an impossible id", part({ added_tokens: [{ ...token, id: 9000, content: "<x>" }] }), /cannot have/],
    [
      "twins",
      part({
        added_tokens: ["<X>", "<x>"].map((content, i) => ({ ...token, content, id: 328 + i, normalized: true })),
      }),
      /cannot be told/,
    ],
    ["MeCab", {
      "tokenizer.json": null,
      "vocab.txt": "[PAD]\n[UNK]\n",
      "tokenizer_config.json": { tokenizer_class: "BertJapaneseTokenizer" },
    }, /BertJapaneseTokenizer/],
    ["a vocabulary of no class", {
      "tokenizer.json": null,
      "vocab.txt": "[PAD]\n[UNK]\n",
      "config.json": { model_type: "roberta" },
      "tokenizer_config.json": null,
    }, /vocab.json/],
    ["a config that is none", { "tokenizer_config.json": [] }, /not a JSON object/],
  ];
  for (const [name, files, message] of bad) {
    await t.step(name, () =>
      assert.rejects(loadWith("bert", files), (error) => {
        assert.ok(error instanceof TokenizerError && error.where !== undefined, String(error));
        assert.match(JSON.stringify([error.message, error.toJSON()]).replaceAll("\\\\", "\\"), message);
        return true;
      }));
  }
});
