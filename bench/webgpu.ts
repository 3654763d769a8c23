// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * Training and encoding on the webgpu engine beside the cpu engine of the same machine, and what a step asks of the card.
 *
 * `deno run -A bench/webgpu.ts [--model DIR] [--steps 20] [--batch-size 32] [--engines webgpu,cpu]`
 *
 * Pairs of the sample under multiple negatives ranking; the sample's base model by default. Seconds are those after the
 * first steps, in which kernels are compiled.
 *
 * @module
 */
import { Effect } from "effect";
import { parseArgs } from "node:util";
import { sampleBaseModel, sampleNli } from "../lib/data/sample/mod.ts";
import type { Engine } from "../lib/engine/engine.ts";
import { type EngineName, selectEngine } from "../lib/engine/select.ts";
import { multipleNegativesRanking } from "../lib/loss/mod.ts";
import { loadBiEncoder } from "../lib/model/bi_encoder.ts";
import { tokenize } from "../lib/text/tokenizer.ts";
import { biEncoderObjective } from "../lib/train/bi_encoder_objective.ts";
import { train } from "../lib/train/trainer.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string" },
    steps: { type: "string", default: "20" },
    "batch-size": { type: "string", default: "32" },
    engines: { type: "string", default: "webgpu,cpu" },
  },
});
const [steps, batchSize] = [Number(values.steps), Number(values["batch-size"])];
const WARMUP = 2;

/** Pairs per second, and the loss of the last step. */
async function measure(engine: Engine): Promise<{ readonly perSecond: number; readonly loss: number }> {
  const model = await loadBiEncoder(engine, values.model ?? await sampleBaseModel(), { trained: true });
  const { premise, hypothesis } = sampleNli({ rows: batchSize * (steps + WARMUP) }).columns;
  const texts = await Promise.all(
    [premise, hypothesis].map((column) => tokenize(model.tokenizer, column, { maxLength: model.maxSeqLength })),
  );
  const objective = biEncoderObjective({ model, loss: multipleNegativesRanking(), head: {}, texts });
  const run = (maxSteps: number) => Effect.runPromise(train(engine, objective, { batchSize, maxSteps }));
  await run(WARMUP);
  const started = performance.now();
  const { log } = await run(steps);
  return { perSecond: steps * batchSize / (performance.now() - started) * 1000, loss: log.at(-1)!["loss"]! };
}

for (const name of values.engines.split(",") as EngineName[]) {
  const { engine } = await selectEngine({ engine: name });
  const { perSecond, loss } = await measure(engine);
  const { peak } = engine.memory();
  console.log(
    `${name} (${engine.info.device}): ${perSecond.toFixed(1)} pairs/s, loss ${loss}, ${peak >> 20} MiB at most`,
  );
  if (engine.work !== undefined) {
    const { count, dispatches, submits, uploaded, reads } = engine.work.steps;
    const each = (value: number) => (value / count).toFixed(1);
    console.log(
      `  a step: ${each(dispatches)} kernels, ${each(submits)} submissions, ${each(uploaded / 1024)} KiB written, ` +
        `${each(reads)} reads`,
    );
  }
  engine.close();
}
