import assert from "node:assert/strict";
import { passageQueries, writtenQueries } from "../../lib/augment/mod.ts";
import { queryPrompt } from "../../lib/augment/passage_queries.ts";

Deno.test("a query is the title, the first sentence, or half of the words, and no part of the passage but for the last", () => {
  const { dataset, counts } = passageQueries([
    "Install\n=======\nRun the installer.",
    "## Use ##\n\nCall it.",
    "It is fast. It is small.",
    "one two three four",
    "two words",
    "",
    "A sentence that ends here,\nand goes on below",
  ]);
  assert.deepEqual(dataset.columns.anchor.slice(0, 3), ["Install", "Use", "It is fast."]);
  assert.deepEqual(dataset.columns.positive.slice(0, 3), ["Run the installer.", "Call it.", "It is small."]);
  const words = dataset.columns.anchor[3]!.split(" ");
  assert.equal(words.length, 2);
  assert.equal(dataset.columns.positive[3], "one two three four");
  assert.deepEqual(words, "one two three four".split(" ").filter((word) => words.includes(word)), "in their order");
  assert.deepEqual(counts, { title: 2, sentence: 1, words: 2, none: 2 });
});

Deno.test("written queries are single lines, asked again with the next seed, and a long passage is cut in the prompt", async () => {
  const seeds: number[] = [];
  const { dataset, counts } = await writtenQueries(["Ice is cold.", "Fire is hot."], (requests) => {
    seeds.push(...requests.map(({ seed }) => seed!));
    return Promise.resolve(requests.map(({ messages, seed }) => {
      if (!messages.at(-1)!.content.includes("Ice")) return { text: "Fire is hot.", finish: "stop" };
      return { text: seed === 7 ? "how cold\nis it" : `how cold is ice ${seed}`, finish: "stop" };
    }));
  }, { queries: 2, seed: 7 });
  assert.deepEqual(seeds, [7, 8, 7, 8, 9, 9, 10]);
  assert.deepEqual(dataset.columns.anchor, ["how cold is ice 8", "how cold is ice 9"]);
  assert.deepEqual(counts, { asked: 7, severalLines: 1, copyOfPositive: 4, none: 1 });
  assert.ok(queryPrompt("x".repeat(10_000)).length < 5000);
  const talk = () => Promise.resolve([{ text: "", finish: "stop" }]);
  await assert.rejects(writtenQueries(["a"], talk, { queries: 1 }), /no query that was written/);
});
