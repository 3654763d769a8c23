import assert from "node:assert/strict";
import {
  angle,
  contrastive,
  cosent,
  cosineSimilarity,
  type Loss,
  marginMse,
  matryoshka,
  multipleNegativesRanking,
  onlineContrastive,
  softmax,
  triplet,
} from "../../lib/loss/mod.ts";
import { backward, recording } from "../../lib/tensor/tape.ts";
import { parameter, type Tensor } from "../../lib/tensor/tensor.ts";
import { engines } from "../engine/engines.ts";

const golden = JSON.parse(await Deno.readTextFile(new URL("../golden/losses.json", import.meta.url)));
const { rows, width } = golden;
const losses: Record<string, Loss> = {
  mnr_pairs: multipleNegativesRanking(),
  mnr_triplets: multipleNegativesRanking(),
  mnr_tuples: multipleNegativesRanking(),
  mnr_joint: multipleNegativesRanking({
    directions: ["query_to_doc", "query_to_query", "doc_to_query", "doc_to_doc"],
  }),
  mnr_symmetric: multipleNegativesRanking({
    directions: ["query_to_doc", "doc_to_query"],
    partitionMode: "per_direction",
  }),
  mnr_in_batch_negatives: multipleNegativesRanking({ hardness: { among: "in_batch_negatives", strength: 5 } }),
  mnr_hard_negatives: multipleNegativesRanking({ hardness: { among: "hard_negatives", strength: 5 } }),
  mnr_all_negatives: multipleNegativesRanking({ hardness: { among: "all_negatives", strength: 5 } }),
  cosine: cosineSimilarity(),
  softmax: softmax(),
  contrastive_cosine: contrastive(),
  contrastive_euclidean: contrastive({ distance: "euclidean", margin: 1.5 }),
  contrastive_manhattan: contrastive({ distance: "manhattan", margin: 3 }),
  online_contrastive_same: onlineContrastive({ margin: 1.2 }),
  online_contrastive_none_same: onlineContrastive({ margin: 1.2 }),
  online_contrastive_all_same: onlineContrastive({ margin: 1.2 }),
  triplet_euclidean: triplet({ margin: 0.5 }),
  triplet_cosine: triplet({ distance: "cosine", margin: 0.2 }),
  triplet_manhattan: triplet({ distance: "manhattan", margin: 1 }),
  cosent: cosent(),
  angle: angle(),
  margin_mse: marginMse(),
  matryoshka: matryoshka(multipleNegativesRanking(), { dimensions: [8, 4, 3], weights: [1, 0.5, 0.25] }),
};

function near(name: string, found: ArrayLike<number>, expected: readonly number[], tolerance: number): void {
  const largest = Math.max(...expected.map(Math.abs), 1e-3);
  expected.forEach((value, i) => {
    assert.ok(Math.abs(found[i]! - value) <= tolerance * largest, `${name}[${i}]: ${found[i]} instead of ${value}`);
  });
}

for (const { name: engineName, create } of engines) {
  for (const expected of golden.cases) {
    Deno.test(`${engineName}: ${expected.name} has sentence-transformers' value and gradients`, async () => {
      const engine = await create();
      const loss = losses[expected.name]!;
      const second = expected.close ? golden.close : expected.mixed ? golden.mixed : golden.columns[1];
      const leaves: Tensor[] = [golden.columns[0], second, ...golden.columns.slice(2)].slice(0, expected.columns)
        .map((values: number[]) => parameter(engine, [rows, width], Float32Array.from(values)));
      const head: Record<string, Tensor> = {};
      for (const [name, { shape }] of Object.entries(loss.head?.(width, 1) ?? {})) {
        head[name] = parameter(engine, shape, Float32Array.from(expected.head[name].value));
      }
      const labels = loss.label === "class"
        ? engine.upload(Int32Array.from(golden.classes), [rows])
        : loss.label === "score"
        ? engine.upload(Float32Array.from(golden.labels[expected.labels ?? "scores"]), [rows])
        : undefined;
      const tape = recording(engine);
      const value = loss.apply(tape, leaves, labels, head);
      near("loss", await engine.read(value.value), [expected.value], 1e-5);
      backward(tape, value, engine.upload(Float32Array.of(1), [1]));
      for (const [i, leaf] of leaves.entries()) {
        near(`d${i}`, await engine.read(leaf.gradient!), expected.gradients[i], 1e-4);
      }
      for (const name of Object.keys(head)) {
        near(name, await engine.read(head[name]!.gradient!), expected.head[name].gradient, 1e-4);
      }
      engine.close();
      assert.equal(engine.memory().live, 0);
    });
  }
}
