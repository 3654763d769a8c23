import assert from "node:assert/strict";
import { getHeapSpaceStatistics } from "node:v8";
import { repeats } from "../../lib/text/repeats.ts";
import { tokenizeBy } from "../../lib/text/tokenizer.ts";

Deno.test("repeats() finds where the same text stood, and no other", () => {
  const texts = ["a", "", "b", "a", "", "aa", "b", "\u{1f642}", "a", "\u{1f642}"];
  assert.deepEqual(texts.keys().map(repeats(texts)).toArray(), [-1, -1, -1, 0, 1, -1, 2, -1, 0, 7]);
  const many = Array.from({ length: 10_000 }, (_, i) => `${(i * i) % 1009} of them`);
  const before = repeats(many);
  for (let row = 0; row < many.length; row++) {
    const first = many.indexOf(many[row]!);
    assert.equal(before(row), first === row ? -1 : first);
  }
});

Deno.test("repeats() forgets all when it knows 4,096 texts", () => {
  const texts = [...Array.from({ length: 4096 }, (_, i) => `${i}`), "0", "more", "0", "0"];
  const before = repeats(texts);
  const found = texts.map((_, row) => before(row));
  assert.deepEqual(found.slice(4096), [0, -1, -1, 4098]);
});

Deno.test("texts that pass leave nothing in V8's old generation", async () => {
  const old = () => getHeapSpaceStatistics().find(({ space_name }) => space_name === "old_space")!.space_used_size;
  const pass = async (chunks: number) => {
    for (let chunk = 0; chunk < chunks; chunk++) {
      const texts = Array.from({ length: 256 }, (_, i) => `${chunk} ${i} `.repeat(200));
      await tokenizeBy(() => [], texts);
    }
  };
  await pass(10);
  const before = old();
  await pass(100); // 40 MiB of texts
  assert.ok(old() - before < 2 ** 23, `${old() - before} bytes more`);
});
