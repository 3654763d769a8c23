/**
 * Run by `threads_test.ts`: engines that are closed before their workers have started, while these start, and after.
 *
 * @module
 */
import { startThreads } from "../../../lib/engine/cpu/threads.ts";

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

for (let i = 0; i < 12; i++) {
  const threads = startThreads(3, 512);
  if (i % 4 > 0) await pause(5 * i);
  threads.close();
}
// deno-lint-ignore no-console -- the test reads it
console.log("all closed");
