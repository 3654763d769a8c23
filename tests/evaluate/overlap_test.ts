import assert from "node:assert/strict";
import { jaccard, tfidfCosine } from "../../lib/evaluate/overlap.ts";

Deno.test("Jaccard: shared words over all words", () => {
  assert.deepEqual(
    [...jaccard(["A man sings.", "a a b", "", "x"], ["a MAN, sings!", "b c", "", ""])],
    [1, 1 / 3, 0, 0],
  );
});

Deno.test("TF-IDF cosine by hand", () => {
  // four sentences; df: the 4, cat 2, dog 1, sat 2, ran 1
  const value = tfidfCosine(["the cat sat", "the the"], ["the cat ran", "the dog sat"]);
  const idf = (df: number) => Math.log(5 / (1 + df)) + 1;
  const [the, cat, sat, ran, dog] = [idf(4), idf(2), idf(2), idf(1), idf(1)];
  const first = (the ** 2 + cat ** 2) / (Math.hypot(the, cat, sat) * Math.hypot(the, cat, ran));
  const second = 2 * the * the / (2 * the * Math.hypot(the, dog, sat));
  assert.ok(Math.abs(value[0]! - first) < 1e-12, `${value[0]} ${first}`);
  assert.ok(Math.abs(value[1]! - second) < 1e-12, `${value[1]} ${second}`);
});
