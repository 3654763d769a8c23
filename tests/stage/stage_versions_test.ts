import assert from "node:assert/strict";
import { declaredStages } from "../../lib/stage/stage.ts";
import { type StageRecord, stageRecords, STAGES_FILE } from "./stage_records.ts";

Deno.test("a stage whose source changed has a new version, or is known to give the same results", async () => {
  const written: Readonly<Record<string, StageRecord>> = JSON.parse(await Deno.readTextFile(STAGES_FILE));
  const now = await stageRecords();
  assert.ok(Object.keys(now).length > 15, "stages are found");
  const moved = Object.keys(now).filter((stage) => written[stage]?.sha256 !== now[stage]!.sha256);
  assert.deepEqual(
    moved,
    [],
    "count the version up in defineStage where results change, then: deno task record:stages " +
      "(with --same-results where they are the same, bit for bit)",
  );
  assert.deepEqual(Object.keys(written).filter((stage) => now[stage] === undefined), [], "stages that are gone");
  const others = declaredStages().filter((stage) => now[stage] === undefined && !stage.startsWith("test-"));
  assert.deepEqual(others, [], "stages are declared in lib/pipeline/stages");
});
