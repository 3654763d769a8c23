import assert from "node:assert/strict";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import {
  evaluateRetrieval,
  informationRetrievalMetrics,
  pairRetrieval,
} from "../../lib/evaluate/information_retrieval.ts";
import golden from "../golden/information_retrieval.json" with { type: "json" };

Deno.test("retrieval has the keys and values of sentence-transformers, equal documents included", async () => {
  const { width, relevant } = golden;
  const engine = createCpuEngine({ threads: 1 });
  const embeddings = (values: readonly number[]) => ({
    data: Float32Array.from(values),
    width,
    rows: values.length / width,
  });
  const { metrics, ranks } = await evaluateRetrieval(
    engine,
    embeddings(golden.queries),
    embeddings(golden.documents),
    relevant,
  );
  engine.close();
  assert.deepEqual(Object.keys(metrics).sort(), Object.keys(golden.metrics).sort());
  for (const [key, value] of Object.entries(golden.metrics)) {
    assert.ok(Math.abs(metrics[key]! - value) < 1e-12, `${key}: ${metrics[key]} instead of ${value}`);
  }
  assert.equal(ranks[5], 2, "of equal scores the lower row comes first");
});

Deno.test("negatives are documents, too, and a query whose document is not found counts", () => {
  const task = pairRetrieval({ anchor: ["a"], positive: ["x"], negative_1: ["n"], negative_2: ["m"] });
  assert.deepEqual(task.documents, ["x", "n", "m"]);
  const metrics = informationRetrievalMetrics([[1, 2], []], [[0], [1]]);
  assert.equal(metrics["cosine_recall@10"], 0);
  assert.throws(() => informationRetrievalMetrics([], []), /needs queries/);
});
