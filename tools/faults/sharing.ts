/**
 * Several processes that want the same results at the same time, the one that makes them killed: one of the others goes
 * on, and all end with the same bytes.
 *
 * @module
 */
import { join } from "node:path";
import { differenceOf, type Finding, lastLine, productOf, start, type World } from "./world.ts";

/** So many times four processes on one cache; the first is killed half-way. */
export async function sharing(world: World, rounds: number): Promise<Finding> {
  const failures: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const cache = join(world.folder, `shared-${round}`, "cache");
    const names = [0, 1, 2, 3].map((i) => `shared-${round}-${i}`);
    const first = start(world.folder, names[0]!, { cache });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const others = names.slice(1).map((name) => start(world.folder, name, { cache }));
    await new Promise((resolve) => setTimeout(resolve, 1000 * world.whole * (0.5 + world.chance())));
    first.kill("SIGKILL");
    await first.ended;
    for (const [i, { ended }] of others.entries()) {
      const { code, said } = await ended;
      if (code !== 0) failures.push(`round ${round}, process ${i + 1}: exit code ${code}: ${lastLine(said)}`);
      else {
        const difference = differenceOf(await productOf(world.folder, names[i + 1]!), world.expected);
        if (difference !== undefined) failures.push(`round ${round}, process ${i + 1}: ${difference}`);
      }
    }
  }
  return { fault: "four processes, the first killed", tried: rounds, failures, note: "" };
}
