import assert from "node:assert/strict";
import { emptyTally, feed } from "../tools/fuzz/fuzz.ts";
import { openTargets } from "../tools/fuzz/targets.ts";

const INPUTS = 60;

Deno.test("every parser reads what is whole, and refuses what is damaged by an error of its own, soon", async (t) => {
  const folder = await Deno.makeTempDir();
  try {
    for (const target of await openTargets(folder)) {
      await t.step(target.name, async () => {
        for (const seed of target.seeds) await target.read(seed);
        const tally = emptyTally(target.name);
        await feed(target, 7, 0, INPUTS, tally);
        assert.deepEqual(tally.faults, []);
        assert.equal(tally.read + tally.refused, INPUTS);
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
