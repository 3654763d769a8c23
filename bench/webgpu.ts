// deno-lint-ignore-file no-console -- a tool for the terminal
/**
 * The webgpu engine beside the cpu engine of the same machine and sentence-transformers: a product, training, encoding, and
 * what a step asks of the card.
 *
 *     deno run -A bench/webgpu.ts [--model DIR] [--sides webgpu,webgpu:fp16,cpu] [--steps 20] [--batch-size 32] [--texts 2000]
 *       [--python PYTHON] [--device cuda] [--peak-fp32 TFLOPS] [--peak-fp16 TFLOPS]
 *
 * Pairs of the sample under multiple negatives ranking; the sample's base model by default, `random_model.py` makes others. With
 * `--python` sentence-transformers does the same in fp32 and fp16. What the card's data sheet promises gives shares of it.
 * Seconds are those after the first steps, in which kernels are compiled.
 *
 * @module
 */
import { Effect } from "effect";
import { parseArgs } from "node:util";
import { sampleBaseModel, sampleNli } from "../lib/data/sample/mod.ts";
import { encodeTexts } from "../lib/embed/mod.ts";
import type { Engine } from "../lib/engine/engine.ts";
import { measureProduct } from "../lib/engine/roofline.ts";
import { type EngineChoice, selectEngine } from "../lib/engine/select.ts";
import { multipleNegativesRanking } from "../lib/loss/mod.ts";
import { loadBiEncoder } from "../lib/model/bi_encoder.ts";
import { tokenize } from "../lib/text/tokenizer.ts";
import { biEncoderObjective } from "../lib/train/bi_encoder_objective.ts";
import { train } from "../lib/train/trainer.ts";
import { runSide, secondsOf } from "./measure.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string" },
    sides: { type: "string", default: "webgpu,webgpu:fp16,cpu" },
    steps: { type: "string", default: "20" },
    "batch-size": { type: "string", default: "32" },
    texts: { type: "string", default: "2000" },
    python: { type: "string" },
    device: { type: "string", default: "cuda" },
    "peak-fp32": { type: "string" },
    "peak-fp16": { type: "string" },
  },
});
const [steps, batchSize] = [Number(values.steps), Number(values["batch-size"])];
const WARMUP = 2;
/** Rows and columns of a product that fills a card. */
const SIDE = 2048;

const model = values.model ?? await sampleBaseModel();
const { premise, hypothesis } = sampleNli({ rows: batchSize * (steps + WARMUP) }).columns;
const texts = sampleNli({ rows: Number(values.texts), seed: 1 }).columns.premise;

/** Pairs per second of training, texts per second of encoding, and the loss of the last step. */
async function measure(engine: Engine) {
  const encoder = await loadBiEncoder(engine, model, { trained: true });
  const { tokenizer, maxSeqLength } = encoder;
  const tokens = await Promise.all(
    [premise, hypothesis].map((column) => tokenize(tokenizer, column, { maxLength: maxSeqLength })),
  );
  const objective = biEncoderObjective({ model: encoder, loss: multipleNegativesRanking(), head: {}, texts: tokens });
  const run = (maxSteps: number) => Effect.runPromise(train(engine, objective, { batchSize, maxSteps }));
  await run(WARMUP);
  let loss = 0;
  const training = await secondsOf(async () => loss = (await run(steps)).log.at(-1)!["loss"]!);
  await encodeTexts(engine, encoder, texts.slice(0, 200));
  const encoding = await secondsOf(() => encodeTexts(engine, encoder, texts));
  return { pairs: steps * batchSize / training, encoded: texts.length / encoding, loss };
}

for (const side of values.sides.split(",")) {
  const [name, precision = "fp32"] = side.split(":") as [EngineChoice["engine"], EngineChoice["precision"]];
  let engine: Engine;
  try {
    ({ engine } = await selectEngine({ engine: name, precision }));
  } catch (error) {
    console.log(`${side}: ${(error as Error).message}`);
    continue;
  }
  const operations = await measureProduct(engine, SIDE, precision !== "fp32");
  const peak = name === "cpu" ? undefined : values[precision === "fp16" ? "peak-fp16" : "peak-fp32"];
  const share = peak === undefined ? "" : ` (${(operations / Number(peak) / 1e10).toFixed(1)} % of the peak)`;
  const { pairs, encoded, loss } = await measure(engine);
  const { device } = engine.info;
  console.log(`${side} (${device}): a product ${(operations / 1e9).toFixed(0)} GFLOP/s${share}`);
  console.log(
    `  ${pairs.toFixed(1)} pairs/s, loss ${loss}; ${encoded.toFixed(0)} texts/s; ${engine.memory().peak >> 20} MiB`,
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

if (values.python !== undefined) {
  const folder = await Deno.makeTempDir();
  const [rows, lines] = [`${folder}/pairs.json`, `${folder}/texts.txt`];
  await Deno.writeTextFile(rows, JSON.stringify({ anchor: premise, positive: hypothesis }));
  await Deno.writeTextFile(lines, texts.join("\n"));
  const rivals = new URL("./rivals.py", import.meta.url).pathname;
  const python = (work: string, flags: Readonly<Record<string, string | number>>) =>
    runSide({
      command: values.python!,
      args: [
        rivals,
        work,
        ...Object.entries({ model, device: values.device, ...flags }).flatMap(([k, v]) => [`--${k}`, `${v}`]),
      ],
    });
  for (const precision of ["fp32", "fp16"]) {
    const training = { rows, steps: steps + WARMUP, warm: WARMUP, "batch-size": batchSize, precision };
    const trained = await python("train", training).catch((error) => error as Error);
    const told = trained instanceof Error ? trained.message : `${trained.rate!.toFixed(1)} pairs/s`;
    console.log(`sentence-transformers on ${values.device}, ${precision}: ${told}`);
  }
  const { by, rate } = await python("encode", { texts: lines, "batch-size": "32,128,512" });
  console.log(`${by} on ${values.device}: ${rate!.toFixed(0)} texts/s`);
  await Deno.remove(folder, { recursive: true });
}
