/**
 * Trains a model with multiple-negatives ranking on entailed MNLI pairs, with Kindred and with sentence-transformers in
 * turn, and prints samples per second and peak memory of both, and their ratios.
 *
 * `deno run -A bench/train.ts --model DIR --train SRC --python PYTHON [--kernels wasm] [--precision bf16] [--batch-size 32]
 * [--runs 3] [--steps 30] [--write]`
 *
 * Both sides: batches of random pairs, dropout as in the model, clipping, AdamW, the same precision (theirs by autocast);
 * tokenising and the first steps are left out; runs alternate; ratios are of medians. `bench/random_model.py` makes models of
 * other shapes.
 *
 * @module
 */
import { Effect } from "effect";
import { parseArgs } from "node:util";
import { asLabelledPairs } from "../lib/data/columns.ts";
import { resolveSource } from "../lib/data/source.ts";
import { readTable } from "../lib/data/table.ts";
import { tripletsFromNli } from "../lib/negatives/nli.ts";
import { type KernelChoice, selectEngine } from "../lib/engine/select.ts";
import { multipleNegativesRanking } from "../lib/loss/mod.ts";
import { loadBiEncoder } from "../lib/model/bi_encoder.ts";
import { tokenize } from "../lib/text/tokenizer.ts";
import { biEncoderObjective } from "../lib/train/bi_encoder_objective.ts";
import { train } from "../lib/train/trainer.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string" },
    train: { type: "string", default: "nyu-mll/glue/mnli#train" },
    python: { type: "string", default: "python3" },
    kernels: { type: "string", default: "auto" },
    precision: { type: "string", default: "fp32" },
    "batch-size": { type: "string", default: "32" },
    threads: { type: "string", default: `${navigator.hardwareConcurrency}` },
    runs: { type: "string", default: "3" },
    steps: { type: "string", default: "30" },
    child: { type: "string" },
    write: { type: "boolean", default: false },
  },
});
const [steps, warm, threads] = [Number(values.steps), 5, Number(values.threads)];
const batchSize = Number(values["batch-size"]);
const precision = values.precision as "fp32" | "bf16";
const say = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));

interface Result {
  readonly samples_per_second: number;
  readonly peak_bytes: number;
}

/** One run of ours, in a process of its own. */
async function kindred(rowsPath: string): Promise<void> {
  const { anchor, positive } = JSON.parse(await Deno.readTextFile(rowsPath));
  const { engine } = await selectEngine({ kernels: values.kernels as KernelChoice, threads, precision });
  const model = await loadBiEncoder(engine, values.model!, { trained: true });
  const texts = [];
  for (const column of [anchor, positive]) {
    texts.push(await tokenize(model.tokenizer, column, { maxLength: model.maxSeqLength }));
  }
  const objective = biEncoderObjective({ model, loss: multipleNegativesRanking(), head: {}, texts });
  let seconds = 0;
  let started = 0;
  await Effect.runPromise(train(engine, objective, {
    epochs: 1,
    maxSteps: steps,
    batchSize,
    accumulate: 1,
    seed: 42,
    learningRate: 5e-5,
    schedule: "linear",
    warmupSteps: warm,
    loggingSteps: steps,
    saveSteps: steps + 1,
  }, {
    onStep: ({ step }) =>
      Effect.sync(() => {
        if (step === warm) started = performance.now();
        else if (step === steps) seconds = (performance.now() - started) / 1000;
      }),
  }));
  const status = await Deno.readTextFile("/proc/self/status");
  const peak = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) * 1024;
  say(
    JSON.stringify({
      samples_per_second: batchSize * (steps - warm) / seconds,
      peak_bytes: peak,
      kernels: engine.info.kernels,
    }),
  );
  engine.close();
  Deno.exit(0);
}

async function measure(command: string, args: readonly string[]): Promise<Result> {
  const { stdout, code } = await new Deno.Command(command, { args: [...args], stderr: "null" }).output();
  const line = new TextDecoder().decode(stdout).trim().split("\n").at(-1) ?? "";
  if (code !== 0) throw new Error(`${command} failed with ${code}: ${line}`);
  return JSON.parse(line);
}

const median = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1]!;

if (values.child !== undefined) await kindred(values.child);
const { paths } = await resolveSource(values.train);
const { dataset } = asLabelledPairs(await readTable(paths));
const rowsPath = await Deno.makeTempFile({ suffix: ".json" });
await Deno.writeTextFile(
  rowsPath,
  JSON.stringify(tripletsFromNli(dataset, { negatives: "none", seed: 1 }).dataset.columns),
);
const script = new URL("./sentence_transformers_train.py", import.meta.url).pathname;
const ours: Result[] = [];
const theirs: Result[] = [];
for (let run = 0; run < Number(values.runs); run++) {
  theirs.push(
    await measure(values.python, [
      script,
      "--model",
      values.model!,
      "--rows",
      rowsPath,
      "--steps",
      `${steps}`,
      "--warm",
      `${warm}`,
      "--threads",
      `${threads}`,
      "--batch-size",
      `${batchSize}`,
      "--precision",
      precision,
    ]),
  );
  ours.push(await measure(Deno.execPath(), ["run", "-A", import.meta.filename!, ...Deno.args, "--child", rowsPath]));
  say(
    `run ${run + 1}: sentence-transformers ${theirs.at(-1)!.samples_per_second.toFixed(1)}, Kindred ${
      ours.at(-1)!.samples_per_second.toFixed(1)
    } samples/s`,
  );
}
const speed = [ours, theirs].map((side) => median(side.map((result) => result.samples_per_second)));
const memory = [ours, theirs].map((side) => median(side.map((result) => result.peak_bytes / 2 ** 20)));
const line = `| ${values.kernels}, ${precision} | ${threads} | ${speed[0]!.toFixed(1)} | ${speed[1]!.toFixed(1)} | ${
  (speed[0]! / speed[1]!).toFixed(2)
} | ${memory[0]!.toFixed(0)} | ${memory[1]!.toFixed(0)} | ${(memory[0]! / memory[1]!).toFixed(2)} |`;
say(
  "| kernels | threads | Kindred samples/s | sentence-transformers samples/s | ratio | Kindred MiB | theirs MiB | ratio |",
);
say(line);
if (values.write) {
  const path = new URL("./RESULTS.md", import.meta.url);
  await Deno.writeTextFile(path, `${line}\n`, { append: true });
}
await Deno.remove(rowsPath);
