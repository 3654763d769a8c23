import assert from "node:assert/strict";
import { splitSentences } from "../../lib/text/sentences.ts";
import { joinWords, splitWords } from "../../lib/text/words.ts";
import { goldenPath } from "../golden/golden.ts";

const golden = (await Deno.readTextFile(goldenPath("words/expected.jsonl"))).split("\n").filter((line) => line !== "")
  .map((line) => JSON.parse(line) as [string, string[], string, number[], string]);

Deno.test("words of hard cases and of the sample's sentences are nltk's", () => {
  assert.ok(golden.length > 400);
  for (const [text, words] of golden) assert.deepEqual(splitWords(text), words, JSON.stringify(text));
});

Deno.test("words are joined as nltk does, all of them and what a deletion leaves", () => {
  for (const [, words, joined, kept, damaged] of golden) {
    assert.equal(joinWords(words), joined, JSON.stringify(words));
    assert.equal(joinWords(kept.map((i) => words[i]!)), damaged, JSON.stringify(kept.map((i) => words[i]!)));
  }
  assert.ok(golden.some(([, words, , kept]) => kept.length > 3 && kept.length < words.length / 2));
});

Deno.test("nothing has no words, and no words are nothing", () => {
  for (const empty of ["", " ", "\n\t\u00a0"]) assert.deepEqual(splitWords(empty), []);
  assert.equal(joinWords([]), "");
});

Deno.test("a sentence ends at a mark, not at an abbreviation, an initial or a number", () => {
  const cases: [string, string[]][] = [
    ["It rains. It pours!", ["It rains.", "It pours!"]],
    ["Dr. Lee met J. Smith at 5 p.m. on Oct. 3. They left.", [
      "Dr. Lee met J. Smith at 5 p.m. on Oct. 3.",
      "They left.",
    ]],
    ['(He said "no.") She left.', ['(He said "no.")', "She left."]],
    ["He left the U.S. The rest stayed in the U.S. too.", ["He left the U.S.", "The rest stayed in the U.S. too."]],
    ["Wait... what? Really!", ["Wait... what?", "Really!"]],
    ["One.Two three", ["One.Two three"]],
    ["  spaced  ", ["  spaced"]],
    ["", []],
  ];
  for (const [text, sentences] of cases) assert.deepEqual(splitSentences(text), sentences, text);
});
