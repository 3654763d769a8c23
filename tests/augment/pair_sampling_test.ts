import assert from "node:assert/strict";
import {
  bm25Pairs,
  joinPairs,
  type PairSample,
  recombinePairs,
  semanticPairs,
  type SentencePairs,
} from "../../lib/augment/mod.ts";
import { indexSentences, makePairSet } from "../../lib/augment/pairs.ts";
import type { Dataset } from "../../lib/data/dataset.ts";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { randomPurpose, randomStream } from "../../lib/engine/philox.ts";
import { DatasetError, UsageError } from "../../lib/error.ts";

const dataset = (pairs: readonly (readonly [string, string])[]): Dataset<SentencePairs> => ({
  columns: { sentence1: pairs.map(([a]) => a), sentence2: pairs.map(([, b]) => b) },
  rows: pairs.length,
});
const pairsOf = ({ dataset: { columns } }: PairSample) =>
  columns.sentence1.map((a, row) => [a, columns.sentence2[row]!] as const);
const unordered = ([a, b]: readonly [string, string]) => JSON.stringify([a, b].sort());

/** No gold pair, no sentence with itself, no pair twice, in whichever order; nothing but gold sentences. */
function assertNew(sample: PairSample, gold: Dataset<SentencePairs>): void {
  const known = new Set(gold.columns.sentence1.map((a, row) => unordered([a, gold.columns.sentence2[row]!])));
  const sentences = new Set([...gold.columns.sentence1, ...gold.columns.sentence2]);
  for (const pair of pairsOf(sample)) {
    assert.notEqual(pair[0], pair[1]);
    assert.ok(sentences.has(pair[0]) && sentences.has(pair[1]));
    assert.ok(pair[0].trim() !== "" && pair[1].trim() !== "");
    assert.ok(!known.has(unordered(pair)), `gold or repeated: ${pair}`);
    known.add(unordered(pair));
  }
  assert.equal(sample.dataset.rows, sample.dataset.columns.sentence1.length);
  assert.equal(sample.dataset.rows, sample.dataset.columns.sentence2.length);
}

const gold = dataset([
  ["a man plays the guitar", "someone plays an instrument"],
  ["someone plays an instrument", "a man plays the guitar"],
  ["a man plays the guitar", "a man eats"],
  ["the dog sleeps", "the dog sleeps"],
  ["the dog sleeps", "an animal rests"],
  ["a guitar is played by a man", "  "],
  ["an old dog", "the cat sleeps"],
]);

Deno.test("sentences are gathered once, gold pairs without their order", () => {
  const { sentences, gold: pairs } = indexSentences(gold);
  assert.deepEqual(sentences, [
    "a man plays the guitar",
    "someone plays an instrument",
    "a man eats",
    "the dog sleeps",
    "an animal rests",
    "a guitar is played by a man",
    "an old dog",
    "the cat sleeps",
  ]);
  assert.equal(pairs.size, 4);
  assert.ok(pairs.has(1, 0) && pairs.has(0, 2) && pairs.has(4, 3) && pairs.has(6, 7) && !pairs.has(1, 2));
  const uneven = { columns: { sentence1: ["a"], sentence2: [] }, rows: 1 };
  assert.throws(() => indexSentences(uneven), DatasetError);
});

Deno.test("a pair set equals a Set of strings", () => {
  const random = randomStream(1, randomPurpose("sample"));
  const [found, expected] = [makePairSet(), new Set<string>()];
  for (let trial = 0; trial < 5000; trial++) {
    const [i, j] = [random.int(70), random.int(70) + (trial % 3) * 1_000_000_000 * (trial % 2)];
    const key = `${Math.min(i, j)} ${Math.max(i, j)}`;
    assert.equal(found.has(i, j), expected.has(key));
    assert.equal(found.add(j, i), !expected.has(key));
    expected.add(key);
    assert.equal(found.size, expected.size);
  }
});

Deno.test("recombination: as many as wanted, or all there are; by the seed", () => {
  const many = dataset(Array.from({ length: 60 }, (_, i) => [`left ${i}`, `right ${i}`]));
  const sample = recombinePairs(many, { seed: 1 });
  assert.equal(sample.dataset.rows, 600);
  assertNew(sample, many);
  assert.deepEqual(recombinePairs(many, { seed: 1 }), sample);
  assert.notDeepEqual(recombinePairs(many, { seed: 2 }).dataset, sample.dataset);
  assert.equal(recombinePairs(many, { seed: 1, pairsPerGold: 2.5 }).dataset.rows, 150);

  // Every pair is as likely as another: the mean number of draws a sentence is in is the expected one, within 5 σ.
  const uses = new Map<string, number>();
  for (let seed = 0; seed < 20; seed++) {
    for (const pair of pairsOf(recombinePairs(many, { seed }))) {
      for (const s of pair) uses.set(s, (uses.get(s) ?? 0) + 1);
    }
  }
  assert.equal(uses.size, 120);
  for (const [sentence, count] of uses) assert.ok(Math.abs(count - 200) < 5 * Math.sqrt(200), `${sentence}: ${count}`);

  // 8 sentences make 28 pairs, of which 4 are gold.
  for (const pairsPerGold of [2, 3, 10]) {
    const few = recombinePairs(gold, { seed: 5, pairsPerGold });
    assertNew(few, gold);
    assert.equal(few.dataset.rows, Math.min(24, 7 * pairsPerGold));
  }
  assert.notDeepEqual(
    pairsOf(recombinePairs(gold, { seed: 1, pairsPerGold: 3 })),
    pairsOf(recombinePairs(gold, { seed: 2, pairsPerGold: 3 })),
  );
  assert.throws(() => recombinePairs(dataset([["a", "a"]]), { seed: 1 }), DatasetError);
  assert.throws(() => recombinePairs(gold, { seed: 1, pairsPerGold: 0 }), UsageError);
});

Deno.test("BM25 pairs share words; gold pairs among the nearest are left out and counted", async () => {
  const sample = await bm25Pairs(gold, { topK: 2 });
  assertNew(sample, gold);
  const pairs = pairsOf(sample).map(unordered);
  assert.ok(pairs.includes(unordered(["a man plays the guitar", "a guitar is played by a man"])));
  assert.ok(pairs.includes(unordered(["the dog sleeps", "the cat sleeps"])));
  assert.ok(!pairs.includes(unordered(["an animal rests", "a man eats"])), "no word in common");
  assert.equal(sample.counts.sentences, 8);
  assert.ok(sample.counts.gold > 0 && sample.counts.repeated > 0);
  const most = await bm25Pairs(gold, { topK: 100 });
  assertNew(most, gold);
  assert.ok(most.dataset.rows < 24);
  await assert.rejects(bm25Pairs(gold, { topK: 0 }), UsageError);
  await assert.rejects(bm25Pairs(dataset([]), {}), DatasetError);
});

Deno.test("semantic pairs are the nearest by cosine, each once", async () => {
  const engine = createCpuEngine({ threads: 1 });
  const random = randomStream(9, randomPurpose("sample"));
  const width = 6;
  const embed = (sentences: readonly string[]) =>
    Promise.resolve({
      data: Float32Array.from({ length: sentences.length * width }, () => random.normal()),
      width,
      rows: sentences.length,
    });
  let seen: readonly string[] = [];
  let data = new Float32Array();
  const sample = await semanticPairs(engine, gold, async (sentences) => {
    seen = sentences;
    const embeddings = await embed(sentences);
    data = embeddings.data;
    return embeddings;
  }, { topK: 2 });
  assertNew(sample, gold);

  const cosine = (i: number, j: number) => {
    let [dot, a, b] = [0, 0, 0];
    for (let d = 0; d < width; d++) {
      const [x, y] = [data[i * width + d]!, data[j * width + d]!];
      dot += x * y;
      a += x * x;
      b += y * y;
    }
    return dot / Math.sqrt(a * b);
  };
  const { gold: own } = indexSentences(gold);
  const expected = new Set<string>();
  for (let i = 0; i < seen.length; i++) {
    const order = [...seen.keys()].filter((j) => j !== i).sort((x, y) => cosine(i, y) - cosine(i, x));
    for (const j of order.slice(0, 2)) if (!own.has(i, j)) expected.add(unordered([seen[i]!, seen[j]!]));
  }
  assert.deepEqual(new Set(pairsOf(sample).map(unordered)), expected);
  assert.equal(sample.dataset.rows, expected.size);
  assert.equal(sample.counts.gold + sample.counts.repeated + sample.dataset.rows, 16);
  await assert.rejects(semanticPairs(engine, gold, () => embed(["one"])), DatasetError);
  engine.close();
});

Deno.test("samples are joined without repeating a pair", async () => {
  const [a, b] = [await bm25Pairs(gold, { topK: 2 }), recombinePairs(gold, { seed: 1, pairsPerGold: 2 })];
  const joined = joinPairs(gold, [a, b]);
  assertNew(joined, gold);
  const union = new Set([...pairsOf(a), ...pairsOf(b)].map(unordered));
  assert.deepEqual(new Set(pairsOf(joined).map(unordered)), union);
  assert.deepEqual(pairsOf(joined).slice(0, a.dataset.rows), pairsOf(a));
  const foreign = { ...a, dataset: dataset([["else", "where"]]) };
  assert.throws(() => joinPairs(gold, [foreign]), DatasetError);
});
