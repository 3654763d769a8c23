import assert from "node:assert/strict";
import { TokenizerError } from "../../lib/error.ts";
import { maskTokens, wordStartsOf } from "../../lib/text/masking.ts";
import { pack } from "../../lib/text/packed.ts";
import { loadTokenizer, tokenize, tokenizerFromVocabulary } from "../../lib/text/tokenizer.ts";
import { goldenPath } from "../golden/golden.ts";

const letters = Array.from({ length: 50 }, (_, i) => `w${i}`);
const tokenizer = tokenizerFromVocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ...letters, "##s", "##t"]);
const [CLS, SEP, MASK, S, T] = [2, 3, 4, 55, 56];

/** `count` texts: [CLS], some words of one, two or three pieces, [SEP]. */
function textsOf(count: number) {
  const ids: number[] = [];
  const offsets = [0];
  for (let i = 0; i < count; i++) {
    ids.push(CLS);
    for (let w = 0; w < 20; w++) ids.push(5 + (7 * i + 3 * w) % 50, ...(w % 3 === 0 ? [] : w % 3 === 1 ? [S] : [S, T]));
    ids.push(SEP);
    offsets.push(ids.length);
  }
  return { ids: Int32Array.from(ids), typeIds: undefined, offsets: Int32Array.from(offsets) };
}

const texts = textsOf(500);
const rows = Array.from({ length: 500 }, (_, i) => i);
const batch = pack([{ texts, rows }]);

Deno.test("15 % of the tokens are to be guessed: 80 % of them masked, 10 % replaced, 10 % as they were", () => {
  const { ids, positions, targets } = maskTokens(batch, tokenizer, { seed: 1, step: 1 });
  const ordinary = [...batch.ids].filter((id) => id !== CLS && id !== SEP).length;
  const share = positions.length / ordinary;
  assert.ok(Math.abs(share - 0.15) < 0.01, `${share}`); // 20 000 tokens: four standard deviations
  const count = (is: (t: number, i: number) => boolean) => [...positions].filter(is).length / positions.length;
  const masked = count((t) => ids[t] === MASK);
  const same = count((t) => ids[t] === batch.ids[t]);
  assert.ok(Math.abs(masked - 0.8) < 0.03, `${masked}`);
  assert.ok(Math.abs(same - 0.1) < 0.03, `${same}`);
  assert.deepEqual([...targets], [...positions].map((t) => batch.ids[t]));
  const chosen = new Set(positions);
  batch.ids.forEach((id, t) => {
    if (!chosen.has(t)) assert.equal(ids[t], id);
    else assert.ok(id !== CLS && id !== SEP);
  });
});

Deno.test("the choice depends on seed, step, row and position, not on packing", () => {
  const all = maskTokens(batch, tokenizer, { seed: 1, step: 1 });
  const alone = maskTokens(pack([{ texts, rows: [7] }], [7]), tokenizer, { seed: 1, step: 1 });
  const start = batch.offsets[7]!;
  assert.deepEqual([...alone.ids], [...all.ids.subarray(start, batch.offsets[8])]);
  for (const key of [{ seed: 2, step: 1 }, { seed: 1, step: 2 }]) {
    assert.notDeepEqual([...maskTokens(batch, tokenizer, key).positions], [...all.positions]);
  }
});

Deno.test("whole words are chosen or left as a whole", () => {
  const wordStarts = batch.ids.map((id) => id === S || id === T ? 0 : 1);
  const { positions } = maskTokens(batch, tokenizer, { seed: 1, step: 1 }, { wordStarts, rate: 0.3 });
  const chosen = new Set(positions);
  let words = 0;
  batch.ids.forEach((id, t) => {
    if (id !== S && id !== T) return void words++;
    assert.equal(chosen.has(t), chosen.has(t - 1), `token ${t}`);
  });
  assert.ok(Math.abs(positions.length / (batch.ids.length - 1000) - 0.3) < 0.03);
  assert.ok(words > 10_000);
});

interface Row {
  readonly text: string;
  readonly ids: number[];
  readonly starts: number[];
  readonly special: number[];
}

const golden: Record<string, Row[]> = JSON.parse(await Deno.readTextFile(goldenPath("whole_words.json")));
for (const [kind, rows] of Object.entries(golden)) {
  Deno.test(`${kind}: words begin and special tokens are where transformers has them; no special token is touched`, async () => {
    const tokenizer = await loadTokenizer(goldenPath(`tokenizers/${kind}`));
    const texts = rows.map(({ text }) => text);
    const tokenized = await tokenize(tokenizer, texts, { maxLength: 512 });
    assert.deepEqual([...tokenized.ids], rows.flatMap(({ ids }) => ids));
    const special = rows.flatMap(({ special }) => special);
    assert.deepEqual([...tokenized.ids].map((id) => tokenizer.specialIds.has(id) ? 1 : 0), special);
    const starts = await wordStartsOf(tokenizer, texts, 512);
    assert.deepEqual([...starts], rows.flatMap(({ starts }) => starts));

    const all = pack([{ texts: tokenized, rows: [...rows.keys()] }]);
    for (const wordStarts of [undefined, starts]) {
      for (let step = 1; step < 40; step++) {
        const { ids, positions } = maskTokens(all, tokenizer, { seed: 3, step }, { wordStarts, rate: 0.5 });
        const chosen = new Set(positions);
        for (const [t, id] of ids.entries()) {
          if (special[t] === 1) assert.ok(!chosen.has(t) && id === all.ids[t], `token ${t}`);
          else if (wordStarts?.[t] === 0 && special[t - 1] === 0) assert.equal(chosen.has(t), chosen.has(t - 1));
          if (id !== all.ids[t]) assert.ok(id === tokenizer.special.mask || !tokenizer.specialIds.has(id));
        }
      }
    }
  });
}

Deno.test("a tokenizer without a mask token is refused", () => {
  const bare = tokenizerFromVocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a"]);
  assert.throws(() => maskTokens(batch, bare, { seed: 1, step: 1 }), TokenizerError);
});
