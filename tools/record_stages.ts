/**
 * Writes down, for every stage, its version and the hash of the source it reaches: `deno task record:stages`.
 *
 * A stage whose source changed needs a new version, or the cache would give results of the old code. If the change gives
 * the very same results, say so with `--same-results`.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { type StageRecord, stageRecords, STAGES_FILE } from "../tests/stage/stage_records.ts";

const { values } = parseArgs({ options: { "same-results": { type: "boolean", default: false } } });
const before: Readonly<Record<string, StageRecord>> = JSON.parse(
  await Deno.readTextFile(STAGES_FILE).catch(() => "{}"),
);
const now = await stageRecords();
const moved = Object.keys(now).filter((stage) =>
  before[stage] !== undefined && before[stage].sha256 !== now[stage]!.sha256
);
const say = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
if (moved.length > 0 && !values["same-results"]) {
  say(`the source of these stages changed, and their versions did not: ${moved.join(", ")}`);
  say("count the version up in defineStage, or say --same-results if the results are the same, bit for bit");
  Deno.exit(1);
}
await Deno.writeTextFile(STAGES_FILE, JSON.stringify(now, null, 2) + "\n");
say(`${Object.keys(now).length} stages written down`);
