import assert from "node:assert/strict";
import type { Handle } from "../../lib/engine/engine.ts";
import { EngineError } from "../../lib/error.ts";
import { accumulate, add, backward, mean, parameter, record, recording, square } from "../../lib/tensor/mod.ts";
import { engines } from "../engine/engines.ts";

for (const { name, create } of engines) {
  Deno.test(`${name}: an op of one's own hands its gradient on as it is or anew; a view of it is refused, not read`, async () => {
    const engine = await create();
    const gradientOf = async (handedOn: (dy: Handle) => Handle) => {
      const x = parameter(engine, [2, 2], Float32Array.of(1, 2, 3, 4));
      const tape = recording(engine);
      const h = square(tape, x);
      const same = record(tape, engine.affine(h.value, 1), [h], (dy) => accumulate(tape, h, handedOn(dy)));
      const y = add(tape, same, same); // so that its gradient is one that was made for the tape
      backward(tape, mean(tape, square(tape, y)), engine.upload(Float32Array.of(1), [1]));
      return [...await engine.read(x.gradient!)];
    };
    try {
      const expected = [1, 2, 3, 4].map((x) => 4 * x ** 3); // d mean (2 x²)² / dx
      assert.deepEqual(await gradientOf((dy) => dy), expected);
      assert.deepEqual(await gradientOf((dy) => engine.reshape(engine.affine(dy, 1), [2, 2])), expected);
      await assert.rejects(gradientOf((dy) => engine.reshape(dy, [2, 2])), EngineError);
    } finally {
      engine.close();
    }
  });
}
