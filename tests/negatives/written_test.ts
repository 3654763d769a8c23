import assert from "node:assert/strict";
import { EvaluationError, UsageError } from "../../lib/error.ts";
import type { GenerateRequest } from "../../lib/generate/generator.ts";
import { toTriplets } from "../../lib/negatives/formats.ts";
import type { Generate } from "../../lib/negatives/judge.ts";
import { parseWritten, writePrompt, writtenNegatives } from "../../lib/negatives/written.ts";
import { pairsOf } from "./vectors.ts";

const pairs = pairsOf(["Who won?", "Ann won."], ["Who won?", "It was Ann"], ["Who lost?", "Bob lost."]);

/** Answers by anchor, one after the other. */
function writer(answers: Readonly<Record<string, readonly string[]>>, requests: GenerateRequest[] = []): Generate {
  const used: Record<string, number> = {};
  return (asked) => {
    requests.push(...asked);
    return Promise.resolve(asked.map(({ messages }) => {
      const anchor = Object.keys(answers).find((text) => messages.at(-1)!.content.includes(JSON.stringify(text)))!;
      const at = used[anchor] = (used[anchor] ?? -1) + 1;
      return { text: answers[anchor]![at] ?? "", finish: "stop" };
    }));
  };
}

Deno.test("copies and what is no text are not taken, and asked for again under other seeds", async () => {
  const requests: GenerateRequest[] = [];
  const { negatives, asked, rejected } = await writtenNegatives(
    pairs,
    writer({
      "Who won?": ["it was ANN!", "Cid won.", "cid won", "Dan won."],
      "Who lost?": ["Sure! Here it is: x", "one\ntwo", '"Eve lost."', "", "who lost"],
    }, requests),
    { negatives: 2, retries: 2 },
  );
  assert.deepEqual(toTriplets(negatives).dataset.columns.negative, [
    "Cid won.",
    "Dan won.",
    "Cid won.",
    "Dan won.",
    "Eve lost.",
  ]);
  assert.equal(asked, 9);
  assert.deepEqual(rejected, {
    copyOfPositive: 1,
    talk: 1,
    severalLines: 1,
    repeated: 1,
    copyOfAnchor: 1,
    empty: 1,
  });
  const seedsOf = (anchor: string) =>
    requests.flatMap(({ messages, seed }) => messages.at(-1)!.content.includes(anchor) ? [seed] : []);
  assert.deepEqual(seedsOf("Who won?"), [42, 43, 44, 45], "each anchor has seeds of its own");
  assert.deepEqual(seedsOf("Who lost?"), [42, 43, 44, 45, 46]);
  assert.ok(requests.every(({ temperature }) => temperature === 1));
  assert.ok(Number.isNaN(negatives.scores[0]) && Number.isNaN(negatives.positiveScores[0]));
});

Deno.test("texts are read strictly", () => {
  const read = (text: string, finish = "stop") => parseWritten({ text, finish }, "Who won?", ["Ann won."]);
  assert.deepEqual(read("<think>hm</think>\n\n“Cid won.”\n"), { text: "Cid won." });
  assert.deepEqual(read('He said "no".'), { text: 'He said "no".' });
  assert.deepEqual(read("Cid won", "length"), { rejected: "cut" });
  assert.deepEqual(read("I am unable to come."), { text: "I am unable to come." });
  assert.deepEqual(read("…"), { rejected: "empty" });
  assert.deepEqual(read("I'm sorry, I can't do that."), { rejected: "talk" });
  assert.deepEqual(read("Ａｎｎ  won!"), { rejected: "copyOfPositive" });
  assert.deepEqual(read("Who won"), { rejected: "copyOfAnchor" });
});

Deno.test("prompts name the relation and keep texts on their lines", () => {
  const prompt = writePrompt("a\nb", "p", "entailment");
  assert.match(
    prompt,
    /^Premise: "a\\nb"\nA statement that follows from it: "p"\n\nWrite another statement that may be/,
  );
  assert.match(writePrompt("a", "p", "paraphrase"), /Write another sentence that does not mean the same/);
  assert.match(writePrompt("a", "p"), /Write another text that does not answer the question/);
});

Deno.test("if nothing can be used, the error shows what was said", async () => {
  await assert.rejects(
    writtenNegatives(pairs, writer({ "Who won?": ["Sure, I can", "Sure", "Sure"], "Who lost?": [] })),
    (error: unknown) => error instanceof EvaluationError && /talk 3, empty 3, such as "Sure, I can"/.test(error.found!),
  );
  await assert.rejects(writtenNegatives(pairs, writer({}), { negatives: -1 }), UsageError);
  await assert.rejects(writtenNegatives(pairs, () => Promise.resolve([])), /one answer for each prompt/);
});
