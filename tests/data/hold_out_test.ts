import assert from "node:assert/strict";
import { heldOutCount, holdOut } from "../../lib/data/hold_out.ts";

Deno.test("a tenth is held out, a thousand rows at most, and nothing of fewer than twenty", () => {
  assert.deepEqual([19, 20, 1000, 50_000].map((rows) => heldOutCount(rows)), [0, 2, 100, 1000]);
  assert.deepEqual([0, 0.25, 7].map((wanted) => heldOutCount(100, wanted)), [0, 25, 7]);
  for (const wanted of [100, -1, 2.5, NaN]) assert.throws(() => heldOutCount(100, wanted), /held out/);
});

Deno.test("no text is on both sides, whatever hangs together, and another seed holds out other rows", () => {
  const rows = 600;
  const columns = {
    anchor: Array.from({ length: rows }, (_, i) => `question ${i % 190}`),
    positive: Array.from({ length: rows }, (_, i) => `answer ${i % 80 === 0 ? 1 : i}`),
    negative: Array.from({ length: rows }, () => "no answer"),
  };
  const { train, heldOut } = holdOut({ columns, rows }, { seed: 1 });
  assert.ok(heldOut.rows > 55 && heldOut.rows <= 60 && train.rows + heldOut.rows === rows);
  const texts = (part: typeof train) => new Set([...part.columns.anchor, ...part.columns.positive]);
  assert.equal(texts(train).intersection(texts(heldOut)).size, 0);
  assert.deepEqual(holdOut({ columns, rows }, { seed: 1 }).heldOut, heldOut);
  assert.notDeepEqual(holdOut({ columns, rows }, { seed: 2 }).heldOut, heldOut);
});

Deno.test("rows that all hang together are all trained on", () => {
  const columns = {
    anchor: Array.from({ length: 50 }, () => "why?"),
    positive: Array.from({ length: 50 }, (_, i) => `${i}`),
  };
  assert.equal(holdOut({ columns, rows: 50 }, { seed: 1 }).heldOut.rows, 0);
});

Deno.test("a chain of 200,000 rows is one group, soon found", () => {
  const rows = 200_000;
  const columns = {
    anchor: Array.from({ length: rows }, (_, i) => `${i}`),
    positive: Array.from({ length: rows }, (_, i) => `${i + 1}`),
  };
  const started = performance.now();
  assert.equal(holdOut({ columns, rows }, { seed: 1 }).heldOut.rows, 0);
  assert.ok(performance.now() - started < 5000);
});
