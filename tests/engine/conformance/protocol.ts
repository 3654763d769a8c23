/** What is more than a kernel: blocks of variables, which are one tensor and many, types of elements, and order. */
import assert from "node:assert/strict";
import { blockLayout, type Engine, type Handle } from "../../../lib/engine/engine.ts";

/** A block and its parts are the same elements, and what lies between the parts is 0. */
export async function checkBlocks(engine: Engine): Promise<void> {
  const live = engine.memory().live;
  const shapes = [[3, 5], [1], [16], [2, 2, 5], [0]];
  const { offsets, size } = blockLayout(shapes);
  const { all, parts } = engine.block(shapes);
  const expected = new Float32Array(size);
  assert.deepEqual([...all.shape], [size]);
  assert.deepEqual(parts.map(({ shape }) => [...shape]), shapes);
  assert.deepEqual(await engine.read(all), expected, "a new block is 0");
  for (const [i, part] of parts.entries()) {
    const values = new Float32Array(shapes[i]!.reduce((product, n) => product * n, 1)).fill(i + 1);
    engine.write(part, values);
    expected.set(values, offsets[i]!);
  }
  engine.addTo(parts[0]!, parts[0]!, 2);
  expected.subarray(offsets[0]!, 15).fill(3);
  assert.deepEqual(await engine.read(all), expected);
  assert.deepEqual(await engine.read(parts[3]!), new Float32Array(20).fill(4));
  engine.fill(all, 0);
  for (const part of parts) assert.ok((await engine.read(part)).every((value) => value === 0));
  engine.free(all);
  assert.equal(engine.memory().live, live, "a block is given back as one");
}

/** The nearest number of bf16, the even one of two. */
function bfloat(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer);
  bits[0] = (bits[0]! + 0x7fff + ((bits[0]! >>> 16) & 1)) & 0xffff0000;
  return new Float32Array(bits.buffer)[0]!;
}

/** A type that an engine has rounds to the nearest, and one that it has not is refused by its name. */
export async function checkTypes(engine: Engine): Promise<void> {
  engine.enter();
  const values = Float32Array.of(
    1,
    -2.5,
    1 / 3,
    1e-3,
    65504,
    0,
    1 + 2 ** -8,
    1 + 3 * 2 ** -8,
    1 + 2 ** -11,
    1 + 3 * 2 ** -11,
  );
  const x = engine.upload(values, [2, 5]);
  assert.deepEqual(await engine.read(engine.cast(x, "f32")), values);
  for (const [dtype, round] of [["bf16", bfloat], ["f16", Math.f16round]] as const) {
    let half: Handle;
    try {
      half = engine.cast(x, dtype);
    } catch (error) {
      assert.equal((error as { _tag?: string })._tag, "EngineError");
      assert.ok((error as Error).message.includes(dtype));
      continue;
    }
    assert.equal(half.dtype, dtype);
    assert.deepEqual(await engine.read(engine.cast(half, "f32")), values.map((value) => round(value)));
  }
  engine.exit();
}

/** What is given back is of no use any more, makes room for others, and takes nothing with it. */
export async function checkRelease(engine: Engine): Promise<void> {
  const values = async (x: Handle) => [...await engine.read(x)];
  const before = engine.memory().live;
  engine.enter();
  const outer = engine.full([64], 1);
  engine.enter();
  const first = engine.full([64], 2);
  const sum = engine.binary("add", first, outer); // is computed before the room of `first` has another tenant
  const kept = engine.keep(engine.full([64], 4));
  for (const each of [first, outer, kept]) engine.release(each);
  const [again, more] = [engine.full([64], 5), engine.full([8, 8], 6)];
  assert.throws(() => engine.affine(first, 1), (error) => (error as { _tag?: string })._tag === "EngineError");
  for (const [x, value] of [[outer, 1], [sum, 3], [kept, 4], [again, 5], [more, 6]] as const) {
    assert.deepEqual(await values(x), new Array(64).fill(value));
  }
  engine.exit();
  assert.deepEqual([...await values(kept), ...await values(outer)], [
    ...new Array(64).fill(4),
    ...new Array(64).fill(1),
  ]);
  engine.exit();
  assert.equal(engine.memory().live, before);
}

/** A variable is given back once, is of no use afterwards, and makes room for others; nothing else is given back by `free`. */
export async function checkFree(engine: Engine): Promise<void> {
  const isRefused = (attempt: () => unknown) =>
    assert.throws(attempt, (error) => (error as { _tag?: string })._tag === "EngineError", String(attempt));
  const before = engine.memory().live;
  engine.enter();
  const temporary = engine.full([64], 1);
  const [first, second] = [engine.variable([64]), engine.variable([64], { storage: "cold" })];
  const { all, parts } = engine.block([[64], [8, 8]]);
  for (const part of parts) isRefused(() => engine.free(part));
  for (const each of [first, second, all]) {
    engine.free(each);
    isRefused(() => engine.free(each));
    isRefused(() => engine.fill(each, 1));
  }
  isRefused(() => engine.free(temporary));
  isRefused(() => engine.free(engine.reshape(temporary, [8, 8])));
  const again = [1, 2, 3].map(() => engine.variable([64]));
  for (const [i, each] of again.entries()) engine.write(each, new Float32Array(64).fill(i + 2));
  const values = [];
  for (const each of [temporary, ...again]) values.push(...await engine.read(each));
  assert.deepEqual(values, [1, 2, 3, 4].flatMap((value) => Array<number>(64).fill(value)));
  for (const each of again) engine.free(each);
  engine.exit();
  assert.equal(engine.memory().live, before);
}

/** Whether an engine has weights of 8 bits; one that has not refuses them by name. */
export function hasInt8(engine: Engine): boolean {
  try {
    engine.free(engine.variable([1, 1], { dtype: "i8" }));
    return true;
  } catch (error) {
    assert.equal((error as { _tag?: string })._tag, "EngineError");
    assert.match((error as Error).message, /i8/);
    return false;
  }
}

/** A kernel begins when the one before it is done, whatever part of it which thread does. */
export async function checkOrder(engine: Engine): Promise<void> {
  const [size, rounds] = [2 ** 17 + 5, 100];
  engine.enter();
  const [x, y, twos] = [engine.zeros([size]), engine.empty([size]), engine.full([size], 2)];
  for (let round = 0; round < rounds; round += 2) {
    engine.fill(y, 0);
    engine.addTo(y, x);
    engine.addTo(x, twos);
    engine.addTo(y, x, -1);
  }
  const [last, difference] = [await engine.read(x), await engine.read(y)];
  engine.exit();
  assert.ok(last.every((value) => value === rounds), "each round adds to what the one before has left");
  assert.ok(difference.every((value) => value === -2));
}
