/**
 * Kindred's side of bench/all.ts and bench/scaling.ts: one work in a process of its own, and one line of JSON of what it took.
 *
 * `deno run -A bench/kindred.ts train|start|encode|singly|search|tokenize|stream|mine …`
 *
 * @module
 */
import { parseArgs } from "node:util";
import { type Embeddings, nearest } from "../lib/embed/mod.ts";
import type { Engine } from "../lib/engine/engine.ts";
import { randomPurpose, randomStream } from "../lib/engine/philox.ts";
import { chooseEngine, type EngineChoice, selectEngine } from "../lib/engine/select.ts";
import { openModel } from "../lib/simple/mod.ts";
import { loadTokenizer } from "../lib/text/tokenizer.ts";
import { VERSION } from "../lib/version.ts";
import { firstStep, timeTraining } from "./kindred_train.ts";
import { median, peakBytes, say, secondsOf, type Told } from "./measure.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: "string", default: "" },
    threads: { type: "string", default: `${navigator.hardwareConcurrency}` },
    kernels: { type: "string", default: "auto" },
    precision: { type: "string", default: "fp32" },
    rows: { type: "string", default: "" },
    train: { type: "string", default: "" },
    cache: { type: "string", default: "" },
    loss: { type: "string", default: "mnr" },
    steps: { type: "string", default: "20" },
    warm: { type: "string", default: "5" },
    "batch-size": { type: "string", default: "32" },
    length: { type: "string" },
    texts: { type: "string", default: "" },
    repeat: { type: "string", default: "1" },
    embeddings: { type: "string", default: "" },
    width: { type: "string", default: "384" },
    queries: { type: "string", default: "1000" },
    count: { type: "string", default: "10000" },
    k: { type: "string", default: "50" },
  },
});
const number = (name: "width" | "queries" | "count" | "k" | "repeat" | "steps" | "warm") => Number(values[name]);
const choice: EngineChoice = {
  kernels: values.kernels as EngineChoice["kernels"],
  threads: Number(values.threads),
  precision: values.precision as EngineChoice["precision"],
};
type Work = () => Promise<Omit<Told, "by" | "peak_bytes">>;

const withEngine = async <A>(work: (engine: Engine) => Promise<A>): Promise<A> => {
  const { engine } = await selectEngine(choice);
  return await work(engine);
};
const lines = async () => (await Deno.readTextFile(values.texts)).trimEnd().split("\n");

/** The median time of so many passes. */
async function passes(pass: () => Promise<number>): Promise<number> {
  const seconds: number[] = [];
  for (let i = 0; i < number("repeat"); i++) seconds.push(await pass());
  return median(seconds);
}

const meanOf = (numbers: Float32Array) => numbers.reduce((sum, x) => sum + Math.abs(x), 0) / numbers.length;

/** Texts to embeddings, tokenising included: in so many parts, none of whose texts was seen before, but for a twentieth of all. */
const encode: Work = async () => {
  const [texts, parts] = [await lines(), number("repeat")];
  using model = await openModel(values.model, { engine: choice });
  await model.encode(texts.filter((_, i) => i % 20 === 0)); // V8 compiles
  let check = 0;
  const seconds: number[] = [];
  for (let part = 0; part < parts; part++) {
    const own = texts.filter((_, i) => i % parts === part);
    const started = performance.now();
    const { data } = await model.encode(own);
    seconds.push((performance.now() - started) / 1000);
    check = meanOf(data);
  }
  return { rate: texts.length / parts / median(seconds), check };
};

/** Texts one after the other, as a server embeds queries: every tenth, after others that warm up. */
const singly: Work = async () => {
  const texts = await lines();
  using model = await openModel(values.model, { engine: choice });
  for (const text of texts.filter((_, i) => i % 50 === 5)) await model.encode([text]);
  const asked = texts.filter((_, i) => i % 10 === 0);
  let check = 0;
  const seconds = await secondsOf(async () => {
    for (const text of asked) check += meanOf((await model.encode([text])).data) / asked.length;
  });
  return { rate: asked.length / seconds, check };
};

/** The k nearest of all rows to each row, exactly; the first rows alone before the clock runs, since V8 compiles. */
const search: Work = () =>
  withEngine(async (engine) => {
    const { buffer } = await Deno.readFile(values.embeddings);
    const [data, width, k] = [new Float32Array(buffer), number("width"), number("k")];
    const all = { data, width, rows: data.length / width };
    const few = { data: data.subarray(0, 2048 * width), width, rows: Math.min(2048, all.rows) };
    await nearest(engine, few, all, { k });
    let check = 0;
    const seconds = await secondsOf(async () => {
      const { scores } = await nearest(engine, all, all, { k });
      for (let row = 0; row < all.rows; row++) check += scores[row * k + k - 1]! / all.rows;
    });
    return { rate: all.rows / seconds, check };
  });

/** Texts to ids in one thread; each pass with a new tokenizer, so that what it remembers of words is part of it. */
const tokenizeTexts: Work = async () => {
  const texts = await lines();
  let check = 0;
  const seconds = await passes(async () => {
    const tokenizer = await loadTokenizer(values.model);
    return await secondsOf(() => check = texts.reduce((count, text) => count + tokenizer.ids(text, 512).length, 0));
  });
  return { rate: texts.length / seconds, check };
};

const WORDS = "a boy castle dog apple runs eats sees the old red queen sleeps green hill river".split(" ");
/** Sentences of 3 to 11 words, each another one. */
function* sentences(count: number): Generator<string> {
  for (let i = 0; i < count; i++) {
    yield Array.from({ length: 3 + i % 9 }, (_, j) => WORDS[(i * 7 + j * j + (i >> j)) % 16]).join(" ") + ` ${i}`;
  }
}

/** A stream of made sentences to embeddings, of which none are kept. */
const stream: Work = async () => {
  using model = await openModel(values.model, { engine: choice });
  let rows = 0;
  const seconds = await secondsOf(async () => {
    for await (const chunk of model.encodeStream(sentences(number("count")))) rows += chunk.rows;
  });
  return { rate: rows / seconds };
};

/** The nearest of a corpus to some queries; embeddings at random come in blocks, of which one is kept at a time. */
const mine: Work = () =>
  withEngine(async (engine) => {
    const [width, count, block] = [number("width"), number("count"), 8192];
    const draw = randomStream(1, randomPurpose("sample"));
    const random = (rows: number): Embeddings => ({
      data: Float32Array.from({ length: rows * width }, () => draw.int(1 << 20) / (1 << 19) - 1),
      width,
      rows,
    });
    const queries = random(number("queries"));
    const drawn = [random(block), random(block)]; // to draw takes longer than to search: two blocks stand for all
    const corpus = async function* () {
      for (let row = 0; row < count; row += block) {
        const { data, rows } = drawn[row / block % 2]!;
        const size = Math.min(rows, count - row);
        yield await Promise.resolve({ data: data.subarray(0, size * width), width, rows: size });
      }
    };
    return { rate: count / await secondsOf(() => nearest(engine, queries, corpus(), { k: number("k") })) };
  });

const WORKS: Record<string, Work> = {
  train: () =>
    withEngine((engine) =>
      timeTraining(engine, {
        model: values.model,
        rows: values.rows,
        loss: values.loss as "mnr" | "tsdae",
        batchSize: Number(values["batch-size"]),
        steps: number("steps"),
        warm: number("warm"),
        length: values.length === undefined ? undefined : Number(values.length),
      })
    ),
  start: () => firstStep(choice, { model: values.model, train: values.train, cache: values.cache }),
  encode,
  singly,
  search,
  tokenize: tokenizeTexts,
  stream,
  mine,
};

const told = await WORKS[positionals[0]!]!();
const { info } = await chooseEngine(choice);
say(JSON.stringify({ by: `Kindred ${VERSION}, ${info.kernels}`, peak_bytes: peakBytes(), ...told }));
Deno.exit(0);
