/**
 * Run by `threads_test.ts` without permissions: both threads start, and both compute.
 *
 * @module
 */
import { createCpuEngine } from "../../../lib/engine/cpu/engine.ts";
import { startThreads } from "../../../lib/engine/cpu/threads.ts";

// Words of the control block, as in threads.ts.
const FINISHED = 1;
const READY = 7;

const threads = startThreads(2, 512);
const control = new Int32Array(threads.memory.buffer, 0, 16);
for (let waited = 0; Atomics.load(control, READY) === 0 && waited < 1000; waited++) {
  await new Promise((resolve) => setTimeout(resolve, 10));
}
const address = 24 << 20;
threads.run("fill", 65536, 16384, { target: address, value: 7 });
const right = new Float32Array(threads.memory.buffer, address, 65536).every((value) => value === 7);
const workers = Atomics.load(control, FINISHED);
threads.close();

const engine = createCpuEngine({ threads: 2 });
const x = engine.upload(Float32Array.of(1, 2, 3, 4), [2, 2]);
const product = await engine.read(engine.matmul(x, x));
engine.close();
// deno-lint-ignore no-console -- the test reads it
console.log(JSON.stringify({ right, workers, product: [...product] }));
