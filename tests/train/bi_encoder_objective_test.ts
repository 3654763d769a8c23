import assert from "node:assert/strict";
import { sampleBaseModel } from "../../lib/data/sample/mod.ts";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { TrainingError } from "../../lib/error.ts";
import {
  batchHardTriplet,
  cosineSimilarity,
  type Loss,
  marginMse,
  multipleNegativesRanking,
  softmax,
} from "../../lib/loss/mod.ts";
import { loadBiEncoder } from "../../lib/model/bi_encoder.ts";
import { tokenize } from "../../lib/text/tokenizer.ts";
import { biEncoderObjective, type BiEncoderTask } from "../../lib/train/bi_encoder_objective.ts";
import { makeHead } from "../../lib/train/head.ts";

const engine = createCpuEngine({ threads: 1 });
const model = await loadBiEncoder(engine, await sampleBaseModel(), { trained: true });
const tokenized = (texts: readonly string[]) => tokenize(model.tokenizer, texts, { maxLength: 16 });
const [first, second, short] = await Promise.all([
  tokenized(["the boy eats", "a dog runs", "the queen sleeps", "a castle"]),
  tokenized(["the child eats", "the nun helps", "a cook", "a friend"]),
  tokenized(["the child eats", "the nun helps"]),
]);
const [pairs, triplets] = [[first!, second!], [first!, second!, second!]];
const rows = Int32Array.of(0, 1, 2, 3);

async function lossOf(loss: Loss, texts: BiEncoderTask["texts"], labels: BiEncoderTask["labels"]): Promise<number> {
  const objective = biEncoderObjective({ model, loss, head: makeHead(engine, loss, model.width, 1), texts, labels });
  const value = await engine.read(objective.differentiate(engine, { rows, streams: rows, seed: 1, step: 1 }, 1));
  return value[0]!;
}

const WRONG: Readonly<Record<string, [RegExp, Loss, BiEncoderTask["texts"], BiEncoderTask["labels"]]>> = {
  "no labels": [/do not match/, cosineSimilarity(), pairs, undefined],
  "too few labels": [/do not match/, cosineSimilarity(), pairs, Float32Array.of(1, 0, 1)],
  "several labels a row": [/do not match/, cosineSimilarity(), pairs, new Float32Array(8)],
  "no classes": [/do not match/, batchHardTriplet(), [first!], undefined],
  "margins of another width": [/do not match/, marginMse(), triplets, new Float32Array(12)],
  "labels that are ignored": [/would ignore/, multipleNegativesRanking(), pairs, new Float32Array(4)],
  "too few columns": [/text columns/, cosineSimilarity(), [first!], new Float32Array(4)],
  "a column that is ignored": [/text columns/, cosineSimilarity(), triplets, new Float32Array(4)],
  "columns of different lengths": [/different lengths/, multipleNegativesRanking(), [first!, short!], undefined],
  "a score that is no number": [/does not suit/, cosineSimilarity(), pairs, Float32Array.of(1, 0, NaN, 0)],
  "a class that is no whole number": [/does not suit/, softmax(), pairs, Float32Array.of(1, 0, 0.5, 0)],
};
for (const [name, [message, loss, texts, labels]] of Object.entries(WRONG)) {
  Deno.test(`data that a loss over embeddings cannot use is refused: ${name}`, () => {
    assert.throws(() => biEncoderObjective({ model, loss, head: {}, texts, labels }), (error) => {
      assert.ok(error instanceof TrainingError, `${error}`);
      assert.match(error.message, message);
      if (message.source === "does not suit") assert.equal(error.where, "row 2");
      return true;
    });
  });
}

Deno.test("whole numbers are scores, and classes, in whichever type they come", async () => {
  const numbers = [1, 0, 1, 0];
  for (const loss of [cosineSimilarity(), softmax({ classes: 2 })]) {
    const found = await lossOf(loss, pairs, Int32Array.from(numbers));
    assert.equal(found, await lossOf(loss, pairs, Float32Array.from(numbers)), loss.name);
  }
});

Deno.test("a class below 0 is none that softmax tells apart", async () => {
  await assert.rejects(lossOf(softmax({ classes: 2 }), pairs, Int32Array.of(1, -1, 1, 0)), /none of the classes/);
});
