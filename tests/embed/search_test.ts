import assert from "node:assert/strict";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import type { Engine } from "../../lib/engine/engine.ts";
import { EvaluationError } from "../../lib/error.ts";
import {
  type EmbeddedTexts,
  firstOccurrences,
  type PairScorer,
  searchCorpus,
  searchCost,
  similarPairs,
} from "../../lib/embed/search.ts";

/** Texts on the unit circle, by degrees. */
function circle(...degrees: number[]): EmbeddedTexts {
  const data = Float32Array.from(degrees.flatMap((d) => [Math.cos(d * Math.PI / 180), Math.sin(d * Math.PI / 180)]));
  return { texts: degrees.map((d) => `${d}°`), embeddings: { data, width: 2, rows: degrees.length } };
}

async function withEngine(run: (engine: Engine) => Promise<void>): Promise<void> {
  const engine = createCpuEngine({ threads: 1 });
  try {
    await run(engine);
  } finally {
    engine.close();
  }
}

/** Prefers long texts, and remembers what it saw. */
function lengthScorer(): { seen: (readonly [string, string])[]; score: PairScorer } {
  const seen: (readonly [string, string])[] = [];
  return {
    seen,
    score: (pairs) => {
      seen.push(...pairs);
      return Promise.resolve(Float32Array.from(pairs, ([a, b]) => a.length + b.length));
    },
  };
}

Deno.test("searchCorpus() finds the nearest of each query; a k beyond the corpus gives all of it", () =>
  withEngine(async (engine) => {
    const corpus = circle(0, 90, 100, 180);
    const { found, reranking } = await searchCorpus(engine, circle(95, 5), corpus, { k: 2 });
    assert.deepEqual(found.map((hits) => hits.map(({ row }) => row)), [[1, 2], [0, 1]]);
    assert.ok(Math.abs(found[1]![0]!.similarity - Math.cos(5 * Math.PI / 180)) < 1e-6);
    assert.deepEqual(reranking, { inferences: 0, seconds: 0 });
    const all = await searchCorpus(engine, circle(1), corpus, { k: 100 });
    assert.deepEqual(all.found[0]!.map(({ row }) => row), [0, 1, 2, 3]);
    assert.deepEqual((await searchCorpus(engine, circle(1), circle(40))).found.map((hits) => hits.length), [1]);
  }));

Deno.test("searchCorpus() has what it found judged again, and nothing else", () =>
  withEngine(async (engine) => {
    const { seen, score } = lengthScorer();
    const { found, reranking } = await searchCorpus(engine, circle(92), circle(0, 90, 100, 180), {
      k: 3,
      rerank: score,
    });
    assert.deepEqual(seen, [["92°", "90°"], ["92°", "100°"], ["92°", "180°"]]);
    // 100° and 180° are equally long: similarity decides.
    assert.deepEqual(found[0]!.map(({ row }) => row), [2, 3, 1]);
    assert.deepEqual(found[0]!.map((hit) => hit.score), [7, 7, 6]);
    assert.equal(reranking.inferences, 3);
  }));

Deno.test("similarPairs() finds the closest pairs and judges them; equal texts are taken out before", () =>
  withEngine(async (engine) => {
    const corpus = circle(0, 50, 53, 120, 121);
    const { found } = await similarPairs(engine, corpus, { k: 2 });
    assert.deepEqual(found.map(({ first, second }) => [first, second]), [[3, 4], [1, 2]]);
    const { seen, score } = lengthScorer();
    const judged = await similarPairs(engine, corpus, { k: 1000, rerank: score });
    assert.equal(judged.found.length, 10);
    assert.equal(judged.reranking.inferences, 10);
    assert.equal(seen.length, 10);
    assert.deepEqual([judged.found[0]!.first, judged.found[0]!.second], [3, 4]);
    assert.deepEqual([...firstOccurrences(["b", "a", "b", "", "a"])], [0, 1, 3]);
  }));

Deno.test("searchCost() sets both ways side by side, and extrapolates only what was measured", () => {
  const comparing = { inferences: 0, seconds: 0.5 };
  const cost = searchCost(10_000, { inferences: 10_000, seconds: 4 }, {
    comparing,
    reranking: { inferences: 50, seconds: 0.1 },
  });
  assert.equal(cost.pairs, 49_995_000);
  assert.deepEqual(cost.biEncoder, { inferences: 10_000, seconds: 4.5 });
  assert.deepEqual(cost.allPairs, { inferences: 49_995_000, seconds: 49_995_000 * 0.1 / 50 });
  const none = searchCost(3, { inferences: 3, seconds: 1 }, { comparing, reranking: { inferences: 0, seconds: 0 } });
  assert.equal(none.allPairs, undefined);
});

Deno.test("search says what is wrong with its input", () =>
  withEngine(async (engine) => {
    const none = { texts: [], embeddings: { data: new Float32Array(0), width: 2, rows: 0 } };
    await assert.rejects(searchCorpus(engine, circle(1), none), EvaluationError);
    await assert.rejects(searchCorpus(engine, none, circle(1)), EvaluationError);
    await assert.rejects(similarPairs(engine, none), EvaluationError);
    await assert.rejects(similarPairs(engine, circle(1)), /single text/);
    await assert.rejects(similarPairs(engine, { ...circle(1, 2), texts: ["1°"] }), /needs an embedding/);
    const bad: PairScorer = () => Promise.resolve(Float32Array.of(NaN));
    await assert.rejects(similarPairs(engine, circle(1, 2), { rerank: bad }), EvaluationError);
    const two: PairScorer = () => Promise.resolve(new Float32Array(2));
    await assert.rejects(searchCorpus(engine, circle(1), circle(1), { rerank: two }), /every pair a finite number/);
  }));
