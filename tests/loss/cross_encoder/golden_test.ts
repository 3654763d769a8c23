import assert from "node:assert/strict";
import { UsageError } from "../../../lib/error.ts";
import { crossEncoder, type CrossEncoderLoss } from "../../../lib/loss/mod.ts";
import { backward, recording } from "../../../lib/tensor/tape.ts";
import { parameter } from "../../../lib/tensor/tensor.ts";
import { engines } from "../../engine/engines.ts";
import { assertNear, goldenPath } from "../../golden/golden.ts";

const golden = JSON.parse(await Deno.readTextFile(goldenPath("cross_encoder/expected.json")));
const { scores, margins, classes } = golden;
const rows = scores.length;
const both = margins.map((row: number[], i: number) => [scores[i], ...row]);
const {
  binaryCrossEntropy,
  crossEntropy,
  marginMse,
  mse,
  multipleNegativesRanking,
} = crossEncoder;
const losses: Record<string, [CrossEncoderLoss, number[]?]> = {
  binary_cross_entropy: [binaryCrossEntropy(), scores],
  binary_cross_entropy_weighted: [binaryCrossEntropy({ positiveWeight: 2.5 }), scores],
  cross_entropy: [crossEntropy(), classes],
  mse: [mse(), scores],
  mse_sigmoid: [mse({ activation: "sigmoid" }), scores],
  margin_mse: [marginMse(), scores],
  margin_mse_margins: [marginMse(), margins.flat()],
  margin_mse_scores: [marginMse(), both.flat()],
  margin_mse_sigmoid: [marginMse({ activation: "sigmoid" }), scores],
  multiple_negatives_ranking: [multipleNegativesRanking()],
  multiple_negatives_ranking_identity: [multipleNegativesRanking({ scale: 3, activation: "identity" })],
};

for (const { name: engineName, create } of engines) {
  for (const { name, logits, value, gradient } of golden.cases) {
    Deno.test(`${engineName}: ${name} has sentence-transformers' value and gradient`, async () => {
      const engine = await create();
      const [loss, labels] = losses[name]!;
      const leaf = parameter(engine, [rows, logits.length / rows], Float32Array.from(logits));
      const target = labels &&
        (loss.label === "class"
          ? engine.upload(Int32Array.from(labels), [rows])
          : engine.upload(Float32Array.from(labels), [rows, labels.length / rows]));
      const tape = recording(engine);
      const found = loss.apply(tape, leaf, target);
      assertNear("loss", await engine.read(found.value), [value], 1e-5);
      backward(tape, found, engine.upload(Float32Array.of(1), [1]));
      assertNear("gradient", await engine.read(leaf.gradient!), gradient, 1e-4);
      engine.close();
      assert.equal(engine.memory().live, 0);
    });
  }

  Deno.test(`${engineName}: binary cross-entropy is finite for logits of any size`, async () => {
    const engine = await create();
    const leaf = parameter(engine, [4, 1], Float32Array.of(500, -500, 500, -500));
    const tape = recording(engine);
    const loss = binaryCrossEntropy().apply(tape, leaf, engine.upload(Float32Array.of(1, 0, 0, 1), [4, 1]));
    assertNear("loss", await engine.read(loss.value), [250], 1e-6);
    backward(tape, loss, engine.upload(Float32Array.of(1), [1]));
    assertNear("gradient", await engine.read(leaf.gradient!), [0, 0, 0.25, -0.25], 1e-6);
    engine.close();
  });
}

Deno.test("settings that make no sense are refused", () => {
  assert.throws(() => binaryCrossEntropy({ positiveWeight: 0 }), UsageError);
  assert.throws(() => binaryCrossEntropy({ positiveWeight: NaN }), UsageError);
  assert.throws(() => multipleNegativesRanking({ negatives: -1 }), UsageError);
  assert.throws(() => multipleNegativesRanking({ negatives: 1.5 }), UsageError);
});
