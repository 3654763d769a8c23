import assert from "node:assert/strict";
import { MOST_FLOAT32_RANKS, pearson, ranks, ranksInto } from "../../lib/numeric/correlation.ts";

Deno.test("ranks in float32 are those in float64, and so are their correlations, to the last bit", () => {
  // Two numbers of three are shared by several.
  const x = Float64Array.from({ length: 3000 }, (_, i) => i % 3 === 0 ? Math.sin(i) : i % 7);
  const y = Float64Array.from(x, (value, i) => value + Math.cos(i));
  const small = (values: Float64Array) =>
    ranksInto(values, new Float32Array(values.length), new Float64Array(values.length));
  assert.deepEqual([...small(x)], [...ranks(x)]);
  assert.equal(pearson(small(x), small(y)), pearson(ranks(x), ranks(y)));
  for (const rank of [MOST_FLOAT32_RANKS, MOST_FLOAT32_RANKS - 0.5]) assert.equal(Math.fround(rank), rank);
});

Deno.test("what is no number has no rank, and is below none", () => {
  assert.deepEqual([...ranksInto([2, NaN, 1], new Float32Array(3), new Float64Array(3))], [2, NaN, 1]);
});
