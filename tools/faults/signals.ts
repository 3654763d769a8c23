/**
 * Signals at random moments, with every core busy: each process ends within two seconds or one step, whatever it was
 * doing, and what it was told to save can be gone on from.
 *
 * @module
 */
import { type Finding, lastLine, run, type World } from "./world.ts";

/** Seconds from the signal to the end that are allowed: a step, an evaluation's turn or a checkpoint may be under way. */
const ALLOWED = 2;

/** Sends SIGINT and SIGTERM, in turn, to so many processes while other ones keep all cores busy. */
export async function signals(world: World, rounds: number, kernels: "auto" | "wasm"): Promise<Finding> {
  const flags = [
    "--limit",
    "3000",
    "--max-steps",
    "60",
    "--save-steps",
    "5",
    "--eval-steps",
    "10",
    "--kernels",
    kernels,
  ];
  const failures: string[] = [];
  let [slowest, early, done] = [0, 0, 0];
  const busy = Array.from(
    { length: navigator.hardwareConcurrency },
    () => new Deno.Command(Deno.execPath(), { args: ["eval", "for (;;);"] }).spawn(),
  );
  try {
    for (let round = 0; round < rounds; round++) {
      const signal = round % 2 === 0 ? "SIGINT" : "SIGTERM";
      const after = 0.3 + world.chance() * 2 * world.whole;
      // One world a form of kernels: an interrupted run is gone on with by the next one, so that all phases are met.
      const { code, after: late, said } = await run(world.folder, `signals-${kernels}-${round >> 3}`, {
        signal,
        after,
        flags,
        limit: after + 60,
      });
      slowest = Math.max(slowest, late);
      if (code === 0) done++;
      else if (code === 143 || (code === 130 && !said.includes("interrupted"))) early++; // before anybody listens
      else if (code !== 130) {
        failures.push(`${signal} after ${after.toFixed(1)} s: exit code ${code}: ${lastLine(said)}`);
      }
      if (late > ALLOWED) failures.push(`${signal} after ${after.toFixed(1)} s: ended ${late.toFixed(1)} s later`);
    }
  } finally {
    for (const child of busy) {
      child.kill("SIGKILL");
      await child.status;
    }
  }
  const note = `${slowest.toFixed(2)} s to the end at most; ${done} had ended, ${early} had hardly begun`;
  return { fault: `signals under load, kernels: ${kernels}`, tried: rounds, failures, note };
}
