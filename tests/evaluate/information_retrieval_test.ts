import assert from "node:assert/strict";
import {
  evaluateRetrieval,
  informationRetrievalMetrics,
  pairRetrieval,
} from "../../lib/evaluate/information_retrieval.ts";
import { engines } from "../engine/engines.ts";
import golden from "../golden/information_retrieval.json" with { type: "json" };

const { width, relevant } = golden;
const embeddings = (values: readonly number[]) => ({
  data: Float32Array.from(values),
  width,
  rows: values.length / width,
});
const [queries, documents] = [embeddings(golden.queries), embeddings(golden.documents)];

function same(metrics: Readonly<Record<string, number>>, expected: Readonly<Record<string, number>>): void {
  assert.deepEqual(Object.keys(metrics).sort(), Object.keys(expected).sort());
  for (const [key, value] of Object.entries(expected)) {
    assert.ok(Math.abs(metrics[key]! - value) < 1e-12, `${key}: ${metrics[key]} instead of ${value}`);
  }
}

for (const { name, create } of engines) {
  Deno.test(`${name}: retrieval has the keys and values of sentence-transformers, equal documents included`, async () => {
    const engine = await create();
    const { metrics, ranks } = await evaluateRetrieval(engine, queries, documents, relevant);
    same(metrics, golden.metrics);
    assert.equal(ranks[5], 2, "of equal scores the lower row comes first");

    // Two similarities in one pass over documents that come in pieces, at other depths.
    const asked: number[] = [];
    const pieces = function* () {
      for (let row = 0; row < documents.rows; row += 29) {
        asked.push(row);
        const data = documents.data.slice(row * width, (row + 29) * width);
        yield { data, width, rows: data.length / width };
      }
    };
    const wide = await evaluateRetrieval(engine, queries, pieces(), relevant, {
      similarities: ["cosine", "dot"],
      mrrAt: [1, 20],
      ndcgAt: [3, 10, 50],
      accuracyAt: [2],
      precisionRecallAt: [1, 7],
      mapAt: [5, 100],
    });
    same(wide.metrics, golden.wide);
    assert.equal(asked.length, 5, "every piece is made once");
    assert.equal(wide.values["dot_map@100"]!.length, relevant.length);
    await assert.rejects(() => evaluateRetrieval(engine, queries, documents, relevant, { mapAt: [0] }), /mapAt/);
    engine.close();
  });
}

Deno.test("negatives are documents, too, and a query whose document is not found counts", () => {
  const task = pairRetrieval({ anchor: ["a"], positive: ["x"], negative_1: ["n"], negative_2: ["m"] });
  assert.deepEqual(task.documents, ["x", "n", "m"]);
  const metrics = informationRetrievalMetrics([[1, 2], []], [[0], [1]]);
  assert.equal(metrics["cosine_recall@10"], 0);
  assert.throws(() => informationRetrievalMetrics([], []), /needs queries/);
});
