/**
 * Speed and memory against the size of the batch, the length of the texts, the size of the model and the size of the corpus.
 *
 *     deno run -A bench/scaling.ts --model MINILM --python PYTHON [--beside] [--only batch,length,model,encode,mine] [--write]
 *
 * Python makes the models; with `--beside` sentence-transformers trains as well. Each line runs once, in a process of its own.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { SOURCES, sourcesOf } from "./inputs.ts";
import { line, type Measured, processor, say } from "./measure.ts";
import { type MeasuredRow, type ResultTable, wantedRows, writeRows } from "./results.ts";
import { type Flags, runOne, type Side } from "./sides.ts";

const { values } = parseArgs({
  options: {
    ...SOURCES,
    beside: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    write: { type: "boolean", default: false },
  },
});
const sources = sourcesOf(values);

interface Point {
  readonly name: string;
  readonly group: string;
  readonly side: Side;
}
const point = (group: string, name: string, work: string, flags: Flags): Point => ({
  name,
  group,
  side: { by: "kindred", work, flags },
});
const whole = (count: number) => count.toLocaleString("en");
const powers = (from: number, to: number) => Array.from({ length: Math.log2(to / from) + 1 }, (_, i) => from * 2 ** i);
const training: Flags = { model: "@model", rows: "@pairs.json", "batch-size": 32, steps: 8, warm: 2 };

/** Google's sizes of BERT, from 4 to 335 million weights, and two families of today. */
const SHAPES = [
  ...["tiny", "mini", "small", "medium", "base", "large"].map((size) => `bert-${size}`),
  "modernbert-base",
  "embeddinggemma",
];

const POINTS: readonly Point[] = [
  ...powers(8, 1024).map((size) =>
    // Some hundred pairs in all, and three steps at least.
    point("batch", `batch of ${size} pairs`, "train", {
      ...training,
      "batch-size": size,
      steps: Math.max(3, Math.ceil(512 / size)),
      warm: 1,
    })
  ),
  ...powers(8, 512).map((tokens) =>
    point("length", `${tokens} tokens a text`, "train", {
      ...training,
      rows: `@length_${tokens}.json`,
      length: tokens,
      steps: tokens > 128 ? 3 : 6,
      warm: 1,
    })
  ),
  ...SHAPES.map((shape) =>
    point("model", `the shape of ${shape}`, "train", {
      ...training,
      model: `@${shape}`,
      "batch-size": 16,
      steps: 4,
      warm: 1,
    })
  ),
  ...["static", "bert-tiny"].flatMap((model) =>
    [10_000, 100_000, 1_000_000].map((count) =>
      point("encode", `encode ${whole(count)} texts, ${model}`, "stream", { model: `@${model}`, count })
    )
  ),
  ...[10_000, 100_000, 1_000_000].map((count) =>
    point("mine", `50 nearest in ${whole(count)} of 1,000 rows`, "mine", { count, queries: 1000, k: 50 })
  ),
];

const STORY =
  `\`deno run -A bench/scaling.ts --model MINILM --python PYTHON --write\`, one run each; MiniLM, 32 pairs and \
multiple negatives ranking where nothing else is said. A step's work is 6 operations for each weight of the layers and \
token, and 12 for each feature, layer and pair of tokens of a text: GFLOP/s say how much of a slope is the work itself. Pairs \
in a batch: products are large enough from some dozens on; above the budget of activations a batch goes through the encoder \
in parts, so that memory stays and one more pass forward, a third of the work, is paid. Tokens of a text: products are \
linear in them, attention is quadratic. Size of a model: the optimizer's 16 bytes a weight, whose share of a step goes with 1 / tokens. \
Corpus: a chunk at a time.`;

/** Operations of a training step for one sample of two texts of equal length: layers, and attention within each text. */
async function operations(folder: string, tokens: number): Promise<number | undefined> {
  const text = await Deno.readTextFile(`${folder}/config.json`).catch(() => "{}");
  const { model_type, num_hidden_layers: layers, hidden_size: hidden, intermediate_size: inner } = JSON.parse(text);
  if (model_type !== "bert") return undefined;
  return tokens * layers * (6 * (4 * hidden * hidden + 2 * hidden * inner) + 12 * hidden * tokens / 2);
}

const digits = (x: number | undefined) => x === undefined ? "" : x.toFixed(x < 100 ? 1 : 0);
const mebibytes = (side: Measured) => (side.peak_bytes / 2 ** 20).toFixed(0);

async function measure({ name, side }: Point): Promise<MeasuredRow> {
  const ours = await runOne(sources, side);
  const { rate, tokens, folder } = ours;
  const each = tokens === undefined ? undefined : await operations(folder!, tokens);
  const theirs = values.beside && side.work === "train" ? await runOne(sources, { ...side, by: "python" }) : undefined;
  return [name, [
    name,
    digits(rate),
    digits(tokens && tokens * rate!),
    digits(each && each * rate! / 1e9),
    mebibytes(ours),
    digits(theirs?.rate),
    theirs === undefined ? "" : (rate! / theirs.rate!).toFixed(2),
    theirs === undefined ? "" : mebibytes(theirs),
    `${new Date().toISOString().slice(0, 10)}, load ${Deno.loadavg()[0]!.toFixed(1)}`,
  ]];
}

const table: ResultTable = {
  title: `Speed and memory by size: ${await processor()}`,
  story: STORY,
  columns: ["what", "rows/s", "tokens/s", "GFLOP/s", "MiB", "theirs", "ratio", "their MiB", "measured"],
  names: POINTS.map(({ name }) => name),
};
say(line(table.columns));
for (const each of wantedRows(values.only, POINTS)) {
  const row = await measure(each).catch((error): MeasuredRow => {
    say(`${each.name}: ${(error as Error).message}`);
    return [each.name, undefined];
  });
  say(line(row[1] ?? [each.name, "open"]));
  if (values.write && sources.scale === 1) await writeRows(table, [row]);
}
