import assert from "node:assert/strict";
import { TokenizerError } from "../../lib/error.ts";
import type { TokenizedTexts } from "../../lib/text/packed.ts";
import { withoutTypes } from "../../lib/text/pair_template.ts";
import { concatTexts, cutLongestFirst, packPairs, tokenizeBare } from "../../lib/text/pairs.ts";
import { loadTokenizer } from "../../lib/text/tokenizer.ts";
import { goldenPath } from "../golden/golden.ts";

const { kept } = JSON.parse(await Deno.readTextFile(goldenPath("cross_encoder/expected.json")));

Deno.test("the longer text is cut first, token by token as transformers does", () => {
  for (const [limit, byFirst] of Object.entries(kept as Record<string, [number, number][][]>)) {
    byFirst.forEach((bySecond, one) =>
      bySecond.forEach((expected, two) => {
        assert.deepEqual(cutLongestFirst(one, two, Number(limit) - 3), expected, `${one} and ${two} in ${limit}`);
      })
    );
  }
});

Deno.test("pairs of bare texts are what the tokenizer makes of them, whatever stands beside them", async () => {
  const firsts = ["How are you?", "", "a b c d e f g h i j k l", "x"];
  const seconds = ["You are a man.", "text", "x y", "a b c d e f g h i"];
  for (const family of ["bert", "roberta", "xlm_roberta", "distilbert", "mpnet"]) {
    const tokenizer = await loadTokenizer(goldenPath(`tokenizers/${family}`));
    const [first, second] = [await tokenizeBare(tokenizer, firsts), await tokenizeBare(tokenizer, seconds)];
    const rows = [3, 0, 1, 2, 0];
    for (const maxLength of [9, 10, 64]) {
      const batch = packPairs(tokenizer.pair, { texts: first, rows }, { texts: second, rows }, { maxLength });
      rows.forEach((row, i) => {
        const [from, to] = [batch.offsets[i]!, batch.offsets[i + 1]!];
        const one = (texts: TokenizedTexts) => ({ texts, rows: [row] });
        const alone = packPairs(tokenizer.pair, one(first), one(second), { maxLength });
        assert.deepEqual(batch.ids.subarray(from, to), alone.ids);
        assert.deepEqual(batch.typeIds.subarray(from, to), alone.typeIds);
        for (let t = from; t < to; t++) {
          assert.equal(batch.positions[t], t - from);
          assert.deepEqual([...batch.places.subarray(2 * t, 2 * t + 2)], [i, t - from]);
        }
      });
      assert.equal(batch.maxLength, Math.max(...rows.map((_, i) => batch.offsets[i + 1]! - batch.offsets[i]!)));
      const plain = packPairs(withoutTypes(tokenizer.pair), { texts: first, rows }, { texts: second, rows }, {
        maxLength,
        streams: [7, 7, 7, 7, 7],
      });
      assert.deepEqual(plain.ids, batch.ids);
      assert.ok(plain.typeIds.every((type) => type === 0));
      assert.ok(plain.places.every((place, i) => i % 2 === 1 || place === 7));
    }
  }
});

Deno.test("no pairs make an empty batch; a limit below the special tokens is refused", async () => {
  const tokenizer = await loadTokenizer(goldenPath("tokenizers/bert"));
  const texts = await tokenizeBare(tokenizer, ["a"]);
  const { ids, offsets } = packPairs(tokenizer.pair, { texts, rows: [] }, { texts, rows: [] }, { maxLength: 2 });
  assert.deepEqual([ids.length, [...offsets]], [0, [0]]);
  assert.throws(
    () => packPairs(tokenizer.pair, { texts, rows: [0] }, { texts, rows: [0] }, { maxLength: 2 }),
    TokenizerError,
  );
});

Deno.test("white space is taken off as Python's strip does, and a prompt put before", async () => {
  const tokenizer = { bareIds: (text: string) => [...text].map((char) => char.codePointAt(0)!) };
  const texts = ["\u3000 a b\n", "\ufeffx", "\x1cy\x85"];
  const stripped = await tokenizeBare(tokenizer, texts, { strip: true, prompt: "p " });
  const text = (i: number) =>
    String.fromCodePoint(...stripped.ids.subarray(stripped.offsets[i]!, stripped.offsets[i + 1]!));
  assert.deepEqual([0, 1, 2].map(text), ["p a b", "p \ufeffx", "p y"]);
  assert.equal((await tokenizeBare(tokenizer, texts)).ids.length, 11);
});

Deno.test("columns joined keep their texts, one column after the other", () => {
  const column = (...texts: number[][]) => ({
    ids: Int32Array.from(texts.flat()),
    typeIds: undefined,
    offsets: Int32Array.from([0, ...texts.map((_, i) => texts.slice(0, i + 1).flat().length)]),
  });
  assert.deepEqual(concatTexts([column([1, 2], []), column([3], [4, 5])]), column([1, 2], [], [3], [4, 5]));
});
