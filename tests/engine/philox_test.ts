import assert from "node:assert/strict";
import { philox, randomPurpose, randomStream } from "../../lib/engine/philox.ts";

Deno.test("philox() gives Random123's known answers", () => {
  const out = new Uint32Array(4);
  philox(0, 0, 0, 0, 0, 0, out);
  assert.deepEqual([...out], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
  philox(-1, -1, -1, -1, -1, -1, out);
  assert.deepEqual([...out], [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
  philox(0xa4093822, 0x299f31d0, 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, out);
  assert.deepEqual([...out], [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]);
});

Deno.test("randomStream() depends on seed, purpose and counter alone, and is evenly spread", () => {
  const draw = (seed: number, counter = 0) => {
    const stream = randomStream(seed, randomPurpose("sample"), counter);
    return Array.from({ length: 20 }, () => stream.int(1000));
  };
  assert.deepEqual(draw(1), draw(1));
  assert.notDeepEqual(draw(1), draw(2));
  assert.notDeepEqual(draw(1), draw(1, 1));
  const stream = randomStream(3, randomPurpose("sample"));
  const normals = Array.from({ length: 20000 }, () => stream.normal());
  const mean = normals.reduce((a, b) => a + b) / normals.length;
  const variance = normals.reduce((sum, x) => sum + (x - mean) ** 2, 0) / normals.length;
  assert.ok(Math.abs(mean) < 0.03 && Math.abs(variance - 1) < 0.04, `${mean} ${variance}`);
});
