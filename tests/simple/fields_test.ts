import assert from "node:assert/strict";
import { UsageError } from "../../lib/error.ts";
import { losses } from "../../lib/loss/named.ts";
import {
  augmentedSbert,
  contrastiveTension,
  encode,
  evaluate,
  finetune,
  openModel,
  predict,
  rank,
  simcse,
  tsdae,
} from "../../lib/simple/mod.ts";
import { rowsGiven } from "../../lib/simple/rows.ts";

// deno-lint-ignore no-explicit-any -- what plain JavaScript can pass
type Anything = any;
const pairs = { model: "m", output: "o", anchor: ["a"], positive: ["b"] };
const gold = { sentence1: ["a"], sentence2: ["b"], score: [1] };
const graded = { ...gold, model: "m", output: "o" };
const labelled = { model: "m", output: "o", text: ["a"] };
const augmented = { model: "m", output: "o", gold };

const CASES: readonly [string, () => Promise<unknown>, RegExp][] = [
  ["a misspelt option", () => finetune({ ...pairs, holdout: 3 } as Anything), /no setting holdout[^]*mean holdOut/],
  ["a setting of another type", () => finetune({ ...pairs, batchSize: "x" } as Anything), /^batchSize must be a whole/],
  ["rows held out", () => finetune({ ...pairs, holdOut: "x" } as Anything), /^holdOut must be a number of rows/],
  ["a column that is a text", () => finetune({ ...pairs, anchor: "a" } as Anything), /^anchor must be a list/],
  ["a loss by its name", () => finetune({ ...pairs, loss: "mnrl" } as Anything), /^loss must be a loss, such as/],
  ["an engine by its name", () => finetune({ ...pairs, engine: "cpu" } as Anything), /^engine must be an object/],
  [
    "an unknown engine",
    () => finetune({ ...pairs, engine: { engine: "gpu" } } as Anything),
    /^engine.engine must be one/,
  ],
  ["a folder that is a number", () => finetune({ ...pairs, cacheDir: 3 } as Anything), /^cacheDir must be a folder/],
  ["a signal that is none", () => finetune({ ...pairs, signal: 3 } as Anything), /^signal must be an AbortSignal/],
  [
    "a prompt that is no text",
    () => finetune({ ...pairs, prompts: { anchor: 3 } } as Anything),
    /^prompts must be a text/,
  ],
  ["no options at all", () => finetune(undefined as Anything), /^the settings must be an object/],
  [
    "texts that are one text",
    () => tsdae({ model: "m", output: "o", texts: "a" } as Anything),
    /^texts must be a list/,
  ],
  [
    "a share above 1",
    () => tsdae({ model: "m", output: "o", texts: ["a"], ratio: 2 }),
    /^ratio must be a number from 0/,
  ],
  [
    "a temperature of infinity",
    () => simcse({ model: "m", output: "o", texts: ["a"], scale: 0 }),
    /^scale must be a number above 0/,
  ],
  [
    "a tension of no kind",
    () => contrastiveTension({ model: "m", output: "o", texts: ["a"], tension: "x" } as Anything),
    /^tension must be one of in-batch, pairs/,
  ],
  ["gold that is no object", () => augmentedSbert({ ...augmented, gold: 3 } as Anything), /^gold must be an object/],
  ["pairs of no kind", () => augmentedSbert({ ...augmented, pairs: "x" } as Anything), /^pairs must be one of given/],
  [
    "a misspelt setting within another",
    () => augmentedSbert({ ...augmented, cross: { epoch: 3 } } as Anything),
    /no setting cross.epoch[^]*mean epochs/,
  ],
  ["a prompt that is not its name", () => encode("m", ["a"], { prompt: "q" } as Anything), /no setting prompt/],
  ["a prefix that is no text", () => encode("m", ["a"], { prefix: 3 } as Anything), /^prefix must be a text/],
  ["an option of another function", () => evaluate("m", gold, { topK: 3 } as Anything), /no setting topK/],
  [
    "a text that is none",
    () => encode("m", ["a", undefined] as Anything),
    /^texts must be a list of texts[^]*texts\[1\]/,
  ],
  ["one text without a list", () => encode("m", "abc" as Anything), /^texts must be a list[^]*stands in a list/],
  [
    "a relevant document that is not there",
    () => evaluate("m", { queries: ["a"], documents: ["b"], relevant: [[1]] }),
    /relevant documents/,
  ],
  ["columns of other names", () => evaluate("m", { question: ["a"], answer: ["b"] } as Anything), /question/],
  ["a column that is missing", () => evaluate("m", { anchor: ["a"] } as Anything), /^positive must be a list of texts/],
  [
    "scores that are missing",
    () => evaluate("m", { sentence1: ["a"], sentence2: ["b"] } as Anything),
    /^score is missing/,
  ],
  [
    "scores that are texts",
    () => evaluate("m", { ...gold, score: ["x"] } as Anything),
    /^score must be a list of numbers/,
  ],
  [
    "scores to train on that are texts",
    () => finetune({ ...graded, score: ["x"] } as Anything),
    /^score must be a list/,
  ],
  [
    "scores to train on that are missing",
    () => finetune({ ...graded, score: undefined } as Anything),
    /^score is missing/,
  ],
  [
    "gold without scores",
    () => augmentedSbert({ ...augmented, gold: { sentence1: [] } } as Anything),
    /^gold.score is/,
  ],
  [
    "a label that is none",
    () => finetune({ ...labelled, label: [null] } as Anything),
    /^label must be a list of words/,
  ],
  [
    "columns of two forms",
    () => finetune({ ...pairs, score: [1] } as Anything),
    /^these columns do not make rows together[^]*sentence1, sentence2 and score;[^]*anchor, positive, score/,
  ],
  ["labels of pairs", () => finetune({ ...graded, label: ["a"] } as Anything), /^these columns do not/],
  ["no rows", () => finetune({ ...pairs, anchor: [], positive: [], holdOut: 0 }), /^there are no rows to train on/],
  ["pairs that are texts", () => predict("m", ["ab"] as Anything), /^pairs must be a list of pairs[^]*pairs\[0\]/],
  ["a document that is none", () => rank("m", "q", ["a", null] as Anything), /^documents must be[^]*documents\[1\]/],
  ["no document", () => rank("m", "q", ["a"], { topK: 0 }), /^topK must be a whole number from 1/],
  ["threads", () => openModel("m", { engine: { threads: 0 } }), /^engine.threads must be a whole number from 1/],
];

Deno.test("grades that no cosine can reach are refused, also within a Matryoshka loss, and other losses take them", () => {
  const graded = { sentence1: ["a", "b"], sentence2: ["c", "d"], score: [1, 5] };
  for (const loss of [undefined, losses.matryoshka(losses.cosineSimilarity(), { dimensions: [8] })]) {
    assert.throws(() => rowsGiven({ ...graded, ...(loss && { loss }) }), { where: "score[1]", found: "5" });
  }
  assert.equal(rowsGiven({ ...graded, loss: losses.cosent() }).rows.rows, 2);
});

for (const [name, call, message] of CASES) {
  Deno.test(`what is asked of the simple face is checked before anything is done: ${name}`, () =>
    assert.rejects(call, (error: unknown) => {
      assert.ok(error instanceof UsageError, String(error));
      assert.match(error.message, message);
      return true;
    }));
}
