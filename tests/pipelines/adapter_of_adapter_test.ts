import assert from "node:assert/strict";
import { join } from "node:path";
import { command } from "../../pipelines/multiple_negatives_ranking.ts";
import { runCommand } from "./in_process.ts";
import { withFolder } from "./user.ts";

Deno.test("adapters upon an adapter are saved merged, or refused before anything is trained", () =>
  withFolder(async (folder) => {
    const go = (output: string, ...flags: string[]) =>
      runCommand(
        command,
        join(folder, "cache"),
        ...["--preset", "test", "--max-steps", "1", "--lora-rank", "2", "--output", join(folder, output), ...flags],
      );
    const { model } = await go("first", "--lora-save", "adapter");
    await assert.rejects(go("second", "--model", model, "--lora-save", "adapter"), /Python does not load them/);
    assert.equal((await go("third", "--model", model)).training.steps, 1);
  }));
