// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * What a training step asks of the engine: calls of each kind, fills and reads, and the most memory it held.
 *
 * `deno run -A bench/engine_calls.ts [--model DIR] [--steps 40] [--batch-size 32]`
 *
 * Pairs of the sample under multiple negatives ranking; the sample's base model by default.
 *
 * @module
 */
import { Effect } from "effect";
import { parseArgs } from "node:util";
import { sampleBaseModel, sampleNli } from "../lib/data/sample/mod.ts";
import { createCpuEngine } from "../lib/engine/cpu/engine.ts";
import type { Engine } from "../lib/engine/engine.ts";
import { multipleNegativesRanking } from "../lib/loss/mod.ts";
import { loadBiEncoder } from "../lib/model/bi_encoder.ts";
import { tokenize } from "../lib/text/tokenizer.ts";
import { biEncoderObjective } from "../lib/train/bi_encoder_objective.ts";
import { train } from "../lib/train/trainer.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string" },
    steps: { type: "string", default: "40" },
    "batch-size": { type: "string", default: "32" },
  },
});
const maxSteps = Number(values.steps);
const calls = new Map<string, number>();

/** The same engine, every call of which is counted. */
function counting(engine: Engine): Engine {
  return Object.fromEntries(
    Object.entries(engine).map(([name, method]) => [
      name,
      typeof method !== "function" ? method : (...args: never[]) => {
        calls.set(name, (calls.get(name) ?? 0) + 1);
        return method(...args);
      },
    ]),
  ) as unknown as Engine;
}

const engine = createCpuEngine({});
const counted = counting(engine);
const model = await loadBiEncoder(counted, values.model ?? await sampleBaseModel(), { trained: true });
const { premise, hypothesis } = sampleNli({ rows: 4000 }).columns;
const texts = await Promise.all(
  [premise, hypothesis].map((column) => tokenize(model.tokenizer, column, { maxLength: model.maxSeqLength })),
);
const objective = biEncoderObjective({ model, loss: multipleNegativesRanking(), head: {}, texts });
calls.clear();
const record = await Effect.runPromise(
  train(counted, objective, { batchSize: Number(values["batch-size"]), maxSteps, loggingSteps: 10 }),
);
const ignored = new Set(["enter", "exit", "keep", "release", "memory", "variable", "free", "reshape"]);
const told = [...calls].filter(([name]) => !ignored.has(name)).sort((a, b) => b[1] - a[1]);
const all = told.reduce((sum, [, count]) => sum + count, 0);
console.log(`${(all / maxSteps).toFixed(1)} engine calls a step, ${maxSteps} steps`);
for (const [name, count] of told) console.log(`${(count / maxSteps).toFixed(2).padStart(8)}  ${name}`);
console.log(
  `peak ${(engine.memory().peak / 2 ** 20).toFixed(1)} MiB; ${(record.samples / record.seconds).toFixed(1)} samples/s`,
);
engine.close();
