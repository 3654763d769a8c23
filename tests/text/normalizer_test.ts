import assert from "node:assert/strict";
import { join } from "node:path";
import { TokenizerError } from "../../lib/error.ts";
import { withPythonsNormalizer } from "../../lib/text/normalizer.ts";
import { loadTokenizer } from "../../lib/text/tokenizer.ts";

const GOLDEN = join(import.meta.dirname!, "../golden/tokenizers");

/** A copy of a golden tokenizer with other files beside it. */
async function withTokenizer<A>(
  family: string,
  files: Record<string, unknown>,
  body: (folder: string) => Promise<A>,
): Promise<A> {
  const folder = await Deno.makeTempDir();
  try {
    for await (const { name } of Deno.readDir(join(GOLDEN, family))) {
      await Deno.copyFile(join(GOLDEN, family, name), join(folder, name));
    }
    for (const [name, value] of Object.entries(files)) {
      await Deno.writeTextFile(join(folder, name), typeof value === "string" ? value : JSON.stringify(value));
    }
    return await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const bert = { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, strip_accents: null };

Deno.test("BERT's rules are those of tokenizer_config.json, as Python's classes make them", () => {
  const rules = (
    inFile: boolean,
    config: Record<string, unknown>,
  ) => (withPythonsNormalizer({ normalizer: { ...bert, lowercase: inFile } }, config, false)["normalizer"] as
    & typeof bert
    & {
      lowercase: boolean;
    });
  // Seen with transformers 5.24: what the file says counts for generic classes alone.
  assert.equal(rules(true, { tokenizer_class: "BertTokenizer", do_lower_case: false }).lowercase, false);
  assert.equal(rules(false, { tokenizer_class: "BertTokenizer" }).lowercase, true);
  assert.equal(rules(false, { tokenizer_class: "MPNetTokenizer", do_lower_case: true }).lowercase, true);
  assert.equal(rules(false, { tokenizer_class: "PreTrainedTokenizerFast", do_lower_case: true }).lowercase, false);
  assert.equal(rules(true, { do_lower_case: false }).lowercase, false);
  assert.equal(rules(false, {}).lowercase, false);
  const config = { tokenizer_class: "BertTokenizerFast", strip_accents: false, tokenize_chinese_chars: false };
  assert.deepEqual(rules(true, config), {
    ...bert,
    lowercase: true,
    strip_accents: false,
    handle_chinese_chars: false,
  });
});

Deno.test("do_lower_case of sentence-transformers comes before the tokenizer's rules, and is saved with them", () =>
  withTokenizer(
    "roberta",
    { "sentence_bert_config.json": { max_seq_length: 8, do_lower_case: true } },
    async (folder) => {
      const plain = await loadTokenizer(join(GOLDEN, "roberta"));
      const lower = await loadTokenizer(folder);
      const text = "The QUICK Fox";
      assert.notDeepEqual(plain.encode(text, 99), plain.encode(text.toLowerCase(), 99));
      assert.deepEqual(lower.encode(text, 99), plain.encode(text.toLowerCase(), 99));
      await withTokenizer("roberta", {}, async (again) => {
        for (const [name, bytes] of lower.files) await Deno.writeFile(join(again, name), bytes);
        assert.deepEqual((await loadTokenizer(again)).encode(text, 99), lower.encode(text, 99));
      });
    },
  ));

Deno.test("tokenizers that cannot be read or are not known are refused with their place", async () => {
  const bad: [string, unknown, RegExp][] = [
    ["tokenizer.json", "{", /not JSON/],
    ["tokenizer.json", "null", /not a JSON object/],
    ["tokenizer.json", {}, /cannot be used/],
    ["tokenizer.json", { model: { type: "Magic", vocab: {} } }, /type Magic/],
    ["tokenizer_config.json", [], /not a JSON object/],
  ];
  for (const [name, contents, message] of bad) {
    await withTokenizer("bert", { [name]: contents }, (folder) =>
      assert.rejects(loadTokenizer(folder), (error) => {
        assert.ok(error instanceof TokenizerError && error.where?.startsWith(folder), String(error));
        assert.match(error.message, message);
        return true;
      }));
  }
  const empty = await Deno.makeTempDir();
  await assert.rejects(loadTokenizer(empty), /there is no tokenizer/);
  await Deno.remove(empty);
});
