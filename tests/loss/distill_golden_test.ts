import assert from "node:assert/strict";
import { losses, lossOf, type LossSpec, mse, tryLoss } from "../../lib/loss/mod.ts";
import { backward, recording } from "../../lib/tensor/tape.ts";
import { parameter, type Tensor } from "../../lib/tensor/tensor.ts";
import { engines } from "../engine/engines.ts";
import { assertNear } from "../golden/golden.ts";

const golden = JSON.parse(await Deno.readTextFile(new URL("../golden/distill_losses.json", import.meta.url)));
const { rows, width, wide } = golden;
type Described = (options: object) => LossSpec;

/** What the guide says of each column: targets as wide as the student's embeddings, or a guide's own. */
function guidesOf(kind: string | null, columns: number): readonly (readonly [values: number[], width: number])[] {
  switch (kind) {
    case "targets":
      return golden.targets.slice(0, columns).map((values: number[]) => [values, width]);
    case "first":
      return [[golden.targets[0], width]];
    case "narrow":
      return [[golden.guides[0], wide]];
    case "guides":
      return golden.guides.slice(0, columns).map((values: number[]) => [values, wide]);
    default:
      return [];
  }
}

for (const { name: engineName, create } of engines) {
  Deno.test(`${engineName}: losses that learn from another model have sentence-transformers' values and gradients`, async () => {
    const engine = await create();
    for (const { name, options, columns, labels, guide, value, gradients, head: heads, matryoshka } of golden.cases) {
      const described = (losses as unknown as Record<string, Described>)[name]!(options);
      const loss = lossOf(matryoshka === undefined ? described : losses.matryoshka(described, matryoshka));
      const where = `${loss.name} ${JSON.stringify(loss.options)} of ${columns} columns`;
      const leaves: Tensor[] = golden.columns.slice(0, columns)
        .map((values: number[]) => parameter(engine, [rows, width], Float32Array.from(values)));
      const head: Record<string, Tensor> = {};
      for (const [key, { shape }] of Object.entries(loss.head?.(width, 1) ?? {})) {
        head[key] = parameter(engine, shape, Float32Array.from(heads[key].value));
      }
      const scores = labels === null
        ? undefined
        : engine.upload(Float32Array.from(golden.scores[labels - 1]), labels === 1 ? [rows] : [rows, labels]);
      const guides = guidesOf(guide, columns).map(([values, width]) =>
        engine.upload(Float32Array.from(values), [rows, width])
      );
      const tape = recording(engine);
      const found = loss.apply(tape, leaves, scores, head, { guides });
      assertNear(where, await engine.read(found.value), [value], 2e-5);
      backward(tape, found, engine.upload(Float32Array.of(1), [1]));
      for (const [i, leaf] of leaves.entries()) {
        const expected: number[] = gradients[i];
        const scale = Math.max(...expected.map(Math.abs), 1e-3);
        assertNear(`${where}: d${i}`, await engine.read(leaf.gradient!), expected, 1e-4, scale);
      }
      for (const key of Object.keys(head)) {
        assertNear(`${where}: ${key}`, await engine.read(head[key]!.gradient!), heads[key].gradient, 1e-4);
      }
    }
    engine.close();
  });
}

Deno.test("matryoshka draws as many lengths as it shall for each update, others for another, the same for the same", async () => {
  const engine = await engines[0]!.create();
  const spec = losses.matryoshka(losses.cosineSimilarity(), { dimensions: [4, 3, 2, 1], dimensionsPerStep: 2 });
  const loss = lossOf(spec);
  const x = [1, 2, 3, 4];
  const valueAt = async (step: number) => {
    const leaves = [x, [4, 1, -2, 3]].map((row) => parameter(engine, [1, 4], Float32Array.from(row)));
    const labels = engine.upload(Float32Array.of(1), [1]);
    const value = loss.apply(recording(engine), leaves, labels, {}, { draw: { seed: 7, step } });
    return (await engine.read(value.value))[0]!;
  };
  const values: number[] = [];
  for (let step = 1; step <= 12; step++) values.push(await valueAt(step));
  assert.equal(await valueAt(3), values[2]);
  const singles = await Promise.all(
    [4, 3, 2, 1].map(async (d) =>
      (await tryLoss(
        lossOf(losses.matryoshka(losses.cosineSimilarity(), { dimensions: [d] })),
        [[x], [[4, 1, -2, 3]]],
        [
          1,
        ],
      ))
        .value
    ),
  );
  const sums = singles.flatMap((a, i) => singles.slice(i + 1).map((b) => a + b));
  for (const value of values) assert.ok(sums.some((sum) => Math.abs(sum - value) < 1e-6), `${value}`);
  assert.ok(new Set(values.map((value) => value.toFixed(5))).size > 2);
  engine.close();
  assert.throws(() => lossOf(losses.matryoshka(losses.cosent(), { dimensions: [2], dimensionsPerStep: 2 })), /from 1/);
});

Deno.test("a loss that wants another model's embeddings says so, and how wide they are", async () => {
  await assert.rejects(tryLoss(mse(), [[[1, 2]]]), /embeddings of a teacher/);
  await assert.rejects(tryLoss(mse(), [[[1, 2]]], [], [[[1, 2, 3]]]), /not as wide[\s\S]*/);
  await assert.rejects(tryLoss(lossOf(losses.gistEmbed()), [[[1]], [[1]]]), /guide/);
});
