import assert from "node:assert/strict";
import { deletion } from "../../lib/data/noise.ts";
import { distinctTexts } from "../../lib/data/texts.ts";
import { DatasetError, UsageError } from "../../lib/error.ts";

const words = Array.from({ length: 10 }, (_, i) => `w${i}`);
const text = words.join(" ");

Deno.test("deletion() deletes the ratio, keeps the order, and never everything", () => {
  for (const ratio of [0.6, 0.25]) {
    const damage = deletion({ ratio });
    const kept = new Map<string, number>();
    const rows = 2000;
    for (let row = 0; row < rows; row++) {
      const left = damage(text, { seed: 3, epoch: 0, row }).split(" ");
      assert.ok(left.length > 0);
      assert.deepEqual(left, words.filter((word) => left.includes(word)));
      for (const word of left) kept.set(word, (kept.get(word) ?? 0) + 1);
    }
    // Four standard deviations of a binomial; rows of which one word is kept by force add .6¹⁰/10 to each.
    const margin = 4 * Math.sqrt(ratio * (1 - ratio) / rows) + ratio ** 10 / 10;
    for (const word of words) {
      const share = kept.get(word)! / rows;
      assert.ok(Math.abs(share - (1 - ratio)) < margin, `${word} is kept in ${share} of the draws`);
    }
  }
});

Deno.test("deletion() is drawn afresh by seed, epoch and row, and once and for all if it is fixed", () => {
  const draw = { seed: 1, epoch: 2, row: 5 };
  const [damage, fixed] = [deletion(), deletion({ fixed: true })];
  const long = Array.from({ length: 60 }, (_, i) => `w${i}`).join(" ");
  assert.equal(damage(long, draw), damage(long, draw));
  for (const other of [{ seed: 2 }, { epoch: 3 }, { row: 6 }]) {
    assert.notEqual(damage(long, { ...draw, ...other }), damage(long, draw));
  }
  assert.equal(fixed(long, draw), fixed(long, { ...draw, epoch: 9 }));
  assert.equal(fixed(long, draw), damage(long, { ...draw, epoch: 0 }));
  assert.notEqual(fixed(long, draw), fixed(long, { ...draw, row: 6 }));
});

Deno.test("deletion() leaves texts of one word or none, and keeps each word of two equally often", () => {
  const damage = deletion({ ratio: 0.9 });
  let first = 0;
  for (let row = 0; row < 400; row++) {
    const draw = { seed: 1, epoch: 0, row };
    for (const short of ["", "  ", "word", "wow"]) assert.equal(damage(short, draw), short);
    const left = damage("this that", draw);
    assert.ok(["this", "that", "this that"].includes(left), left);
    if (left === "this") first++;
  }
  assert.ok(first > 140 && first < 260, `${first}`);
  assert.equal(deletion({ ratio: 0 })("Nothing is lost, isn't it?", { seed: 1, epoch: 0, row: 0 }).length, 26);
  for (const ratio of [1, -0.1, NaN]) assert.throws(() => deletion({ ratio }), UsageError);
});

Deno.test("distinctTexts() keeps the first of equal texts, and refuses a corpus without text", () => {
  assert.deepEqual(distinctTexts([["b", "a", "b"], ["c", "a"]]), { texts: ["b", "a", "c"], dropped: 2 });
  assert.deepEqual(distinctTexts([["same", "same"], ["same"]]), { texts: ["same"], dropped: 2 });
  for (const empty of [[], [[]], [["", " "], ["\n"]]]) assert.throws(() => distinctTexts(empty), DatasetError);
});
