/**
 * Run by `threads_test.ts` without permissions: both threads start, and both compute.
 *
 * @module
 */
import { createCpuEngine } from "../../../lib/engine/cpu/engine.ts";
import { startThreads } from "../../../lib/engine/cpu/threads.ts";

const threads = startThreads(2, 512);
const address = 24 << 20;
let right = true;
// Until the worker has started, and taken something.
for (let tries = 0; threads.helped() === 0 && tries < 1000; tries++) {
  threads.run("fill", 65536, 1024, { target: address, value: tries });
  right &&= new Float32Array(threads.memory.buffer, address, 65536).every((value) => value === tries);
  await new Promise((resolve) => setTimeout(resolve, 10));
}
const helped = threads.helped() > 0;
threads.close();

const engine = createCpuEngine({ threads: 2 });
const x = engine.upload(Float32Array.of(1, 2, 3, 4), [2, 2]);
const product = await engine.read(engine.matmul(x, x));
engine.close();
// deno-lint-ignore no-console -- the test reads it
console.log(JSON.stringify({ right, helped, product: [...product] }));
