import assert from "node:assert/strict";
import { datasetOf } from "../../lib/data/rows.ts";
import { tripletsFromNli } from "../../lib/negatives/nli.ts";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { DatasetError, UsageError } from "../../lib/error.ts";
import { semiHardNegatives } from "../../lib/negatives/semi_hard.ts";
import { withNegatives } from "../../lib/negatives/triplets.ts";
import { embedAngles, pairsOf } from "./vectors.ts";

const pairs = pairsOf(["a0", "p5"], ["b90", "p85"], ["a0", "p10"]);

async function mined(maxScore: number, negatives = 2) {
  const engine = createCpuEngine({ threads: 1 });
  const result = await semiHardNegatives(engine, pairs, embedAngles, {
    corpus: ["c20", "c60", "c62"],
    negatives,
    maxScore,
    rangeMax: 10,
  });
  engine.close();
  return result.negatives;
}

Deno.test("every pair gets its anchor's best negatives, in its own place", async () => {
  const negatives = await mined(1);
  assert.deepEqual(withNegatives(pairs, negatives), {
    dataset: { columns: { ...pairs.columns, negative: ["c20", "c62", "c20"] }, rows: 3 },
    counts: { found: 3, easy: 0, short: 0, dropped: 0 },
  });
  assert.deepEqual(withNegatives(pairs, negatives, { negatives: 2 }).dataset.columns, {
    ...pairs.columns,
    negative_1: ["c20", "c62", "c20"],
    negative_2: ["c60", "c60", "c60"],
  });
});

Deno.test("rows with too few get easy negatives, or are left out; both are counted", async () => {
  const negatives = await mined(.6); // a0: c60, c62, p85; b90: c20, p10, p5
  const few = { ...negatives, counts: Int32Array.of(0, 1) };
  assert.deepEqual(withNegatives(pairs, few, { missing: "drop" }), {
    dataset: { columns: { anchor: ["b90"], positive: ["p85"], negative: ["c20"] }, rows: 1 },
    counts: { found: 1, easy: 0, short: 2, dropped: 2 },
  });
  const drawn = new Set<string>();
  for (let seed = 0; seed < 30; seed++) {
    const { dataset, counts } = withNegatives(pairs, few, { negatives: 3, seed });
    assert.deepEqual(counts, { found: 1, easy: 8, short: 3, dropped: 0 });
    const rows = Array.from({ length: 3 }, (_, row) => Object.values(dataset.columns).map((column) => column[row]!));
    for (const row of rows) assert.equal(new Set(row).size, 5, `${row}`);
    assert.equal(rows[1]![2], "c20");
    for (const row of [rows[0]!, rows[2]!]) {
      assert.ok(row.slice(2).every((text) => !["p5", "p10", "a0"].includes(text)), `${row}`);
    }
    drawn.add(JSON.stringify(rows));
    assert.deepEqual(withNegatives(pairs, few, { negatives: 3, seed }).dataset, dataset);
  }
  assert.ok(drawn.size > 15, "seeds differ");
});

Deno.test("entailed pairs of an NLI dataset get mined negatives among all hypotheses", async () => {
  const nli = datasetOf({
    premise: ["a0", "a0", "b90", "a0"],
    hypothesis: ["p5", "n30", "p85", "c50"],
    label: Int32Array.of(0, 1, 0, 2),
  });
  const { dataset } = tripletsFromNli(nli, { negatives: "none", seed: 1 });
  const engine = createCpuEngine({ threads: 1 });
  const { negatives } = await semiHardNegatives(engine, dataset, embedAngles, {
    corpus: nli.columns.hypothesis,
    negatives: 1,
    relativeMargin: .05,
  });
  engine.close();
  assert.deepEqual(withNegatives(dataset, negatives).dataset.columns, {
    anchor: ["a0", "b90"],
    positive: ["p5", "p85"],
    negative: ["n30", "c50"],
  });
});

Deno.test("what cannot become a dataset is refused", async () => {
  const negatives = await mined(1);
  assert.throws(() => withNegatives(pairs, negatives, { negatives: 0 }), UsageError);
  assert.throws(
    () => withNegatives(pairsOf(["a0", "p5"], ["x1", "p5"]), negatives),
    (error: unknown) => error instanceof DatasetError && error.where === "row 2" && error.found === '"x1"',
  );
  assert.throws(
    () => withNegatives(pairs, negatives, { negatives: 3, missing: "drop" }),
    /no row has enough negatives/,
  );
  assert.throws(() => withNegatives(pairs, negatives, { negatives: 6 }), /too few texts for an easy negative/);
});
