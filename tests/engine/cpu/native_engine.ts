/**
 * Run by `native_test.ts`: an engine with whatever kernels it may have, and how the process ends.
 *
 * @module
 */
import { selectEngine } from "../../../lib/engine/select.ts";

const { engine, reason } = await selectEngine({ threads: 3 });
const x = engine.upload(Float32Array.of(1, 2, 3, 4), [2, 2]);
const product = [...await engine.read(engine.matmul(x, x))];
// deno-lint-ignore no-console -- the test reads it
console.log(JSON.stringify({ kernels: engine.info.kernels, reason, product }));
const how = Deno.args[0];
if (how !== undefined) { // with the engine open, just after its threads were at work
  const y = engine.zeros([512, 512]);
  await engine.read(engine.matmul(y, y));
  if (how === "exit") Deno.exit(0);
  if (how === "throw") throw new Error("as was wished");
} else engine.close();
