/**
 * What the benchmarks work on: real sentences, numbers at random, models of other shapes. Each is made once, into a folder,
 * when a work asks for it.
 *
 * @module
 */
import { join } from "node:path";
import { asLabelledPairs } from "../lib/data/columns.ts";
import { deletion } from "../lib/data/noise.ts";
import { resolveSource } from "../lib/data/source.ts";
import { readTable } from "../lib/data/table.ts";
import { distinctTexts } from "../lib/data/texts.ts";
import { randomPurpose, randomStream } from "../lib/engine/philox.ts";
import { tripletsFromNli } from "../lib/negatives/nli.ts";
import { randomTable, writeStaticFolder } from "../lib/static/mod.ts";
import { loadTokenizer } from "../lib/text/mod.ts";

/** What inputs are made of. */
export interface Sources {
  /** The folder that they are kept in. */
  readonly folder: string;
  /** A folder of sentence-transformers: the model, and the tokenizer of the others. */
  readonly model: string;
  /** Labelled pairs. */
  readonly train: string;
  /** Python with sentence-transformers. */
  readonly python: string;
  /** Python with sentence-transformers 5.7, OpenVINO and ONNX. */
  readonly pythonInt8: string | undefined;
  /** Threads of each side. */
  readonly threads: string;
  /** Share of the usual sizes. */
  readonly scale: number;
}

/** Flags of all benchmarks: what inputs are made of. */
export const SOURCES = {
  model: { type: "string" },
  train: { type: "string", default: "nyu-mll/glue/mnli#train" },
  python: { type: "string", default: "python3" },
  "python-int8": { type: "string" },
  threads: { type: "string", default: `${navigator.hardwareConcurrency}` },
  folder: { type: "string", default: ".kindred/bench" },
  scale: { type: "string", default: "1" },
} as const;

/** The sources that flags name. */
export function sourcesOf(values: Readonly<Partial<Record<keyof typeof SOURCES, string>>>): Sources {
  const { model, train, python, "python-int8": pythonInt8, threads, folder, scale } = values;
  if (model === undefined) throw new Error("--model: a folder of sentence-transformers, such as all-MiniLM-L6-v2");
  return {
    model,
    train: train!,
    python: python!,
    pythonInt8,
    threads: threads!,
    folder: folder!,
    scale: Number(scale),
  };
}

/** Sentences of `encode`, and rows of `search`, at scale 1. */
const [SENTENCES, VECTORS, WIDTH] = [10_000, 50_000, 384];

const labelled = async ({ train }: Sources) =>
  asLabelledPairs(await readTable((await resolveSource(train)).paths)).dataset;
const allSentences = async (sources: Sources) => {
  const { premise, hypothesis } = (await labelled(sources)).columns;
  return distinctTexts([premise, hypothesis]).texts.map((text) => text.replaceAll(/\s+/g, " ").trim()).filter(Boolean);
};
const writeLines = (path: string, lines: readonly string[]) => Deno.writeTextFile(path, lines.join("\n") + "\n");
const script = (name: string) => new URL(name, import.meta.url).pathname;
async function python(command: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await new Deno.Command(command, { args: [...args], stdout: "null" }).output();
  if (code !== 0) throw new Error(`${args.join(" ")}: ${new TextDecoder().decode(stderr).slice(-600)}`);
}
const shape = (name: string) => (sources: Sources, path: string) =>
  python(sources.python, [script("random_model.py"), name, sources.model, path]);

/** Inputs whose size is a matter of `--scale`. */
const SCALED = new Set(["sentences.txt", "all_sentences.txt", "vectors.f32"]);

/** Makers of files and folders, by name; the others are models' shapes. */
const MAKERS: Readonly<Record<string, (sources: Sources, path: string) => Promise<void>>> = {
  /** Entailed pairs. */
  "pairs.json": async (sources, path) => {
    const { columns } = tripletsFromNli(await labelled(sources), { negatives: "none", seed: 1 }).dataset;
    await Deno.writeTextFile(path, JSON.stringify(columns));
  },
  /** All pairs, for batches of thousands: how fast, not how well. */
  "all_pairs.json": async (sources, path) => {
    const { premise: anchor, hypothesis: positive } = (await labelled(sources)).columns;
    await Deno.writeTextFile(path, JSON.stringify({ anchor, positive }));
  },
  /** Sentences, and what is left of them when 60 % of their words are deleted: theirs damages them beforehand. */
  "damaged.json": async (sources, path) => {
    const original = (await allSentences(sources)).slice(0, 4096);
    const damage = deletion();
    const damaged = original.map((text, row) => damage(text, { seed: 1, epoch: 0, row }));
    await Deno.writeTextFile(path, JSON.stringify({ damaged, original }));
  },
  "sentences.txt": async (sources, path) =>
    await writeLines(path, (await allSentences(sources)).slice(0, SENTENCES * sources.scale)),
  "all_sentences.txt": async (sources, path) => {
    const all = await allSentences(sources);
    await writeLines(path, all.slice(0, all.length * sources.scale));
  },
  /** Vectors at random, whose neighbours are as hard to find as any. */
  "vectors.f32": async ({ scale }, path) => {
    const draw = randomStream(1, randomPurpose("sample"));
    const data = Float32Array.from({ length: Math.round(VECTORS * scale) * WIDTH }, () => draw.normal());
    await Deno.writeFile(path, new Uint8Array(data.buffer));
  },
  /** A table at random of 1024 features, as sentence-transformers' own static models began. */
  "static": async ({ model }, path) =>
    await writeStaticFolder(path, randomTable(await loadTokenizer(model)), { modelCard: "# Random vectors\n" }),
  /** The model in ONNX and for OpenVINO, calibrated by some of the sentences. */
  "exported": async (sources, path) => {
    if (sources.pythonInt8 === undefined) throw new Error("--python-int8: Python with OpenVINO and ONNX");
    const calibration = join(sources.folder, "calibration");
    await Deno.mkdir(calibration, { recursive: true });
    const some = (await allSentences(sources)).slice(-1000).map((text) => JSON.stringify({ text }));
    await writeLines(join(calibration, "train.jsonl"), some);
    const args = ["export", "--model", sources.model, "--calibration", calibration, "--output", path];
    await python(sources.pythonInt8, [script("rivals.py"), ...args]);
  },
  /** The cache of stages: filled by the first run, which is not counted. */
  "cache": async ({ model, train }, path) => {
    const args = ["run", "-A", script("kindred.ts"), "start", "--model", model, "--train", train, "--cache", path];
    await python(Deno.execPath(), args);
  },
};

/** Pairs of texts of so many tokens, the special ones included: words of the sentences that are one token each. */
async function pairsOfLength(sources: Sources, path: string, tokens: number): Promise<void> {
  const tokenizer = await loadTokenizer(sources.model);
  const words = new Set((await allSentences(sources)).join(" ").split(" "));
  const single = [...words].filter((word) => tokenizer.ids(word, 8).length === 3).slice(0, 2000);
  const draw = randomStream(1, randomPurpose("sample"));
  const text = () => Array.from({ length: tokens - 2 }, () => single[draw.int(single.length)]!).join(" ");
  const column = () => Array.from({ length: 256 }, text);
  await Deno.writeTextFile(path, JSON.stringify({ anchor: column(), positive: column() }));
}

/** The path of an input, which is made if it is not there. */
export async function inputPath(sources: Sources, name: string): Promise<string> {
  if (name === "model") return sources.model;
  if (name === "train") return sources.train;
  const folder = SCALED.has(name) ? join(sources.folder, `scale_${sources.scale}`) : sources.folder;
  const path = join(folder, name);
  if (await Deno.stat(path).then(() => true, () => false)) return path;
  await Deno.mkdir(folder, { recursive: true });
  const part = `${path}.part`;
  await Deno.remove(part, { recursive: true }).catch(() => {});
  const length = /^length_(\d+)/.exec(name)?.[1];
  if (length !== undefined) await pairsOfLength(sources, part, Number(length));
  else await (MAKERS[name] ?? shape(name))(sources, part);
  await Deno.rename(part, path);
  return path;
}
