// deno-lint-ignore-file no-console -- what is measured
/**
 * Peak memory and time of retrieval by the size of the corpus: embeddings at random that come in blocks, each run in a
 * process of its own (Linux).
 *
 * `deno run -A bench/retrieval_memory.ts [--documents 25000,200000] [--queries 2000] [--width 128]`
 *
 * @module
 */
import { parseArgs } from "node:util";
import { selectEngine } from "../lib/engine/select.ts";
import { randomPurpose, randomStream } from "../lib/engine/philox.ts";
import { evaluateRetrieval } from "../lib/evaluate/information_retrieval.ts";
import { peakBytes } from "./measure.ts";

const { values } = parseArgs({
  options: {
    documents: { type: "string", default: "25000,200000" },
    queries: { type: "string", default: "2000" },
    width: { type: "string", default: "128" },
    child: { type: "boolean", default: false },
  },
});

const width = Number(values.width);
const stream = randomStream(1, randomPurpose("sample"));
const random = (rows: number) => {
  const data = new Float32Array(rows * width);
  for (let i = 0; i < data.length; i++) data[i] = stream.int(1 << 20) / (1 << 19) - 1;
  return { data, width, rows };
};

if (values.child) {
  const documents = Number(values.documents);
  const queries = random(Number(values.queries));
  const relevant = Array.from({ length: queries.rows }, (_, query) => Int32Array.of(query * 7 % documents));
  const { engine } = await selectEngine({ engine: "cpu" });
  const blocks = function* () {
    for (let row = 0; row < documents; row += 8192) {
      const block = random(Math.min(8192, documents - row));
      yield block;
      block.data.buffer.transfer(0); // as the pipelines do
    }
  };
  const started = performance.now();
  await evaluateRetrieval(engine, queries, blocks(), relevant, { similarities: ["cosine", "dot"] });
  const seconds = (performance.now() - started) / 1000;
  const peak = peakBytes() / 2 ** 20;
  engine.close();
  console.log(`| ${documents} | ${queries.rows} | ${seconds.toFixed(1)} | ${peak.toFixed(0)} |`);
} else {
  console.log("| documents | queries | seconds | peak MiB |\n| --- | --- | --- | --- |");
  for (const documents of values.documents.split(",")) {
    const flags = ["--child", "--documents", documents, "--queries", values.queries, "--width", values.width];
    await new Deno.Command(Deno.execPath(), { args: ["run", "-A", import.meta.filename!, ...flags] }).spawn().status;
  }
}
