import assert from "node:assert/strict";
import { easyNegatives } from "../../lib/negatives/easy.ts";

Deno.test("an easy negative is neither the row's positive nor its anchor, however many repeats the pool has", () => {
  const anchors = Array.from({ length: 500 }, (_, row) => `a${row % 5}`);
  const positives = Array.from({ length: 500 }, (_, row) => `p${row % 3}`);
  const pool = [...positives, ...anchors];
  const negatives = easyNegatives(anchors, positives, pool, { seed: 7 });
  negatives.forEach((negative, row) => {
    assert.notEqual(negative, positives[row]);
    assert.notEqual(negative, anchors[row]);
  });
  assert.equal(new Set(negatives).size, 8);
});

Deno.test("even one other text in a large pool is found", () => {
  const pool = [...new Array<string>(5000).fill("same"), "other"];
  for (let seed = 0; seed < 20; seed++) assert.deepEqual(easyNegatives(["a"], ["same"], pool, { seed }), ["other"]);
});

Deno.test("a pool without another text is refused", () => {
  assert.throws(() => easyNegatives(["a"], ["same"], ["same", "same"], { seed: 1 }), { _tag: "DatasetError" });
});
