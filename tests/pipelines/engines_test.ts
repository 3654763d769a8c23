import assert from "node:assert/strict";
import { command } from "../../pipelines/engines.ts";
import { hasWebgpu } from "../engine/engines.ts";
import { cardNamed, withAdapter } from "../engine/machine.ts";
import { withFolder } from "../folder.ts";
import { runCommand } from "./in_process.ts";

Deno.test({
  name: "webgpu: a card that does not open with the numbers of 16 bits that it says it has is listed, and why",
  ignore: !hasWebgpu,
  fn: () =>
    withFolder(async (folder) => {
      const card = cardNamed("Model Y", ["shader-f16"], ({ requiredFeatures = [] }) => {
        if ([...requiredFeatures].includes("shader-f16")) throw new TypeError("no halves today");
      });
      await withAdapter(card, async () => {
        const report = await runCommand(command, folder, "--engine", "webgpu");
        assert.equal(report.engines.length, 1);
        const [{ device, gflops, gflopsOfFp16, missingFp16 }] = report.engines;
        assert.equal(device, "Model Y, wgsl");
        assert.ok(gflops > 0);
        assert.equal(gflopsOfFp16, undefined);
        assert.match(missingFp16, /^EngineError: the card does not open .*Model Y: no halves today/);
        assert.match(command.print!(report as never), /not in fp16[^]*no halves\s+today/);
      });
    }),
});
