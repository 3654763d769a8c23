/**
 * Exact search for the ten nearest of a corpus, in each precision: rows compared in a second of processor time (of all
 * threads: other jobs of the machine do not count), bytes a row, and recall
 * against the search in float32, all in one run and in turn.
 *
 *     deno run -A bench/quantized_search.ts [--embeddings FILE] [--repeat 8] [--queries 100] [--threads 2]
 *
 * The file is one that `encode` wrote; its last rows are the queries, the others the corpus. Without one, numbers at
 * random, whose recall means little. Speed is measured with the corpus repeated so many times, recall without.
 *
 * @module
 */
import { cpuUsage } from "node:process";
import { parseArgs } from "node:util";
import {
  dequantizeEmbeddings,
  type Embeddings,
  nearest,
  nearestQuantized,
  type QuantizedEmbeddings,
  quantizeEmbeddings,
  recallOf,
} from "../lib/embed/mod.ts";
import { selectEngine } from "../lib/engine/select.ts";
import { readEmbeddings } from "../lib/pipeline/embedding_reader.ts";
import { say } from "./measure.ts";

const { values } = parseArgs({
  options: {
    embeddings: { type: "string" },
    repeat: { type: "string", default: "8" },
    queries: { type: "string", default: "100" },
    threads: { type: "string", default: "2" },
  },
});
const [repeat, count, threads] = [Number(values.repeat), Number(values.queries), Number(values.threads)];

function atRandom(rows: number, width: number): Embeddings {
  return { data: Float32Array.from({ length: rows * width }, () => Math.random() - .5), rows, width };
}
const all = values.embeddings === undefined
  ? atRandom(13_000, 384)
  : dequantizeEmbeddings(await readEmbeddings(values.embeddings));
const { width } = all;
const part = (from: number, to: number): Embeddings => ({
  data: all.data.slice(from * width, to * width),
  width,
  rows: to - from,
});
const [corpus, queries] = [part(0, all.rows - count), part(all.rows - count, all.rows)];
const large = { data: new Float32Array(corpus.data.length * repeat), width, rows: corpus.rows * repeat };
for (let i = 0; i < repeat; i++) large.data.set(corpus.data, i * corpus.data.length);

const { engine } = await selectEngine({ engine: "cpu", threads });
await new Promise((resolve) => setTimeout(resolve, 500)); // its threads start
const one = { data: queries.data.subarray(0, width), width, rows: 1 };

/** Rows of length 1 need no cosine, for which `nearest` would normalise them. */
const similarity = "dot";

interface Way {
  readonly name: string;
  readonly bytes: number;
  readonly search: (queries: Embeddings, corpus: Prepared) => ReturnType<typeof nearest>;
}
interface Prepared {
  readonly float: Embeddings;
  readonly bits: QuantizedEmbeddings;
  readonly bytes: QuantizedEmbeddings;
}
const prepare = (float: Embeddings): Prepared => ({
  float,
  bits: quantizeEmbeddings(float, "ubinary"),
  bytes: quantizeEmbeddings(float, "int8"),
});
const bits = (rescoreMultiplier: number): Way => ({
  name: `binary, ${rescoreMultiplier} × 10 rescored by bits`,
  bytes: Math.ceil(width / 8),
  search: (queries, { bits }) => nearestQuantized(engine, queries, bits, { k: 10, similarity, rescoreMultiplier }),
});
const bitsAndBytes = (rescoreMultiplier: number): Way => ({
  name: `binary, ${rescoreMultiplier} × 10 rescored by int8`,
  bytes: width + Math.ceil(width / 8),
  search: (queries, { bits, bytes }) =>
    nearestQuantized(engine, queries, bits, { k: 10, similarity, rescoreMultiplier, rescoreWith: bytes }),
});
const ways: readonly Way[] = [
  {
    name: "float32",
    bytes: 4 * width,
    search: (queries, { float }) => nearest(engine, queries, float, { k: 10, similarity }),
  },
  {
    name: "int8",
    bytes: width,
    search: (queries, { bytes }) => nearestQuantized(engine, queries, bytes, { k: 10, similarity }),
  },
  bits(1),
  bits(4),
  bits(16),
  bitsAndBytes(4),
  bitsAndBytes(16),
];

const [small, big] = [prepare(corpus), prepare(large)];
const exact = await ways[0]!.search(queries, small);
const best = ways.map(() => [Infinity, Infinity]);
for (let round = 0; round < 5; round++) {
  for (const [i, { search }] of ways.entries()) {
    for (const [j, asked] of [one, queries].entries()) {
      const before = cpuUsage();
      await search(asked, big);
      const { user, system } = cpuUsage(before);
      best[i]![j] = Math.min(best[i]![j]!, (user + system) / 1e6);
    }
  }
}
say(`${large.rows} × ${width}, the best of five; millions of comparisons in a second of processor time`);
say("| way | bytes a row | 1 query | all queries | recall@10 |\n|---|---|---|---|---|");
for (const [i, { name, bytes, search }] of ways.entries()) {
  const [alone, together] = [1, count].map((n, j) => (n * large.rows / best[i]![j]! / 1e6).toFixed(1));
  const recall = recallOf(await search(queries, small), exact).toFixed(4);
  say(`| ${name} | ${bytes} | ${alone} | ${together} | ${recall} |`);
}
engine.close();
