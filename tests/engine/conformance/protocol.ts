/** What is more than a kernel: blocks of variables, which are one tensor and many. */
import assert from "node:assert/strict";
import { blockLayout, type Engine } from "../../../lib/engine/engine.ts";

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
