import assert from "node:assert/strict";
import { bm25Terms, buildBm25 } from "../../lib/augment/mod.ts";
import { randomPurpose, randomStream } from "../../lib/engine/philox.ts";
import { UsageError } from "../../lib/error.ts";
import golden from "../golden/augment.json" with { type: "json" };
import { assertNear } from "../golden/golden.ts";

Deno.test("scores and order equal bm25s' (Lucene's form)", () => {
  const { texts, queries, variants } = golden.bm25;
  for (const { k1, b, scores } of variants) {
    const index = buildBm25(texts, { k1, b, terms: (text) => text.split(" ") });
    for (const [q, query] of queries.entries()) {
      const expected = scores[q]!;
      assertNear(query, index.scores(query), expected, 2e-7, 1 + Math.max(...expected));
      const order = expected.map((_, row) => row).filter((row) => expected[row]! > 0)
        .sort((x, y) => Math.fround(expected[y]!) - Math.fround(expected[x]!) || x - y);
      const hits = index.search(query, texts.length);
      assertNear(query, hits.scores, order.map((row) => expected[row]!), 2e-7, 1 + Math.max(...expected));
      assert.deepEqual([...hits.rows].sort(), [...order].sort());
    }
  }
});

Deno.test("a search finds what sorting all scores finds: all k, an excluded row, ties by row", () => {
  const random = randomStream(3, randomPurpose("sample"));
  for (const documents of [1, 30, 400]) {
    // Words by Zipf's law, so that frequent ones have long lists and small weights.
    const word = () => `w${Math.floor(1 / (random.uniform() + .003))}`;
    const text = () => Array.from({ length: 1 + random.int(12) }, word).join(" ");
    const texts = Array.from({ length: documents }, text);
    for (let i = 5; i < documents; i += 7) texts[i] = texts[i - 5]!; // ties
    const index = buildBm25(texts);
    for (let trial = 0; trial < 60; trial++) {
      const self = random.int(documents);
      const query = trial % 2 === 0 ? texts[self]! : text();
      const exclude = trial % 3 === 0 ? self : -1;
      const scores = Float32Array.from(index.scores(query));
      const order = [...scores.keys()].filter((row) => scores[row]! > 0 && row !== exclude)
        .sort((x, y) => scores[y]! - scores[x]! || x - y);
      for (const k of [1, 3, 10, 1000]) {
        const hits = index.search(query, k, exclude);
        assert.deepEqual([...hits.rows], order.slice(0, k), `${documents} documents, k ${k}: ${query}`);
        assert.deepEqual([...hits.scores], order.slice(0, k).map((row) => scores[row]!));
      }
    }
  }
});

Deno.test("terms are words in every script", () => {
  assert.deepEqual(bm25Terms("Don't stop: it's 3.5 km — naïve Ünïcödé_x"), [
    "don't",
    "stop",
    "it's",
    "3",
    "5",
    "km",
    "naïve",
    "ünïcödé",
    "x",
  ]);
  assert.deepEqual(bm25Terms("私は猫です。カタカナ abc"), ["私", "は", "猫", "で", "す", "カタカナ", "abc"]);
  assert.deepEqual(bm25Terms("हिन्दी में"), ["हिन्दी", "में"]);
  assert.deepEqual(bm25Terms(" …! "), []);
});

Deno.test("nothing to find, nothing found; settings are checked", () => {
  assert.equal(buildBm25([]).search("a", 3).rows.length, 0);
  const index = buildBm25(["", "a b", "!"]);
  assert.equal(index.vocabulary, 2);
  assert.equal(index.search("", 3).rows.length, 0);
  assert.equal(index.search("c", 3).rows.length, 0);
  assert.equal(index.search("a", 0).rows.length, 0);
  assert.deepEqual([...index.search("a", 3).rows], [1]);
  assert.deepEqual([...index.search("a", 3, 1).rows], []);
  assert.throws(() => buildBm25([], { k1: -1 }), UsageError);
  assert.throws(() => buildBm25([], { b: 1.1 }), UsageError);
  for (const k of [1.5, -1, NaN]) assert.throws(() => index.search("a", k), UsageError);
});
