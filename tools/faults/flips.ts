/**
 * One bit flipped in every file of a finished run's cache: the next run gives the same product, or says what is wrong;
 * it never hands out what is damaged.
 *
 * @module
 */
import { join, relative } from "node:path";
import { differenceOf, filesBelow, type Finding, lastLine, productOf, run, type World } from "./world.ts";

/** Flips a random bit of each file of the cache, one after another, at most so many. */
export async function flips(world: World, rounds: number): Promise<Finding> {
  const cache = join(world.folder, "flipped", "cache");
  await run(world.folder, "flipped");
  const failures: string[] = [];
  const files: string[] = [];
  for await (const file of filesBelow(cache)) if (!file.endsWith(".lock")) files.push(file);
  let [tried, told] = [0, 0];
  for (const file of files.slice(0, rounds)) {
    const bytes = await Deno.readFile(file).catch(() => undefined); // an earlier flip may have had it put away
    if (bytes === undefined || bytes.length === 0) continue;
    const at = Math.floor(world.chance() * bytes.length);
    bytes[at]! ^= 1 << Math.floor(world.chance() * 8);
    await Deno.writeFile(file, bytes);
    await Deno.remove(join(world.folder, "flipped", "output"), { recursive: true });
    tried++;
    const where = `${relative(cache, file)}, byte ${at}`;
    const { code, said } = await run(world.folder, "flipped");
    if (said.includes("damaged")) told++;
    if (code !== 0) failures.push(`${where}: exit code ${code}: ${lastLine(said)}`);
    else {
      const difference = differenceOf(await productOf(world.folder, "flipped"), world.expected);
      if (difference !== undefined) failures.push(`${where}: ${difference}`);
    }
  }
  return { fault: "a flipped bit in the cache", tried, failures, note: `${told} were noticed, the others not used` };
}
