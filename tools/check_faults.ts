// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * What happens when things go wrong: signals, kills, flipped bits, processes side by side, a full disk, servers that lie.
 *
 *     deno run -A tools/check_faults.ts [--rounds 20] [--signals 200] [--seed 1] [NAME…]
 *
 * Names: signals, kills, flips, sharing, disk, servers; all of them by default. A table at the end; the exit code is 1 if
 * anything went wrong.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { fullDisk } from "./faults/disk.ts";
import { flips } from "./faults/flips.ts";
import { kills } from "./faults/kills.ts";
import { servers } from "./faults/servers.ts";
import { sharing } from "./faults/sharing.ts";
import { signals } from "./faults/signals.ts";
import { type Finding, openWorld, type World } from "./faults/world.ts";

const { values, positionals } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "20" },
    signals: { type: "string", default: "200" },
    seed: { type: "string", default: "1" },
  },
});
const rounds = Number(values.rounds);
const half = Math.ceil(Number(values.signals) / 2);

const FAULTS: Readonly<Record<string, readonly ((world: World) => Promise<Finding>)[]>> = {
  signals: [(world) => signals(world, half, "wasm"), (world) => signals(world, half, "auto")],
  kills: [(world) => kills(world, rounds)],
  flips: [(world) => flips(world, 10 * rounds)],
  sharing: [(world) => sharing(world, Math.ceil(rounds / 5))],
  disk: [(world) => fullDisk(world, rounds)],
  servers: [servers],
};
const names = positionals.length === 0 ? Object.keys(FAULTS) : positionals;
const unknown = names.filter((name) => FAULTS[name] === undefined);
if (unknown.length > 0) {
  console.error(`there is no fault ${unknown.join(", ")}; there are ${Object.keys(FAULTS).join(", ")}`);
  Deno.exit(2);
}

const world = await openWorld(Number(values.seed));
const findings: Finding[] = [];
try {
  for (const name of names) {
    for (const fault of FAULTS[name]!) {
      const finding = await fault(world);
      findings.push(finding);
      console.log(`${finding.fault}: ${finding.tried} tried, ${finding.failures.length} failed. ${finding.note}`);
      for (const failure of finding.failures) console.log(`  ${failure}`);
    }
  }
} finally {
  await Deno.remove(world.folder, { recursive: true });
}

console.log(`\n${"fault".padEnd(40)} tried  failed`);
for (const { fault, tried, failures } of findings) {
  console.log(`${fault.padEnd(40)} ${`${tried}`.padStart(5)} ${`${failures.length}`.padStart(7)}`);
}
Deno.exit(findings.some(({ failures }) => failures.length > 0) ? 1 : 0);
