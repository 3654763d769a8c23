import assert from "node:assert/strict";
import { FLAGS } from "../../lib/pipeline/flags.ts";
import { helpText } from "../../lib/pipeline/help.ts";
import { command } from "../../pipelines/multiple_negatives_ranking.ts";

Deno.test("the help names every flag of the command once, within the terminal's width", () => {
  for (const columns of [40, 80, 120]) {
    const lines = helpText(command, { preset: "sample", columns }).split("\n");
    for (const line of lines) assert.ok(line.length <= columns || !line.trim().includes(" "), line);
    const named = lines.flatMap((line) => /^ {2}--([\w-]+)/.exec(line)?.[1] ?? []);
    assert.deepEqual(named.toSorted(), [...command.flags, "help"].toSorted());
    assert.ok(named.every((flag) => flag in FLAGS || flag === "help"));
  }
  assert.match(helpText(command, { preset: "sample" }), /--learning-rate N .*\[0\.00005; the sample 0\.001\]/);
});
