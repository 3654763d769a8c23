/**
 * The other sides of bench/all.ts in JavaScript: `@huggingface/transformers` (onnxruntime) encodes many texts, or one after the
 * other; `@huggingface/tokenizers` tokenises in one thread.
 *
 * `deno run -A bench/rivals.ts encode|singly|tokenize --model DIR --texts FILE [--batch-size 1,4,8,16,32] [--threads 2] [--repeat 3]`
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { median, peakBytes, say, secondsOf } from "./measure.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: "string" },
    texts: { type: "string" },
    "batch-size": { type: "string", default: "32" },
    threads: { type: "string", default: "2" },
    repeat: { type: "string", default: "1" },
  },
});
const model = values.model!;
const texts = (await Deno.readTextFile(values.texts!)).trimEnd().split("\n");

interface Result {
  readonly by: string;
  readonly rate: number;
  readonly check: number;
}

/** Its pipeline, and what it is called. */
async function openPipeline() {
  const { env, pipeline } = await import(["npm:", "@huggingface/transformers@4.3.1"].join(""));
  env.localModelPath = dirname(model);
  env.allowRemoteModels = false;
  const threads = Number(values.threads);
  const extract = await pipeline("feature-extraction", basename(model), {
    dtype: "fp32",
    device: "cpu",
    session_options: { intraOpNumThreads: threads, interOpNumThreads: 1 },
  });
  return { extract, name: `@huggingface/transformers ${env.version}` };
}

/** As its pipeline does it, which sorts nothing, in the batch size that is the fastest for a twentieth of the texts. */
async function encode(): Promise<Result> {
  const { extract, name } = await openPipeline();
  const all = async (texts: readonly string[], size: number): Promise<number> => {
    let [sum, count] = [0, 0];
    for (let from = 0; from < texts.length; from += size) {
      const { data } = await extract(texts.slice(from, from + size), { pooling: "mean", normalize: true });
      for (const x of data as Float32Array) sum += Math.abs(x);
      count += data.length;
    }
    return sum / count;
  };
  const few = texts.filter((_, i) => i % 20 === 0);
  const trials: (readonly [seconds: number, size: number])[] = [];
  for (const size of values["batch-size"].split(",").map(Number)) {
    await all(few, size);
    trials.push([await secondsOf(() => all(few, size)), size]);
  }
  const [, size] = trials.toSorted((a, b) => a[0] - b[0])[0]!;
  let check = 0;
  const seconds = await secondsOf(async () => check = await all(texts, size));
  return { by: `${name}, batch ${size}`, rate: texts.length / seconds, check };
}

/** Texts one after the other: every tenth, after others that warm up. */
async function singly(): Promise<Result> {
  const { extract, name } = await openPipeline();
  const embed = async (text: string): Promise<number> => {
    const { data } = await extract([text], { pooling: "mean", normalize: true });
    return (data as Float32Array).reduce((sum, x) => sum + Math.abs(x), 0) / data.length;
  };
  for (const text of texts.filter((_, i) => i % 50 === 5)) await embed(text);
  const asked = texts.filter((_, i) => i % 10 === 0);
  let check = 0;
  const seconds = await secondsOf(async () => {
    for (const text of asked) check += await embed(text) / asked.length;
  });
  return { by: name, rate: asked.length / seconds, check };
}

/** Each pass makes the tokenizer anew, so that what it remembers of words is part of it. */
async function tokenize(): Promise<Result> {
  const { Tokenizer } = await import(["npm:", "@huggingface/tokenizers@0.2.0"].join(""));
  const read = async (name: string) => JSON.parse(await Deno.readTextFile(join(model, name)));
  const [definition, config] = [await read("tokenizer.json"), await read("tokenizer_config.json")];
  const seconds: number[] = [];
  let check = 0;
  for (let pass = 0; pass < Number(values.repeat); pass++) {
    const tokenizer = new Tokenizer({ ...definition, truncation: null, padding: null }, config);
    const ids = (text: string) => tokenizer.encode(text, { add_special_tokens: true }).ids.slice(0, 512);
    seconds.push(await secondsOf(() => check = texts.reduce((count, text) => count + ids(text).length, 0)));
  }
  return { by: "@huggingface/tokenizers 0.2.0", rate: texts.length / median(seconds), check };
}

const WORKS: Readonly<Record<string, () => Promise<Result>>> = { encode, singly, tokenize };
say(JSON.stringify({ ...await WORKS[positionals[0]!]!(), peak_bytes: peakBytes() }));
Deno.exit(0);
