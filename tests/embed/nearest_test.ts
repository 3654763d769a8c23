import assert from "node:assert/strict";
import type { Engine } from "../../lib/engine/engine.ts";
import { randomPurpose, randomStream } from "../../lib/engine/philox.ts";
import { DatasetError, UsageError } from "../../lib/error.ts";
import type { Embeddings } from "../../lib/embed/pairwise.ts";
import { closestPairs } from "../../lib/embed/closest_pairs.ts";
import { nearest } from "../../lib/embed/nearest.ts";
import { quantizeEmbeddings } from "../../lib/embed/quantize.ts";
import { nearestQuantized } from "../../lib/embed/quantized_search.ts";
import { engines } from "../engine/engines.ts";

/** Small whole numbers: dot products are exact on every engine, and ties are frequent. */
function wholeNumbers(rows: number, width: number, seed: number): Embeddings {
  const stream = randomStream(seed, randomPurpose("sample"), 0);
  return { data: Float32Array.from({ length: rows * width }, () => stream.int(7) - 3), width, rows };
}

function similarity(a: Embeddings, i: number, b: Embeddings, j: number, cosine: boolean): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let f = 0; f < a.width; f++) {
    const [x, y] = [a.data[i * a.width + f]!, b.data[j * b.width + f]!];
    dot += x * y;
    aa += x * x;
    bb += y * y;
  }
  return !cosine ? dot : aa === 0 || bb === 0 ? 0 : dot / Math.sqrt(aa * bb);
}

function sortedNeighbors(queries: Embeddings, corpus: Embeddings, cosine: boolean, excludeSelf: boolean) {
  return Array.from(
    { length: queries.rows },
    (_, i) =>
      Array.from({ length: corpus.rows }, (_, j) => ({ row: j, score: similarity(queries, i, corpus, j, cosine) }))
        .filter(({ row }) => !excludeSelf || row !== i)
        .sort((x, y) => y.score - x.score || x.row - y.row),
  );
}

async function withEngine(create: () => Engine | Promise<Engine>, f: (engine: Engine) => Promise<void>): Promise<void> {
  const engine = await create();
  try {
    await f(engine); // kernels may keep their workspace
    const { live } = engine.memory();
    await f(engine);
    assert.equal(engine.memory().live, live, "nothing stays on the device");
  } finally {
    engine.close();
  }
}

for (const { name, create } of engines) {
  Deno.test(`${name}: neighbours equal a full sort, ties by row, whatever the blocks`, () =>
    withEngine(create, async (engine) => {
      const queries = wholeNumbers(23, 5, 1);
      const corpus = wholeNumbers(57, 5, 2);
      const expected = sortedNeighbors(queries, corpus, false, false);
      for (
        const { k, blockRows, queryRows } of [
          { k: 1, blockRows: 57, queryRows: 23 },
          { k: 7, blockRows: 5, queryRows: 4 },
          { k: 20, blockRows: 1, queryRows: 23 },
          { k: 57, blockRows: 16, queryRows: 1 },
          { k: 1000, blockRows: 4096, queryRows: 1024 },
        ]
      ) {
        const found = await nearest(engine, queries, corpus, { k, blockRows, queryRows, similarity: "dot" });
        assert.equal(found.k, Math.min(k, 57));
        assert.deepEqual([...found.counts], Array(23).fill(found.k));
        assert.deepEqual(
          [...found.indices],
          expected.flatMap((list) => list.slice(0, k).map(({ row }) => row)),
          `k ${k}, blocks of ${blockRows}`,
        );
        assert.deepEqual([...found.scores], expected.flatMap((list) => list.slice(0, k).map(({ score }) => score)));
      }
    }));

  Deno.test(`${name}: the closest pairs equal a full sort, ties by rows`, () =>
    withEngine(create, async (engine) => {
      const corpus = wholeNumbers(31, 5, 3);
      const expected = sortedNeighbors(corpus, corpus, false, false)
        .flatMap((list, i) => list.filter(({ row }) => row > i).map(({ row, score }) => ({ i, j: row, score })))
        .sort((x, y) => y.score - x.score || x.i - y.i || x.j - y.j);
      for (const [pairs, blockRows] of [[1, 31], [17, 4], [100, 7], [465, 10], [10_000, 2048]] as const) {
        const found = await closestPairs(engine, corpus, { pairs, blockRows, similarity: "dot" });
        const list = Array.from(found.scores, (score, p) => ({ i: found.first[p]!, j: found.second[p]!, score }));
        assert.deepEqual(list, expected.slice(0, pairs), `${pairs} pairs, blocks of ${blockRows}`);
      }
      const atLeast = await closestPairs(engine, corpus, { minScore: 12, blockRows: 9, similarity: "dot" });
      assert.equal(atLeast.scores.length, expected.filter(({ score }) => score >= 12).length);
    }));
}

const cpu = engines[0]!.create;

Deno.test("cosine is the default, and 0 with a zero vector", () =>
  withEngine(cpu, async (engine) => {
    const queries = { data: Float32Array.of(2, 0, 0, 0), width: 2, rows: 2 };
    const corpus = { data: Float32Array.of(0, 9, 4, 3, .5, 0, 0, 0), width: 2, rows: 4 };
    const found = await nearest(engine, queries, corpus, { k: 4 });
    assert.deepEqual([...found.indices], [2, 1, 0, 3, 0, 1, 2, 3]);
    [1, .8, 0, 0, 0, 0, 0, 0].forEach((score, i) => assert.ok(Math.abs(found.scores[i]! - score) < 1e-6));
  }));

Deno.test("a query is not its own neighbour when it is excluded; its double is", () =>
  withEngine(cpu, async (engine) => {
    const corpus = wholeNumbers(40, 3, 4);
    corpus.data.copyWithin(3 * 3, 0, 3); // row 3 = row 0
    const expected = sortedNeighbors(corpus, corpus, false, true);
    for (const blockRows of [3, 64]) {
      const found = await nearest(engine, corpus, corpus, { k: 40, excludeSelf: true, similarity: "dot", blockRows });
      assert.equal(found.k, 39);
      assert.deepEqual([...found.indices], expected.flatMap((list) => list.map(({ row }) => row)));
    }
    const one = await nearest(engine, { data: Float32Array.of(1), width: 1, rows: 1 }, {
      data: Float32Array.of(1),
      width: 1,
      rows: 1,
    }, { excludeSelf: true });
    assert.deepEqual([one.k, one.indices.length, [...one.counts]], [0, 0, [0]]);
  }));

Deno.test("a corpus in pieces gives what the whole gives, however many neighbours are asked for", () =>
  withEngine(cpu, async (engine) => {
    const queries = wholeNumbers(6, 4, 5);
    const corpus = wholeNumbers(50, 4, 6);
    const pieces = [[0, 13], [13, 13], [13, 14], [14, 50]].map(([start, end]) => ({
      data: corpus.data.subarray(start! * 4, end! * 4),
      width: 4,
      rows: end! - start!,
    }));
    async function* stream() {
      yield* pieces;
      await Promise.resolve();
    }
    const whole = await nearest(engine, queries, corpus, { k: 9 });
    assert.deepEqual(await nearest(engine, queries, pieces, { k: 9 }), whole);
    assert.deepEqual(await nearest(engine, queries, stream(), { k: 9, blockRows: 8 }), whole);

    const few = await nearest(engine, queries, [pieces[2]!], { k: 3 });
    assert.deepEqual([few.k, [...few.indices], [...few.counts]], [1, Array(6).fill(0), Array(6).fill(1)]);

    // There is room for what can be found alone: a billion numbers for each query would not fit into memory.
    const k = 1e9;
    for (const excludeSelf of [false, true]) {
      const some = excludeSelf ? corpus : queries;
      const all = await nearest(engine, some, corpus, { k, excludeSelf });
      assert.equal(all.k, excludeSelf ? 49 : 50);
      assert.deepEqual(await nearest(engine, some, pieces, { k, excludeSelf }), all);
      assert.deepEqual(await nearest(engine, some, stream(), { k, excludeSelf, blockRows: 8, queryRows: 4 }), all);
    }
    for (const precision of ["int8", "ubinary"] as const) {
      const bytes = quantizeEmbeddings(corpus, precision);
      assert.equal((await nearestQuantized(engine, queries, bytes, { k, rescoreMultiplier: 1e6 })).k, 50);
    }
  }));

Deno.test("there is room for pairs that are found, not for all that are asked for", () =>
  withEngine(cpu, async (engine) => {
    const found = await closestPairs(engine, wholeNumbers(400, 3, 9), { pairs: 1e12, blockRows: 64 });
    assert.equal(found.scores.length, 400 * 399 / 2);
    assert.equal(new Set(found.first.map((row, p) => 400 * row + found.second[p]!)).size, 400 * 399 / 2);
    assert.ok(found.scores.every((score, p) => p === 0 || score <= found.scores[p - 1]!));
  }));

Deno.test("memory on the device does not grow with the corpus", async () => {
  const peak = async (rows: number) => {
    const engine = await cpu();
    await nearest(engine, wholeNumbers(rows, 4, 1), wholeNumbers(rows, 4, 1), { blockRows: 64, queryRows: 64 });
    await closestPairs(engine, wholeNumbers(rows, 4, 1), { blockRows: 64 });
    engine.close();
    return engine.memory().peak;
  };
  const [small, large] = [await peak(128), await peak(1280)];
  assert.ok(small > 0);
  assert.equal(large, small);
});

Deno.test("nothing to search in, nothing to search for", () =>
  withEngine(cpu, async (engine) => {
    const empty = { data: new Float32Array(0), width: 4, rows: 0 };
    const some = wholeNumbers(3, 4, 7);
    assert.deepEqual((await nearest(engine, empty, some)).indices.length, 0);
    const none = await nearest(engine, some, empty);
    assert.deepEqual([none.k, [...none.counts]], [0, [0, 0, 0]]);
    const noTexts = { data: new Float32Array(0), width: 0, rows: 0 }; // what an encoder makes of no texts
    assert.equal((await nearest(engine, noTexts, some)).queries, 0);
    assert.deepEqual([...(await nearest(engine, some, noTexts)).counts], [0, 0, 0]);
    assert.equal((await closestPairs(engine, empty)).scores.length, 0);
    assert.equal((await closestPairs(engine, { ...some, rows: 1, data: some.data.subarray(0, 4) })).scores.length, 0);
  }));

Deno.test("what cannot be compared is refused", () =>
  withEngine(cpu, async (engine) => {
    const some = wholeNumbers(3, 4, 8);
    const withValue = (value: number) => ({ ...some, data: some.data.with(5, value) });
    const dataset = (found: RegExp) => (error: unknown) =>
      error instanceof DatasetError && found.test(`${error.summary} ${error.where} ${error.found}`);
    await assert.rejects(nearest(engine, some, wholeNumbers(3, 5, 8)), dataset(/another width .* 5/));
    await assert.rejects(nearest(engine, withValue(NaN), some), dataset(/the queries: .*row 1 a length of NaN/));
    await assert.rejects(nearest(engine, some, withValue(Infinity)), dataset(/the corpus: .*row 1 a length of Inf/));
    await assert.rejects(nearest(engine, some, withValue(1e19)), dataset(/too long/));
    await assert.rejects(closestPairs(engine, withValue(NaN)), dataset(/row 1/));
    await assert.rejects(nearest(engine, some, { ...some, rows: 4 }), dataset(/does not match rows and width/));
    for (const corpus of [some, [some]]) {
      const found = nearest(engine, wholeNumbers(4, 4, 1), corpus, { excludeSelf: true });
      await assert.rejects(found, dataset(/excludeSelf.* 3$/));
    }
    for (const k of [0, -1, 1.5, NaN]) await assert.rejects(nearest(engine, some, some, { k }), UsageError);
    await assert.rejects(closestPairs(engine, some, { pairs: 0 }), UsageError);
  }));
