import assert from "node:assert/strict";
import { sampleAttitudes, sampleBaseModel } from "../../lib/data/sample/mod.ts";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { randomPurpose, randomStream } from "../../lib/engine/philox.ts";
import { TrainingError } from "../../lib/error.ts";
import { batchAllTriplet, batchHardTriplet, matryoshka } from "../../lib/loss/mod.ts";
import { type BiEncoder, loadBiEncoder } from "../../lib/model/bi_encoder.ts";
import { parameter } from "../../lib/tensor/tensor.ts";
import { tokenize } from "../../lib/text/tokenizer.ts";
import { epochBatches } from "../../lib/train/batches.ts";
import { biEncoderObjective } from "../../lib/train/bi_encoder_objective.ts";
import { groupedBatches } from "../../lib/train/grouped_batches.ts";
import { planUpdates } from "../../lib/train/plan.ts";
import { assertNear } from "../golden/golden.ts";

const random = randomStream(7, randomPurpose("sample"));

/** Rows of each class, at random and in random order. */
function classesOf(counts: readonly number[]): Int32Array {
  return random.shuffle(Int32Array.from(counts.flatMap((count, label) => Array<number>(count).fill(label * 3 - 4))));
}

/** What every epoch must keep to; the rows that stayed out. */
function check(classes: Int32Array, batchSize: number, batches: readonly Int32Array[]): number[] {
  const where = `batch size ${batchSize}, classes ${classes}`;
  const used = batches.flatMap((rows) => [...rows]);
  assert.equal(new Set(used).size, used.length, `a row twice: ${where}`);
  for (const rows of batches) {
    assert.ok(rows.length <= batchSize, where);
    const counts = Map.groupBy(rows, (row) => classes[row]!);
    assert.ok(counts.size >= 2, `one class alone: ${where}`);
    for (const [label, { length }] of counts) assert.ok(length >= 2, `one row of class ${label}: ${where}`);
  }
  const known = new Set(used);
  return [...classes.keys()].filter((row) => !known.has(row));
}

Deno.test("groupedBatches() keeps its promises for any distribution of classes, and leaves out only what it must", () => {
  for (let round = 0; round < 1500; round++) {
    const kinds = 2 + random.int(8);
    const most = 1 + random.int(random.uniform() < 0.2 ? 200 : 12);
    const counts = Array.from({ length: kinds }, () => random.int(most + 1));
    const batchSize = 4 + random.int(13);
    const classes = classesOf(counts);
    if (counts.filter((count) => count >= 2).length < 2) {
      assert.throws(() => groupedBatches(classes, batchSize, random), TrainingError);
      continue;
    }
    const batches = groupedBatches(classes, batchSize, round % 3 === 0 ? undefined : random);
    const out = check(classes, batchSize, batches);
    const where = `batch size ${batchSize}, rows by class ${counts}`;
    const lost = Map.groupBy(out.filter((row) => counts[(classes[row]! + 4) / 3]! > 1), (row) => classes[row]!);
    const pairs = counts.map((count) => count >> 1).sort((a, b) => b - a);
    const against = pairs.slice(1).reduce((sum, count) => sum + count, 0);
    for (const [label, { length }] of lost) {
      if (length >= 2) {
        // A whole pair stays out if one class prevails (then no more batches are possible) or if batches of two pairs
        // do not come out even.
        assert.equal(counts[(label + 4) / 3]! >> 1, pairs[0], where);
        assert.ok(batches.length === against || (batchSize < 6 && length <= 3), where);
      }
      const hosts = batches.filter((rows) => rows.some((row) => classes[row] === label));
      assert.ok(hosts.every((rows) => rows.length === batchSize), `room for class ${label}: ${where}`);
    }
  }
});

Deno.test("a class that prevails is used beside every pair of the others; each class is spread over the epoch", () => {
  const classes = classesOf([900, 60, 40]);
  const batches = groupedBatches(classes, 32, random);
  assert.deepEqual(check(classes, 32, batches), []);
  for (const rows of batches) {
    const large = rows.filter((row) => classes[row] === -4).length;
    assert.ok(large >= 26 && large <= 30, `${large} of the largest class`);
  }
  assert.equal(batches.length, Math.ceil(1000 / 32));
});

Deno.test("which classes meet in a batch changes within an epoch", () => {
  const classes = classesOf(Array<number>(40).fill(20));
  const meetings = new Set<string>();
  for (const rows of groupedBatches(classes, 16, random)) {
    const present = [...new Set([...rows].map((row) => classes[row]!))].sort((a, b) => a - b);
    for (const a of present) for (const b of present) if (a < b) meetings.add(`${a} ${b}`);
  }
  // 50 batches of 8 pairs: 1,400 meetings at most, of 780 pairs of classes.
  assert.ok(meetings.size > 500, `${meetings.size}`);
});

Deno.test("epochBatches() of groups depends on seed and epoch, and odd rows take turns", () => {
  const classes = classesOf([9, 9, 9]);
  const rowsOf = (seed: number, epoch: number) =>
    epochBatches(27, { batchSize: 4, seed, epoch, groups: classes }).map(({ rows }) => [...rows]);
  assert.deepEqual(rowsOf(1, 0), rowsOf(1, 0));
  assert.notDeepEqual(rowsOf(1, 0), rowsOf(1, 1));
  assert.notDeepEqual(rowsOf(1, 0), rowsOf(2, 0));
  const seen = new Set(Array.from({ length: 8 }, (_, epoch) => rowsOf(1, epoch).flat()).flat());
  assert.equal(seen.size, 27);
  const [first] = epochBatches(27, { batchSize: 4, seed: 1, epoch: 3, groups: classes });
  assert.equal(first!.epoch, 3);
  const places = epochBatches(27, { batchSize: 4, seed: 1, epoch: 0, groups: classes })
    .flatMap(({ streams }) => [...streams]);
  assert.deepEqual(places, [...places.keys()]);
});

Deno.test("groupedBatches() says what is missing", () => {
  const fails = (classes: number[], batchSize: number, pattern: RegExp) =>
    assert.throws(() => groupedBatches(Int32Array.from(classes), batchSize), (error: unknown) => {
      assert.ok(error instanceof TrainingError);
      assert.match(`${error.summary} ${error.found}`, pattern);
      assert.match(`${error.summary} ${error.expected}`, /two classes with two rows each/);
      return true;
    });
  fails([0, 1, 2, 3], 8, /4 rows of 4 classes, none of which/);
  fails([0, 0, 0, 1], 8, /4 rows of 2 classes, one of which/);
  fails([5, 5, 5], 8, /3 rows of 1 class, one of which/);
  fails([0, 0, 1, 1], 3, /batch size/);
  assert.deepEqual(groupedBatches(Int32Array.of(0, 1, 0, 1), 4).map((rows) => [...rows]), [[0, 2, 1, 3]]);
});

Deno.test("a loss that compares classes plans its updates by them", () => {
  const engine = createCpuEngine({ threads: 1 });
  const model = { parameters: { weight: parameter(engine, [1], new Float32Array(1)) } } as unknown as BiEncoder;
  const texts = [{
    ids: new Int32Array(12),
    typeIds: undefined,
    offsets: Int32Array.from({ length: 13 }, (_, i) => i),
  }];
  const labels = Int32Array.of(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 4);
  const loss = matryoshka(batchHardTriplet(), { dimensions: [1] });
  const objective = biEncoderObjective({ model, loss, head: {}, texts, labels });
  assert.deepEqual(objective.groups, labels);
  const { totalSteps, updates } = planUpdates(objective, { epochs: 2, batchSize: 4, accumulate: 1, seed: 1 });
  const steps = [...updates(0)];
  assert.equal(steps.length, totalSteps);
  assert.equal(totalSteps, 4); // five pairs make two batches; rows 10 and 11 are alone
  for (const [batch] of steps) check(labels, 4, [batch!.rows]);
  assert.throws(() => biEncoderObjective({ model, loss, head: {}, texts }), TrainingError);
  assert.throws(
    () => biEncoderObjective({ model, loss, head: {}, texts, labels: new Float32Array(12).fill(0.5) }),
    /does not suit/,
  );
  engine.close();
});

Deno.test("a batch above the budget of memory has the gradient of the whole one, by class too", async () => {
  const engine = createCpuEngine({ threads: 1 });
  const model = await loadBiEncoder(engine, await sampleBaseModel(), { trained: true });
  const { text, label } = sampleAttitudes({ rows: 12 }).columns;
  const texts = [await tokenize(model.tokenizer, text, { maxLength: 32 })];
  const rows = Int32Array.from(text.keys());
  const name = "encoder.layer.1.output.dense.weight";
  const found: { loss: number; gradient: Float32Array }[] = [];
  for (const tokenBudget of [undefined, 40]) {
    const objective = biEncoderObjective({
      model,
      loss: batchAllTriplet(),
      head: {},
      texts,
      labels: label,
      tokenBudget,
    });
    engine.enter();
    const batch = { rows, streams: rows, epoch: 0, seed: 1, step: 1 };
    const loss = (await engine.read(objective.differentiate(engine, batch, 1)))[0]!;
    engine.exit();
    const { gradient } = model.parameters[name]!;
    found.push({ loss, gradient: (await engine.read(gradient!)).slice() as Float32Array });
    engine.fill(gradient!, 0);
  }
  const [whole, split] = found;
  assert.ok(whole!.loss > 0);
  assertNear("loss", [split!.loss], [whole!.loss], 1e-5);
  assertNear("gradient", split!.gradient, whole!.gradient, 1e-4);
  engine.close();
});
