import assert from "node:assert/strict";
import type { Engine } from "../../lib/engine/engine.ts";
import { TrainingError } from "../../lib/error.ts";
import {
  batchAllTriplet,
  batchHardSoftMarginTriplet,
  batchHardTriplet,
  batchSemiHardTriplet,
  type BatchTripletOptions,
  type Loss,
  matryoshka,
  megaBatchMargin,
} from "../../lib/loss/mod.ts";
import { backward, recording } from "../../lib/tensor/tape.ts";
import { parameter } from "../../lib/tensor/tensor.ts";
import { engines } from "../engine/engines.ts";
import { assertNear, largest } from "../golden/golden.ts";

interface Case extends BatchTripletOptions {
  readonly loss: string;
  readonly distance: "euclidean" | "cosine";
  readonly classes: string;
  readonly doubled: boolean;
  readonly value: number;
  readonly gradient: readonly number[];
}

const golden = JSON.parse(await Deno.readTextFile(new URL("../golden/batch_losses.json", import.meta.url)));
const { width } = golden;
const losses: Record<string, (options: BatchTripletOptions) => Loss> = {
  batch_all_triplet: batchAllTriplet,
  batch_hard_triplet: batchHardTriplet,
  batch_semi_hard_triplet: batchSemiHardTriplet,
  batch_hard_soft_margin_triplet: batchHardSoftMarginTriplet,
};

/** Value and gradient of a loss over one column. */
async function differentiate(engine: Engine, loss: Loss, x: readonly number[], classes: readonly number[]) {
  engine.enter();
  const leaf = parameter(engine, [classes.length, x.length / classes.length], Float32Array.from(x));
  const tape = recording(engine);
  const value = loss.apply(tape, [leaf], undefined, {}, { classes: Int32Array.from(classes) });
  assert.deepEqual(value.value.shape, [1]);
  backward(tape, value, engine.upload(Float32Array.of(1), [1]));
  const found = { value: (await engine.read(value.value))[0]!, gradient: await engine.read(leaf.gradient!) };
  engine.exit();
  engine.free(leaf.value);
  engine.free(leaf.gradient!);
  return found;
}

for (const { name, create } of engines) {
  Deno.test(`batch triplet losses have sentence-transformers' values and gradients on ${name}`, async () => {
    const engine = await create();
    assert.equal(golden.cases.length, 53);
    for (const expected of golden.cases as Case[]) {
      const { loss, distance, margin, classes, doubled } = expected;
      const built = losses[loss]!({ distance, ...(margin !== null && { margin }) } as BatchTripletOptions);
      assert.equal(built.name, loss);
      const x = doubled ? golden.doubled : golden.embeddings;
      const found = await differentiate(engine, built, x, golden.classes[classes]);
      const where = `${loss} ${distance} ${margin} ${classes}${doubled ? " doubled" : ""}`;
      assertNear(where, [found.value], [expected.value], 1e-5, Math.max(1, expected.value));
      // Of equal distances PyTorch takes the first, here they share: their sum is the same.
      const rowsOf = doubled ? merged : (x: ArrayLike<number>) => x;
      assert.ok(found.gradient.every(Number.isFinite), where);
      assertNear(
        where,
        rowsOf(found.gradient),
        rowsOf(expected.gradient),
        1e-4,
        Math.max(largest(expected.gradient), 1e-2),
      );
    }
    engine.close();
    assert.equal(engine.memory().live, 0);
  });
}

/** Rows 3 and 4, and 7 and 8, are the same text in `doubled`. */
function merged(x: ArrayLike<number>): number[] {
  const result = Array.from(x);
  for (const row of [3, 7]) {
    for (let c = 0; c < width; c++) {
      result[row * width + c]! += result[(row + 1) * width + c]!;
      result[(row + 1) * width + c] = 0;
    }
  }
  return result;
}

for (const { name, create } of engines) {
  Deno.test(`mega-batch margin has sentence-transformers' value and gradients on ${name}`, async () => {
    const engine = await create();
    for (const { value, gradients, ...options } of golden.mega) {
      engine.enter();
      const leaves = [golden.embeddings, golden.positives]
        .map((x) => parameter(engine, [golden.rows, width], Float32Array.from(x)));
      const tape = recording(engine);
      const found = megaBatchMargin(options).apply(tape, leaves, undefined, {});
      backward(tape, found, engine.upload(Float32Array.of(1), [1]));
      assertNear("value", await engine.read(found.value), [value], 1e-5);
      for (const [i, leaf] of leaves.entries()) {
        assertNear(`gradient ${i}`, await engine.read(leaf.gradient!), gradients[i], 1e-4);
      }
      engine.exit();
    }
    engine.close();
  });
}

Deno.test("mega-batch margin of a single row has no negative", async () => {
  const engine = await engines[0]!.create();
  const tape = recording(engine);
  const leaves = [[1, 0], [0.6, 0.8]].map((x) => parameter(engine, [1, 2], Float32Array.from(x)));
  const loss = megaBatchMargin().apply(tape, leaves, undefined, {});
  backward(tape, loss, engine.upload(Float32Array.of(1), [1]));
  assertNear("value", await engine.read(loss.value), [0.2], 1e-6);
  assert.ok((await engine.read(leaves[0]!.gradient!)).every(Number.isFinite));
  engine.close();
});

Deno.test("batch triplet losses of equal embeddings, and of a single row, have finite gradients", async () => {
  const engine = await engines[0]!.create();
  for (const build of Object.values(losses)) {
    for (const distance of ["euclidean", "cosine"] as const) {
      const loss = build({ distance });
      for (
        const [x, classes] of [[[1, 2, 1, 2, 1, 2, 1, 2], [0, 0, 1, 1]], [[1, 2], [0]], [[0, 0, 0, 0], [0, 0]]] as const
      ) {
        const { value, gradient } = await differentiate(engine, loss, x, classes);
        assert.ok(Number.isFinite(value) && gradient.every(Number.isFinite), `${loss.name}: ${value} ${gradient}`);
      }
    }
  }
  engine.close();
});

Deno.test("batch triplet losses cannot do without classes, also within matryoshka", async () => {
  const engine = await engines[0]!.create();
  const loss = matryoshka(batchHardTriplet({ margin: 1 }), { dimensions: [2, 1] });
  assert.equal(loss.grouped, true);
  const x = parameter(engine, [4, 2], Float32Array.of(1, 0, 1, 1, -1, 0, -1, 1));
  assert.throws(() => loss.apply(recording(engine), [x], undefined, {}), TrainingError);
  const wrong = Int32Array.of(0, 0, 1);
  assert.throws(
    () => loss.apply(recording(engine), [x], undefined, {}, { classes: wrong }),
    /4 classes|class of every row/,
  );
  assert.ok((await differentiate(engine, loss, [1, 0, 1, 1, -1, 0, -1, 1], [0, 0, 1, 1])).value > 0);
  engine.close();
});
