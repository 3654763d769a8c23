import assert from "node:assert/strict";
import { checkMixing, mixedBatches, type MixedRows, type Mixing } from "../../lib/train/mixed_batches.ts";
import { goldenPath } from "../golden/golden.ts";

const golden = JSON.parse(await Deno.readTextFile(goldenPath("mixed_training.json")));
const setsOf = (sizes: readonly number[], weights: readonly number[] = []): MixedRows[] =>
  sizes.map((rows, i) => ({ name: `set${i}`, objective: { rows }, weight: weights[i] }));
const countsOf = (turns: readonly number[], sets: number) =>
  Array.from({ length: sets }, (_, set) => turns.filter((turn) => turn === set).length);
const draw = { batchSize: 4, seed: 1 };

Deno.test("as many batches of each set as sentence-transformers' samplers give; round robin in their order", () => {
  for (const { sizes, batchSize, mixing, turns } of golden.orders) {
    const ofEpoch = mixedBatches(setsOf(sizes), { mixing }, { batchSize, seed: 5 });
    for (const epoch of [0, 1]) {
      const found = ofEpoch(epoch).map(({ set }) => set);
      assert.deepEqual(countsOf(found, sizes.length), countsOf(turns, sizes.length), `${mixing} ${sizes}`);
      if (mixing === "round-robin") assert.deepEqual(found, turns);
    }
  }
});

Deno.test("proportional: every row of every set once an epoch, each batch of one set, each epoch in another order", () => {
  const sizes = [40, 9, 20];
  const ofEpoch = mixedBatches(setsOf(sizes), {}, draw);
  const orders = [0, 1].map((epoch) => {
    const batches = ofEpoch(epoch);
    sizes.forEach((rows, set) => {
      const seen = batches.filter((batch) => batch.set === set).flatMap(({ rows }) => [...rows]);
      assert.deepEqual(seen.sort((a, b) => a - b), Array.from({ length: rows }, (_, row) => row));
    });
    return batches.map(({ set }) => set).join("");
  });
  assert.notEqual(orders[0], orders[1]);
  assert.match(orders[0]!, /0[12]+0/, "sets are shuffled");
});

Deno.test("the batches of an epoch do not depend on which epochs were asked for before", () => {
  for (const mixing of ["proportional", "round-robin", "temperature"] as Mixing[]) {
    const weights = mixing === "round-robin" ? [] : [1, 3, 0.4];
    const fresh = () => mixedBatches(setsOf([40, 9, 20], weights), { mixing }, draw);
    const walked = fresh();
    for (const epoch of [0, 1, 2, 3, 4]) assert.deepEqual(walked(epoch), fresh()(epoch), `${mixing}, epoch ${epoch}`);
  }
});

Deno.test("a weight multiplies batches, and what an epoch leaves of a set comes in the next one", () => {
  const ofEpoch = mixedBatches(setsOf([40, 12], [0.5, 2]), {}, draw);
  const seen: number[] = [];
  for (const epoch of [0, 1]) {
    const batches = ofEpoch(epoch);
    assert.deepEqual(countsOf(batches.map(({ set }) => set), 2), [5, 6]);
    seen.push(...batches.filter(({ set }) => set === 0).flatMap(({ rows }) => [...rows]));
  }
  assert.equal(new Set(seen).size, 40, "two halves are the whole");
});

Deno.test("temperature: w · n^(1/T) of as many batches as there are; 1 is proportional, very high is equal", () => {
  const share = (temperature: number, weights?: readonly number[]) =>
    countsOf(
      mixedBatches(setsOf([360, 40], weights), { mixing: "temperature", temperature }, draw)(0).map(({ set }) => set),
      2,
    );
  assert.deepEqual(share(1), [90, 10]);
  assert.deepEqual(share(2), [75, 25]); // √90 : √10 = 3 : 1
  assert.deepEqual(share(1e9), [50, 50]);
  assert.deepEqual(share(1, [1, 9]), [50, 50]);
  // However near to 0 it is, or great the weights are: shares are numbers, and no set goes without.
  for (const temperature of [1e-320, 1e-3]) assert.deepEqual(share(temperature), [100, 1]);
  assert.deepEqual(share(2, [1e308, 1e308]), share(2));
  assert.deepEqual(share(2, [1e-308, 1e-308]), share(2));
  // The small set is passed over more than once: each pass has every row once.
  const rows = mixedBatches(setsOf([360, 40]), { mixing: "temperature", temperature: 2 }, draw)(0)
    .filter(({ set }) => set === 1).flatMap(({ rows }) => [...rows]);
  assert.equal(new Set(rows.slice(0, 40)).size, 40);
  assert.equal(new Set(rows.slice(40, 80)).size, 40);
});

Deno.test("texts that must not meet in a batch do not, and passes of other lengths lose no row", () => {
  const texts = Array.from({ length: 30 }, (_, i) => `text ${i % 11}`);
  const set: MixedRows = { name: "pairs", objective: { rows: 30, distinct: [texts] }, weight: 1.5 };
  const ofEpoch = mixedBatches([set, ...setsOf([8])], {}, draw);
  const rows: number[] = [];
  for (let epoch = 0; epoch < 8; epoch++) {
    for (const batch of ofEpoch(epoch)) {
      if (batch.set !== 0) continue;
      assert.equal(new Set(Array.from(batch.rows, (row) => texts[row])).size, batch.rows.length);
      rows.push(...batch.rows);
    }
  }
  for (let pass = 0; pass < 10; pass++) assert.equal(new Set(rows.slice(30 * pass, 30 * pass + 30)).size, 30);
});

Deno.test("turns that cannot be taken are refused by the name of the set", () => {
  const refused = (mixing: string, names: readonly string[], weight: number | undefined, temperature?: number) => () =>
    checkMixing(names.map((name) => ({ name, weight })), { mixing: mixing as Mixing, temperature });
  assert.throws(refused("random", ["a"], 1), /proportional, round-robin, temperature/);
  assert.throws(refused("proportional", ["a", "a"], 1), /same name/);
  assert.throws(refused("proportional", ["a/b"], 1), /needs a name/);
  assert.throws(refused("proportional", [], 1), /no data set/);
  for (const weight of [0, -1, NaN]) {
    assert.throws(refused("proportional", ["qa"], weight), /weight of the data set qa/);
  }
  assert.throws(refused("round-robin", ["qa"], 2), /qa has a weight/);
  assert.throws(refused("proportional", ["qa"], 1, 2), /a temperature is for/);
  assert.throws(refused("temperature", ["qa"], 1, 0), /above 0/);
  assert.throws(() => mixedBatches(setsOf([3]), {}, draw), /set0 has fewer rows than a batch/);
  assert.throws(() => mixedBatches(setsOf([0]), {}, { ...draw, batchSize: 1 }), /set0 has no rows/);
});
