/**
 * Memory of the process while a stream of texts is embedded: resident at most over its first tenth, and over all of it.
 *
 *     deno run -A bench/stream_memory.ts [--model DIR] [--texts 100000]
 *
 * @module
 */
import { parseArgs } from "node:util";
import { sampleBaseModel } from "../lib/data/sample/mod.ts";
import { openModel } from "../lib/simple/mod.ts";

const { values } = parseArgs({ options: { model: { type: "string" }, texts: { type: "string", default: "100000" } } });
const count = Number(values.texts);
const words = ["boy", "queen", "castle", "dog", "apple", "runs", "eats", "sees", "the", "a", "old", "red"];
function* texts(): Generator<string> {
  for (let i = 0; i < count; i++) {
    yield Array.from({ length: 3 + i % 9 }, (_, j) => words[(i * 7 + j * j) % 12]).join(" ");
  }
}
const say = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

using model = await openModel(values.model ?? await sampleBaseModel());
let [rows, early, most] = [0, 0, 0];
for await (const chunk of model.encodeStream(texts())) {
  rows += chunk.rows;
  most = Math.max(most, Deno.memoryUsage().rss);
  if (rows <= count / 10) early = most;
}
const whole = 4 * count * model.width;
say(
  `${rows} texts × ${model.width}: ${mebibytes(early)} at most in the first tenth, ${mebibytes(most)} in all of them;`,
);
say(`their embeddings alone are ${mebibytes(whole)}`);
