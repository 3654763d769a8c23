// deno-lint-ignore-file no-console -- a command of its own
/**
 * Distils an encoder, and compares the table with the one that model2vec made of it.
 *
 *     python bench/distill_model2vec.py MODEL /tmp/reference
 *     deno run -A bench/distill.ts MODEL /tmp/reference
 */
import { openTensors } from "../lib/checkpoint/safetensors.ts";
import { selectEngine } from "../lib/engine/select.ts";
import { distill } from "../lib/static/distill.ts";

const [teacher, reference] = Deno.args as [string, string];
const { engine } = await selectEngine({ engine: "cpu" });
const started = performance.now();
const { rows, width, tokens, explained, tokenizer } = await distill(engine, teacher);
const seconds = (performance.now() - started) / 1000;
engine.close();

const reader = await openTensors(reference);
const expected = await reader.readF32("embeddings");
reader.close();
if (expected.length !== rows.length) throw new Error(`${rows.length} numbers instead of ${expected.length}`);
let [most, apart] = [0, 0];
for (let i = 0; i < rows.length; i++) {
  most = Math.max(most, Math.abs(expected[i]!));
  apart = Math.max(apart, Math.abs(expected[i]! - rows[i]!));
}
/** Cosine of two rows. */
const cosine = (x: Float32Array, a: number, b: number) => {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < width; i++) {
    const [p, q] = [x[a * width + i]!, x[b * width + i]!];
    [dot, aa, bb] = [dot + p * q, aa + p * p, bb + q * q];
  }
  return dot / Math.sqrt(aa * bb);
};
let angles = 0;
for (let n = 0; n < 100_000; n++) {
  const [a, b] = [(n * 7919) % tokens, (n * 104_729 + 13) % tokens];
  angles = Math.max(angles, Math.abs(cosine(rows, a, b) - cosine(expected, a, b)));
}
const { model } = JSON.parse(await Deno.readTextFile(`${reference}/tokenizer.json`));
const same = JSON.stringify(model.vocab) === JSON.stringify((tokenizer["model"] as { vocab: unknown }).vocab);
console.log(
  JSON.stringify({ seconds, tokens, width, explained, largest: most, apart, cosines: angles, sameVocabulary: same }),
);
