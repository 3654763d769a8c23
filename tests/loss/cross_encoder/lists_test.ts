import assert from "node:assert/strict";
import { UsageError } from "../../../lib/error.ts";
import { meanOf } from "../../../lib/loss/cross_encoder/lists.ts";
import { countOf } from "../../../lib/loss/list_loss.ts";
import { crossEncoder, type ListLoss, tryLoss } from "../../../lib/loss/mod.ts";
import { backward, recording } from "../../../lib/tensor/tape.ts";
import { parameter } from "../../../lib/tensor/tensor.ts";
import { engines } from "../../engine/engines.ts";
import { assertNear, goldenPath, largest } from "../../golden/golden.ts";

const golden = JSON.parse(await Deno.readTextFile(goldenPath("list_losses.json")));
const offsets = Int32Array.of(0, ...golden.sizes);
for (let list = 1; list < offsets.length; list++) offsets[list]! += offsets[list - 1]!;
const { adrMse, lambda, listMle, listNet, positionListMle, rankNet } = crossEncoder;
const activation = "sigmoid";
const losses: Record<string, ListLoss> = {
  lambda: lambda(),
  lambda_binary: lambda(),
  lambda_none: lambda({ weighting: "none" }),
  lambda_ndcg_loss1: lambda({ weighting: "ndcg_loss1" }),
  lambda_ndcg_loss2: lambda({ weighting: "ndcg_loss2" }),
  lambda_lambda_rank: lambda({ weighting: "lambda_rank" }),
  lambda_mu: lambda({ mu: 2.5 }),
  lambda_k: lambda({ k: 2 }),
  lambda_k_ndcg_loss1: lambda({ k: 2, weighting: "ndcg_loss1" }),
  lambda_k_long: lambda({ k: 20 }),
  lambda_natural: lambda({ sigma: 2, epsilon: 1e-3, logarithm: "natural" }),
  lambda_sigmoid: lambda({ activation }),
  lambda_far: lambda(),
  rank_net: rankNet(),
  rank_net_k: rankNet({ k: 1, sigma: 0.5, logarithm: "natural" }),
  list_net: listNet(),
  list_net_sigmoid: listNet({ activation }),
  list_net_far: listNet(),
  list_mle: listMle(),
  list_mle_input: listMle({ respectInputOrder: true }),
  list_mle_binary: listMle(),
  list_mle_sigmoid: listMle({ activation }),
  list_mle_far: listMle(),
  plist_mle: positionListMle(),
  plist_mle_input: positionListMle({ respectInputOrder: true }),
  plist_mle_logarithmic: positionListMle({ positionWeights: "logarithmic" }),
  plist_mle_none: listMle(),
  adr_mse: adrMse(),
  adr_mse_alpha: adrMse({ alpha: 3, activation }),
  adr_mse_binary: adrMse(),
};

for (const { name: engineName, create } of engines) {
  for (const { name, labels: kind, scores, value, gradient } of golden.cases) {
    Deno.test(`${engineName}: ${name} has sentence-transformers' value and gradient`, async () => {
      const engine = await create();
      const loss = losses[name]!;
      const labels = Float32Array.from(golden[kind]);
      const leaf = parameter(engine, [scores.length, 1], Float32Array.from(scores));
      const tape = recording(engine);
      const total = loss.total(tape, leaf, { offsets, labels });
      const known = countOf(loss, { offsets, labels });
      if (known !== undefined) assert.equal(total.count, known);
      const found = meanOf(tape, total);
      assertNear("loss", await engine.read(found.value), [value], 1e-5);
      backward(tape, found, engine.upload(Float32Array.of(1), [1]));
      // Where the loss is far from its least, small entries are differences of large ones.
      assertNear("gradient", await engine.read(leaf.gradient!), gradient, 1e-4, Math.max(largest(gradient), 1e-2));
      engine.close();
      assert.equal(engine.memory().live, 0);
    });
  }
}

Deno.test("lists that nothing can be learnt from give 0, and no gradient", async () => {
  for (const loss of [lambda(), rankNet(), listNet(), listMle(), positionListMle(), adrMse()]) {
    const { value, gradients } = await tryLoss(loss, [[[3], [-2]]], [1, 0]);
    assert.deepEqual([Math.abs(value), gradients.flat(2).map(Math.abs)], [0, [0, 0]], loss.name);
  }
  const equal = await tryLoss(lambda(), [[[3, 1], [2, 5, 4]]], [1, 1, 0, 0, 0]);
  assert.deepEqual([equal.value, equal.gradients.flat(2)], [0, [0, 0, 0, 0, 0]]);
});

Deno.test("a long list keeps its weights and its loss finite", async () => {
  const scores = Array.from({ length: 1100 }, (_, i) => Math.sin(i));
  const { value, gradients } = await tryLoss(positionListMle(), [[scores]], scores.map((_, i) => i % 5));
  assert.ok(Number.isFinite(value) && value > 0);
  assert.ok(gradients[0]![0]!.every(Number.isFinite));
});

Deno.test("ListMLE takes the order of labels whatever the order of documents", async () => {
  const sorted = await tryLoss(listMle(), [[[1, 0.5, -1]]], [2, 1, 0]);
  const mixed = await tryLoss(listMle(), [[[-1, 1, 0.5]]], [0, 2, 1]);
  assert.ok(Math.abs(sorted.value - mixed.value) < 1e-6);
  const given = await tryLoss(listMle({ respectInputOrder: true }), [[[1, 0.5, -1]]], [2, 1, 0]);
  assert.equal(given.value, sorted.value);
});

Deno.test("options of list losses that make no sense are refused", async () => {
  assert.throws(() => lambda({ weighting: "ndcg" as "none" }), UsageError);
  assert.throws(() => lambda({ k: 0 }), UsageError);
  assert.throws(() => rankNet({ k: 1.5 }), UsageError);
  assert.throws(() => adrMse({ alpha: 0 }), UsageError);
  assert.throws(() => positionListMle({ positionWeights: "square" as "exponential" }), UsageError);
  const few = positionListMle({ positionWeights: () => [1] });
  await assert.rejects(tryLoss(few, [[[1, 2]]], [1, 0]), UsageError);
  await assert.rejects(tryLoss(listNet(), [[[1, 2]]], [1]), UsageError);
});
