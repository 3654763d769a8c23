import assert from "node:assert/strict";
import { join } from "node:path";
import { openTensors } from "../../lib/checkpoint/safetensors.ts";
import { command } from "../../pipelines/distillation.ts";
import { goldenPath } from "../golden/golden.ts";
import { runCommand } from "./in_process.ts";
import { withFolder } from "./user.ts";

Deno.test("distillation trains a student of some layers beside its teacher, on texts and on translations", () =>
  withFolder(async (folder) => {
    const common = ["--preset", "test", "--max-steps", "2", "--output", join(folder, "out")];
    const go = (...flags: string[]) => runCommand(command, join(folder, "cache"), ...common, ...flags);
    const { tables: [table], training, model } = await go();
    assert.equal(training.steps, 2);
    assert.deepEqual(table.columns, ["metric", "student before", "student", "teacher"]);
    assert.equal(table.rows.length, 10);
    const reader = await openTensors(model);
    const layers = [...reader.tensors.keys()].flatMap((name) => /layer\.(\d+)\./.exec(name)?.[1] ?? []);
    reader.close();
    assert.deepEqual([...new Set(layers)], ["0"]);
    assert.equal(JSON.parse(await Deno.readTextFile(join(model, "config.json"))).num_hidden_layers, 1);

    const parallel = join(folder, "parallel.csv");
    const rows = Array.from({ length: 40 }, (_, i) => `red bird ${i},${i} fish green`);
    await Deno.writeTextFile(parallel, ["anchor,positive", ...rows].join("\n"));
    const own = ["--train", parallel, "--parallel", "--hold-out", "8", "--model", goldenPath("training/model")];
    const { metrics } = await go(...own, "--layers", "1", "--teacher", goldenPath("distillation/bert"), "--force");
    assert.ok(Number.isFinite(metrics["cosine_ndcg@10"]));
    await assert.rejects(go(...own, "--layers", "2", "--force"), /cannot be kept/);
    await assert.rejects(go("--parallel", "--force"), /no translations/);
  }));
