/**
 * A disk that is full: one clean error that says so, nothing half-written is ever read, and with room again the run goes
 * on to the same product. It needs root on Linux, to mount a small disk in memory.
 *
 * @module
 */
import { join } from "node:path";
import { differenceOf, type Finding, lastLine, productOf, run, type World } from "./world.ts";

async function sh(command: string, ...args: string[]): Promise<boolean> {
  return await new Deno.Command(command, { args, stdout: "null", stderr: "null" }).output()
    .then(({ success }) => success, () => false);
}

/** Runs on disks of rising size, until one is large enough. */
export async function fullDisk(world: World, rounds: number): Promise<Finding> {
  const fault = "a full disk";
  const cache = join(world.folder, "small-disk");
  await Deno.mkdir(cache);
  if (!await sh("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", cache)) {
    return { fault, tried: 0, failures: [], note: "not tried: a small disk cannot be mounted here (root, Linux)" };
  }
  const failures: string[] = [];
  let tried = 0;
  try {
    for (let round = 0; round < rounds; round++) {
      const kilobytes = Math.round(64 * 2 ** (round * 10 / Math.max(1, rounds - 1)));
      await sh("mount", "-o", `remount,size=${kilobytes}k`, cache);
      tried++;
      const { code, said } = await run(world.folder, "full", { cache });
      if (code === 0) break;
      if (!/no room left|No space left/.test(said)) {
        failures.push(`${kilobytes} KB: exit code ${code}: ${lastLine(said)}`);
      }
    }
    await sh("mount", "-o", "remount,size=1g", cache);
    const { code, said } = await run(world.folder, "full", { cache });
    if (code !== 0) failures.push(`with room again: exit code ${code}: ${lastLine(said)}`);
    else {
      const difference = differenceOf(await productOf(world.folder, "full"), world.expected);
      if (difference !== undefined) failures.push(`with room again: ${difference}`);
    }
  } finally {
    await sh("umount", cache);
  }
  return { fault, tried, failures, note: "then with room: the same product" };
}
