/**
 * Pipelines of the sample on a card, beside the cpu engine with the same flags: a processor that acts as a card will do.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { sampleBaseModel, sampleSts } from "../../lib/data/sample/mod.ts";
import { hasWebgpu } from "../engine/engines.ts";
import { places, runWith, withFolder } from "./user.ts";

/** Cards, of which pipelines in tests see none otherwise. */
const CARD = { DENO_WEBGPU_BACKEND: "vulkan,metal,dx12" };

/** What losses and metrics may be off by. */
const TOLERANCE = 2e-3;

/** As little as shows everything: such a processor does some hundred tokens a second. */
const FEW = ["--preset", "test", "--batch-size", "8", "--warmup-steps", "1"];
const PIPELINES = {
  multiple_negatives_ranking: ["--limit", "64", "--max-steps", "4"],
  augmented_sbert: ["--limit", "80", "--gold-size", "40", "--max-steps", "2"],
};

// deno-lint-ignore no-explicit-any -- reports are looked into
type Report = any;

/** Fails unless two records have the same names, and numbers that are near. */
function assertSame(what: string, found: Record<string, number>, expected: Record<string, number>): void {
  assert.deepEqual(Object.keys(found), Object.keys(expected), what);
  for (const [name, value] of Object.entries(expected)) {
    assert.ok(Math.abs(found[name]! - value) <= TOLERANCE, `${what}: ${name} is ${found[name]}, on the cpu ${value}`);
  }
}

for (const [pipeline, flags] of Object.entries(PIPELINES)) {
  Deno.test({
    name: `webgpu: ${pipeline} reports what it does on the cpu engine`,
    ignore: !hasWebgpu,
    fn: () =>
      withFolder(async (folder) => {
        const rows = join(folder, "rows.jsonl");
        const { sentence1, sentence2, score } = sampleSts({ rows: 24 }).columns;
        const lines = sentence1.map((one, i) =>
          JSON.stringify({ sentence1: one, sentence2: sentence2[i], score: score[i] })
        );
        await Deno.writeTextFile(rows, lines.join("\n"));
        const few = [...FEW, ...flags, "--model", await sampleBaseModel(), "--eval", rows];
        const reportOf = async (engine: string): Promise<Report> => {
          const own = join(folder, engine);
          const { code, err } = await runWith(CARD, pipeline, ...few, "--engine", engine, ...places(own));
          assert.equal(code, 0, err);
          return JSON.parse(await Deno.readTextFile(join(own, "out", "report.json")));
        };
        const [expected, report] = [await reportOf("cpu"), await reportOf("webgpu")];
        const { name, device, reason } = report.engine;
        assert.deepEqual([name, reason], ["webgpu", `webgpu was asked for: ${device}`]);
        const page = await Deno.readTextFile(join(folder, "webgpu", "out", "report.html"));
        assert.ok(device.length > 0 && page.includes(device), device);
        assert.deepEqual(Object.keys(report.runs), Object.keys(expected.runs));
        for (const [run, { training, before, metrics }] of Object.entries<Report>(report.runs)) {
          const other = expected.runs[run];
          assertSame(`loss of ${run}`, Object.fromEntries(training.loss), Object.fromEntries(other.training.loss));
          assertSame(`${run} before`, before, other.before);
          assertSame(`${run} after`, metrics, other.metrics);
        }
      }),
  });
}
