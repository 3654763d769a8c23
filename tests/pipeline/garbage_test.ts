import assert from "node:assert/strict";
import { rowCollector } from "../../lib/pipeline/garbage.ts";

Deno.test("rowCollector() collects what nothing holds, when so many rows have passed", async () => {
  const collect = rowCollector();
  const reference = new WeakRef({});
  await new Promise((resolve) => setTimeout(resolve)); // a reference holds until the turn ends
  collect(65_535);
  assert.notEqual(reference.deref(), undefined);
  await new Promise((resolve) => setTimeout(resolve));
  collect(65_536);
  assert.equal(reference.deref(), undefined);
});
