import assert from "node:assert/strict";
import { sampleByClass, sampleByDensity } from "../../lib/augment/balance.ts";
import { divergence, kernelDensity, lookUpDensity, tabulateDensity } from "../../lib/augment/density.ts";
import { randomPurpose, randomStream } from "../../lib/engine/philox.ts";
import { DatasetError, UsageError } from "../../lib/error.ts";
import golden from "../golden/augment.json" with { type: "json" };
import { assertNear } from "../golden/golden.ts";

Deno.test("densities equal scipy's gaussian_kde", () => {
  for (const { values, places, density, bandwidth } of golden.densities) {
    const found = kernelDensity(values);
    assertNear("bandwidth", [found.bandwidth], [bandwidth], 1e-12);
    assertNear("density", places.map(found.at), density, 1e-12);
  }
  for (const values of [[], [1], [2, 2, 2], new Array<number>(10).fill(.7), [1, NaN], [0, Infinity]]) {
    assert.throws(() => kernelDensity(values), DatasetError, String(values));
  }
});

Deno.test("a table of a density is within a thousandth of it", async () => {
  const { values } = golden.densities[2]!;
  const density = kernelDensity(values);
  const table = await tabulateDensity(density, { low: -.2, high: 1.2, step: density.bandwidth / 16 });
  const places = Array.from({ length: 200 }, (_, i) => -.2 + 1.4 * i / 199);
  const most = Math.max(...places.map(density.at));
  for (const x of places) assert.ok(Math.abs(lookUpDensity(table, x) - density.at(x)) < 1e-3 * most, String(x));
  assert.equal(divergence(table, table), 0);
});

const random = randomStream(4, randomPurpose("sample"));
const draw = (n: number, sample: () => number) => Float64Array.from({ length: n }, sample);
/** Gold scores all over [0, 1]; random pairs mostly near 0. */
const gold = draw(800, random.uniform);
const silver = draw(4000, () => random.uniform() < .85 ? .1 * random.uniform() : random.uniform());

Deno.test("by density: silver scores come near to the gold distribution, by the rule of the paper", async () => {
  const sample = await sampleByDensity(gold, silver, { seed: 1 });
  const [target, source] = [kernelDensity(gold), kernelDensity(silver)];
  // Where gold is denser everything stays; elsewhere a share F_gold / F_silver, within 5 σ.
  const kept = new Set(sample.rows);
  let expected = 0;
  let variance = 0;
  let found = 0;
  for (let row = 0; row < silver.length; row++) {
    const ratio = target.at(silver[row]!) / source.at(silver[row]!);
    if (ratio > 1.01) assert.ok(kept.has(row));
    else {
      expected += Math.min(1, ratio);
      variance += Math.min(1, ratio) * (1 - Math.min(1, ratio));
      if (kept.has(row)) found++;
    }
  }
  assert.ok(Math.abs(found - expected) < 5 * Math.sqrt(variance), `${found} instead of ${expected}`);
  assert.ok(expected < 2000, "most of what is abundant goes");
  assert.ok(sample.divergence.after < .5 * sample.divergence.before, JSON.stringify(sample.divergence));
  assert.deepEqual([...sample.rows], [...sample.rows].sort((a, b) => a - b));

  assert.deepEqual(await sampleByDensity(gold, silver, { seed: 1 }), sample);
  assert.notDeepEqual((await sampleByDensity(gold, silver, { seed: 2 })).rows, sample.rows);
  const nearer = await sampleByDensity(gold, silver, { seed: 1, rounds: 4 });
  assert.ok(nearer.divergence.after < sample.divergence.after);
  assert.ok(nearer.rows.length < sample.rows.length);
  assert.ok(nearer.rows.every((row) => kept.has(row)), "a further round only takes away");
});

Deno.test("by density: scores without one are an error that says whose", async () => {
  await assert.rejects(sampleByDensity([1, 1, 1], silver, { seed: 1 }), /gold/);
  await assert.rejects(sampleByDensity(gold, [.5, .5], { seed: 1 }), /silver/);
  await assert.rejects(sampleByDensity(gold, silver, { seed: 1, rounds: 0 }), UsageError);
});

Deno.test("by class: the gold shares, the scarce class whole, by the seed", () => {
  const labels = Int32Array.from({ length: 1000 }, (_, row) => row % 10 === 0 ? 1 : 0);
  const rows = sampleByClass([1, 0, 0], labels, { seed: 1 });
  assert.equal(rows.filter((row) => labels[row] === 1).length, 100);
  assert.equal(rows.length, 300);
  assert.equal(new Set(rows).size, 300);
  assert.deepEqual(sampleByClass([1, 0, 0], labels, { seed: 1 }), rows);
  assert.notDeepEqual(sampleByClass([1, 0, 0], labels, { seed: 2 }), rows);
  // Class 2 is nowhere among the gold pairs, so it goes.
  const three = labels.map((label, row) => row % 7 === 0 ? 2 : label);
  assert.ok(sampleByClass([1, 0], three, { seed: 1 }).every((row) => three[row] !== 2));
  assert.throws(() => sampleByClass([1, 0], [0, 0], { seed: 1 }), DatasetError);
});
