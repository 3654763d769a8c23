import assert from "node:assert/strict";
import { modelOf } from "../../lib/text/models/select.ts";
import { pipelineOf } from "../../lib/text/pipeline.ts";
import { loadTokenizer } from "../../lib/text/tokenizer.ts";
import { goldenPath } from "../golden/golden.ts";

const MANY = 400_000;
/** Long texts that are slow, or overflow the stack, where time or depth grows with the square of the length. */
const TEXTS: Record<string, string> = {
  "one unknown character": "\u{10ffff}".repeat(MANY / 2),
  "one word": "abcdefghij".repeat(MANY / 10),
  "one letter": "a".repeat(MANY),
  "one digit": "7".repeat(MANY),
  "spaces": " ".repeat(MANY),
  "line breaks": "\n".repeat(MANY),
  "punctuation": "!".repeat(MANY),
  "ideographs": "世界".repeat(MANY / 2),
  "marks": "e" + "\u0301\u0323".repeat(MANY / 2),
  "joined emoji": "👩\u200d".repeat(MANY / 3),
  "special tokens": "<mask>[MASK]</s>".repeat(MANY / 16),
  "what almost is one": "<mas[MAS".repeat(MANY / 8),
};

for (const family of ["bert", "mpnet", "roberta", "xlm_roberta"]) {
  Deno.test(`${family}: very long texts of one kind take time by their length`, async () => {
    const tokenizer = await loadTokenizer(goldenPath(`tokenizers/${family}`));
    for (const [name, text] of Object.entries(TEXTS)) {
      const start = performance.now();
      const ids = tokenizer.bareIds(text);
      // Quadratic time would be hours: the limit only tells the two apart, on a busy machine too.
      assert.ok(performance.now() - start < 30_000, `${name}: ${performance.now() - start} ms`);
      // A word is unknown as a whole to some; white space alone is nothing to others.
      assert.ok(ids.length <= 4 * text.length, name);
    }
  });
}

Deno.test("SentencePiece's table and the patterns of language models do very long texts", async () => {
  const pattern =
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" +
    "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  const golden = JSON.parse(await Deno.readTextFile(goldenPath("tokenizers/conformance.json")));
  const model = modelOf({ type: "WordLevel", vocab: { "<unk>": 0 }, unk_token: "<unk>" });
  for (
    const definition of [
      { pre_tokenizer: { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false } },
      { normalizer: golden.kinds["normalizer precompiled"].definition.normalizer },
    ]
  ) {
    const pipeline = pipelineOf(definition, model, []);
    for (const [name, text] of Object.entries(TEXTS)) {
      const start = performance.now();
      const ids: number[] = [];
      pipeline(text, ids);
      assert.ok(ids.length > 0, name);
      assert.ok(performance.now() - start < 30_000, `${name}: ${performance.now() - start} ms`);
    }
  }
});
