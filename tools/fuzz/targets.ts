/**
 * The parsers that are fed: each with valid inputs to damage, and a function that reads one.
 *
 * A reader gives a value or throws one of Kindred's errors; anything else is a fault of ours.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { readFolder } from "../../lib/checkpoint/sentence_transformers.ts";
import { openTensors, writeSafetensors } from "../../lib/checkpoint/safetensors.ts";
import { parseColumns } from "../../lib/data/column_mapping.ts";
import { writeParquet } from "../../lib/data/parquet.ts";
import { parseSource } from "../../lib/data/source.ts";
import { readTable } from "../../lib/data/table.ts";
import { openAnswerFile } from "../../lib/generate/answer_file.ts";
import { readReply } from "../../lib/generate/reply.ts";
import { parseConfig } from "../../lib/model/families/mod.ts";
import { parseFlags } from "../../lib/pipeline/arguments.ts";
import { TRAINING } from "../../lib/pipeline/flags.ts";
import { loadTokenizer } from "../../lib/text/tokenizer.ts";

/** A parser under fire. */
export interface Target {
  /** What it reads. */
  readonly name: string;
  /** Valid inputs. */
  readonly seeds: readonly Uint8Array[];
  /** Reads one. */
  readonly read: (input: Uint8Array) => Promise<unknown> | unknown;
}

const golden = fileURLToPath(new URL("../../tests/golden/", import.meta.url));
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (input: Uint8Array) => new TextDecoder().decode(input);

const ROWS = [["the dog, a hound", 'he says "no"', "0.5"], ["zwei\nZeilen", "𠮷のや", "1"], ["", "İstanbul", "-3e2"]];
const quoted = (delimiter: string) =>
  ["sentence1,sentence2,score".replaceAll(",", delimiter)]
    .concat(ROWS.map((row) => row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(delimiter))).join("\r\n");
const records = ROWS.map(([sentence1, sentence2, score]) => ({ sentence1, sentence2, score: Number(score) }));

/** All targets, over a folder that they may write into. */
export async function openTargets(folder: string): Promise<readonly Target[]> {
  await Deno.mkdir(folder, { recursive: true });
  /** Writes the input as this file, and reads it. */
  const asFile = (name: string, read: (path: string) => Promise<unknown>) => async (input: Uint8Array) => {
    const path = join(folder, name);
    await Deno.writeFile(path, input);
    return await read(path);
  };
  /** A target that reads tables of one ending. */
  const table = (ending: string, seeds: readonly Uint8Array[]): Target => ({
    name: `table.${ending}`,
    seeds,
    read: asFile(`table.${ending}`, (path) => readTable(path)),
  });
  /** A target that reads a folder in which one file is damaged. */
  const folderWith = async (
    name: string,
    whole: string,
    file: string,
    read: (path: string) => Promise<unknown>,
  ): Promise<Target> => {
    const place = join(folder, name);
    await Deno.mkdir(place, { recursive: true });
    for await (const entry of Deno.readDir(whole)) {
      if (entry.isFile) await Deno.copyFile(join(whole, entry.name), join(place, entry.name));
    }
    const seed = await Deno.readFile(join(whole, file));
    return {
      name,
      seeds: [seed],
      read: async (input) => {
        await Deno.writeFile(join(place, file), input);
        return await read(place);
      },
    };
  };
  const encodes = async (path: string) => (await loadTokenizer(path)).ids("Der Hund 𠮷 runs [MASK] unaffable", 16);

  const parquet = join(folder, "seed.parquet");
  const many = Array.from({ length: 40 }, (_, i) => `text ${i} ${"x".repeat(i)}`);
  await writeParquet(parquet, {
    columns: { text: many, score: Float64Array.from(many, (_, i) => i / 7), label: Int32Array.from(many, (_, i) => i) },
    rows: many.length,
  });
  const tensors = join(folder, "seed.safetensors");
  await writeSafetensors(tensors, [
    { name: "a.weight", shape: [3, 5], data: Float32Array.from({ length: 15 }, Math.sqrt) },
    { name: "b", shape: [4], data: Int32Array.of(1, 2, 3, 4) },
    { name: "half", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4), dtype: "F16" },
  ], { format: "pt" });

  return [
    table("csv", [bytes(quoted(",")), bytes("a,b\n1,x y\n2,\n"), bytes("text;label\nein Text;0\n")]),
    table("tsv", [bytes(quoted("\t")), bytes('index\tsentence1\n0\tthe "dog\n1\ta \\ b\n')]),
    table("jsonl", [
      bytes(records.map((record) => JSON.stringify(record)).join("\n")),
      bytes('{"a":[1,{"b":null}]}\n'),
    ]),
    table("json", [bytes(JSON.stringify(records))]),
    table("parquet", [await Deno.readFile(parquet)]),
    {
      name: "safetensors",
      seeds: [await Deno.readFile(tensors)],
      read: asFile("model.safetensors", async (path) => {
        const reader = await openTensors(path);
        try {
          for (const { name, dtype } of reader.tensors.values()) {
            await (/^[FB]/.test(dtype) ? reader.readF32(name) : reader.readI32(name));
          }
        } finally {
          reader.close();
        }
      }),
    },
    await folderWith("tokenizer.wordpiece", join(golden, "tokenizers/bert"), "tokenizer.json", encodes),
    await folderWith("tokenizer.bpe", join(golden, "tokenizers/roberta"), "tokenizer.json", encodes),
    await folderWith("tokenizer.unigram", join(golden, "tokenizers/xlm_roberta"), "tokenizer.json", encodes),
    await folderWith("tokenizer_config", join(golden, "tokenizers/bert"), "tokenizer_config.json", encodes),
    await folderWith("vocab.txt", join(golden, "tokenizers/distilbert"), "vocab.txt", encodes),
    await folderWith("config.json", join(golden, "encoders/bert"), "config.json", async (path) => {
      const { config } = await readFolder(path);
      return parseConfig(config, path);
    }),
    {
      name: "flags",
      seeds: [bytes("--model|a/b|--epochs|3|--learning-rate=1e-4|--columns|anchor=question"), bytes("--force")],
      read: (input) => parseFlags(text(input).split("|"), TRAINING),
    },
    { name: "columns", seeds: [bytes("anchor=question,positive=answer")], read: (input) => parseColumns(text(input)) },
    {
      name: "source",
      seeds: [bytes("nyu-mll/glue/mnli@main#train"), bytes("./a/b.csv"), bytes("hub:a/b")],
      read: (input) => parseSource(text(input)),
    },
    {
      name: "reply",
      seeds: [
        bytes('{"choices":[{"message":{"content":"yes"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3}}'),
        bytes('{"error":{"message":"no quota","code":"insufficient_quota"}}'),
      ],
      read: (input) => {
        for (const status of [200, 429, 500]) {
          readReply({ status, headers: new Headers(), body: text(input) }, "here", 0);
        }
      },
    },
    {
      name: "answers",
      seeds: [
        bytes('{"key":"00","answer":{"text":"yes","tokens":3}}\n{"key":"01","answer":{"text":"no","tokens":3}}\n'),
      ],
      read: asFile("answers.jsonl", async (path) => (await openAnswerFile(path))[Symbol.dispose]()),
    },
  ];
}
