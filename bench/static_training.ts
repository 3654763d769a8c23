// deno-lint-ignore-file no-console -- a command of its own
/**
 * Trains static embeddings from random vectors on real pairs, and writes down the vectors and the batches, for
 * bench/static_training.py to train sentence-transformers' StaticEmbedding by the same.
 *
 *     HF_HOME=… deno run -A bench/static_training.ts TOKENIZER FOLDER [--batch 256] [--epochs 3] [--width 256] [--rate 0.2] [--start DIR]
 *     python bench/static_training.py FOLDER
 */
import { Effect } from "effect";
import { parseArgs } from "node:util";
import { losses } from "../lib/loss/mod.ts";
import {
  asTriplets,
  evaluateSimilarity,
  loadLabelledPairs,
  loadScoredPairs,
  trainBiEncoder,
} from "../lib/pipeline/mod.ts";
import { model } from "../lib/stage/roots.ts";
import { runStages } from "../lib/stage/run.ts";
import { valueOf } from "../lib/stage/stage.ts";
import { randomTable, writeStaticFolder } from "../lib/static/mod.ts";
import { loadTokenizer } from "../lib/text/mod.ts";
import { epochBatches } from "../lib/train/batches.ts";
import { numberTexts } from "../lib/train/distinct_batches.ts";

const { positionals, values } = parseArgs({
  args: Deno.args,
  allowPositionals: true,
  options: {
    batch: { type: "string", default: "256" },
    epochs: { type: "string", default: "3" },
    width: { type: "string", default: "256" },
    rate: { type: "string", default: "0.2" },
    start: { type: "string" },
  },
});
const [tokenizer, folder] = positionals as [string, string];
const settings = { batchSize: Number(values.batch), epochs: Number(values.epochs), learningRate: Number(values.rate) };
const start = values.start ?? `${folder}/start`;
if (values.start === undefined) {
  const table = randomTable(await loadTokenizer(tokenizer), { width: Number(values.width) });
  await writeStaticFolder(start, table, { modelCard: "# Random vectors\n" });
}
const work = Effect.gen(function* () {
  const base = yield* model(start);
  const rows = yield* loadLabelledPairs({ from: "nyu-mll/glue/mnli#train" });
  const data = yield* asTriplets(rows, { negatives: "none", seed: 42 });
  const { columns, rows: count } = yield* valueOf(data);
  const texts = [columns.anchor, columns.positive];
  const numbered = numberTexts(texts);
  const batches = Array.from(
    { length: settings.epochs },
    (_, epoch) =>
      epochBatches(count, { batchSize: settings.batchSize, seed: 42, epoch, distinct: numbered }).map((
        { rows },
      ) => [...rows]),
  );
  yield* Effect.promise(() =>
    Deno.writeTextFile(
      `${folder}/plan.json`,
      JSON.stringify({ start, learningRate: settings.learningRate, texts, batches: batches.flat() }),
    )
  );
  const pairs = yield* loadScoredPairs({ from: "nyu-mll/glue/stsb#validation" });
  const trained = yield* trainBiEncoder({ model: base, data, loss: losses.multipleNegativesRanking(), settings });
  const spearman = (of: typeof base) =>
    Effect.map(
      Effect.flatMap(evaluateSimilarity({ model: of, pairs }, {}), valueOf),
      ({ metrics }) => metrics["spearman_cosine"]!,
    );
  const { record } = yield* valueOf(trained);
  const { steps, seconds } = record;
  return { rows: count, ...settings, steps, seconds, before: yield* spearman(base), after: yield* spearman(trained) };
});
const cacheDir = await Deno.makeTempDir();
console.log(JSON.stringify(await runStages(work, { cacheDir })));
await Deno.remove(cacheDir, { recursive: true });
