// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * Ten thousand steps of a tiny model, which must neither take more and more memory nor become slower:
 *
 *     deno run -A --v8-flags=--expose-gc tools/check_steps.ts [--engine webgpu] [--steps 10000]
 *
 * Texts differ in length, so that tensors come in many sizes. The exit code is 1 where something grows from the second
 * tenth of the steps, when all sizes have been seen, to the last. Speed is compared by the clock, or by the time of the
 * processor where it does the work itself: others may be at work beside it.
 *
 * @module
 */
import { Effect } from "effect";
import process from "node:process";
import { parseArgs } from "node:util";
import { type EngineName, selectEngine } from "../lib/engine/select.ts";
import { findAdapter, type WebgpuEngine } from "../lib/engine/webgpu/mod.ts";
import { tableLines } from "../lib/pipeline/table_lines.ts";
import { train } from "../lib/train/trainer.ts";
import { randomObjective } from "./random_model.ts";

const { values } = parseArgs({
  args: Deno.args,
  options: { engine: { type: "string", default: "webgpu" }, steps: { type: "string", default: "10000" } },
});
const tenth = Math.floor(Number(values.steps) / 10);
const BATCH = 2;
const SHAPE = {
  model_type: "bert",
  vocab_size: 100,
  hidden_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 1,
  intermediate_size: 16,
  max_position_embeddings: 16,
};

const { engine, reason } = await selectEngine({ engine: values.engine as EngineName });
console.log(reason);
const isProcessor = engine.info.name !== "webgpu" || (await findAdapter())!.isSoftware;
const objective = await randomObjective(engine, { shape: SHAPE, rows: 2048, tokens: 12, shortest: 2 });

/** What is held, and what it took, after so many steps. */
interface State {
  readonly steps: number;
  readonly seconds: number;
  readonly processor: number;
  readonly live: number;
  readonly buffers: number;
  readonly bytes: number;
  readonly groups: number;
  readonly resident: number;
}
const { gc } = globalThis as { gc?: () => void };
function look(steps: number): State {
  gc?.();
  const { user, system } = process.cpuUsage();
  const held = (engine as Partial<WebgpuEngine>).held?.() ?? { buffers: 0, bytes: 0, bindGroups: 0 };
  return {
    steps,
    seconds: performance.now() / 1000,
    processor: (user + system) / 1e6,
    live: engine.memory().live,
    buffers: held.buffers,
    bytes: held.bytes,
    groups: held.bindGroups,
    resident: Deno.memoryUsage().rss,
  };
}

const states: State[] = [];
const settings = { batchSize: BATCH, maxSteps: 10 * tenth, loggingSteps: tenth, learningRate: 1e-4 };
await Effect.runPromise(train(engine, objective, settings, {
  onStep: ({ step }) =>
    Effect.sync(() => {
      if (step !== 1 && step % tenth !== 0) return;
      states.push(look(step));
      console.error(`${step} of ${10 * tenth} steps`);
    }),
}));
engine.close();

const MEGABYTE = 2 ** 20;
const rows = states.slice(1).map((state, i) => {
  const before = states[i]!;
  const steps = state.steps - before.steps;
  return {
    ...state,
    perSecond: steps / (state.seconds - before.seconds),
    milliseconds: 1000 * (state.processor - before.processor) / steps,
  };
});
console.log(
  tableLines({
    title: `${10 * tenth} steps on ${engine.info.device}`,
    columns: ["steps", "steps/s", "ms of processor", "live KiB", "buffers", "their MiB", "bind groups", "process MiB"],
    rows: rows.map((row) => [
      row.steps,
      row.perSecond.toFixed(1),
      row.milliseconds.toFixed(2),
      Math.round(row.live / 1024),
      row.buffers,
      (row.bytes / MEGABYTE).toFixed(1),
      row.groups,
      (row.resident / MEGABYTE).toFixed(0),
    ]),
  }).join("\n"),
);
const [early, late] = [rows[1]!, rows.at(-1)!];
const slower = isProcessor ? late.milliseconds / early.milliseconds : early.perSecond / late.perSecond;
const wrong = [
  late.live - early.live > late.steps - early.steps && `live bytes grew from ${early.live} to ${late.live}`,
  late.bytes > 1.1 * early.bytes && `buffers grew from ${early.bytes} to ${late.bytes} bytes`,
  late.resident > 1.1 * early.resident + 16 * MEGABYTE && "the process grew",
  slower > 1.2 && `a step took ${slower.toFixed(2)} times as long in the end`,
].filter((text) => text !== false);
console.log(wrong.length === 0 ? "nothing grows, nothing slows down" : wrong.join("\n"));
Deno.exit(wrong.length === 0 ? 0 : 1);
