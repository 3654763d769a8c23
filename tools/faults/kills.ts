/**
 * kill -9 at random moments, again and again until a run gets through: what it makes has the bytes of an undisturbed run.
 *
 * @module
 */
import { differenceOf, type Finding, lastLine, productOf, run, type World } from "./world.ts";

/** Kills so many times in all, each run as often as it takes. */
export async function kills(world: World, rounds: number): Promise<Finding> {
  const failures: string[] = [];
  let [done, runs] = [0, 0];
  for (; done < rounds; runs++) {
    const name = `killed-${runs}`;
    for (;;) {
      const after = world.whole * (0.1 + 0.5 * world.chance());
      const { code, after: late, said } = await run(
        world.folder,
        name,
        done < rounds ? { signal: "SIGKILL", after } : {},
      );
      if (code === 0) break;
      if (late === 0) {
        failures.push(`exit code ${code}: ${lastLine(said)}`);
        return { fault: "kill -9", tried: done, failures, note: "" };
      }
      done++;
    }
    const difference = differenceOf(await productOf(world.folder, name), world.expected);
    if (difference !== undefined) failures.push(`run ${runs}: ${difference}`);
  }
  return { fault: "kill -9", tried: done, failures, note: `over ${runs} runs, each with the same bytes in the end` };
}
