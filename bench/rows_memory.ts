/**
 * Peak memory of `encode` and `evaluate` by number of rows and format of the file, with the sample's model: each run in a
 * process of its own, which tells its peak resident memory at its end (Linux).
 *
 * `deno run -A bench/rows_memory.ts [--rows 10000,100000,1000000] [--formats csv,jsonl,parquet]
 * [--commands encode,evaluate] [--folder DIR] [--write]`
 *
 * The bound: 1.2 times the peak at the fewest rows, and 64 bytes for each row. Texts are short, so that a million of them
 * are done within minutes; each row has one that no other row has.
 *
 * @module
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parquetSink } from "../lib/data/parquet.ts";
import { sampleBaseModel } from "../lib/data/sample/models.ts";
import type { Command } from "../lib/pipeline/command.ts";
import { main } from "../lib/pipeline/command.ts";
import { peakBytes, say } from "./measure.ts";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "10000,100000,1000000" },
    formats: { type: "string", default: "csv,jsonl,parquet" },
    commands: { type: "string", default: "encode,evaluate" },
    folder: { type: "string" },
    child: { type: "string" },
    arguments: { type: "string", default: "[]" },
    write: { type: "boolean", default: false },
  },
});

if (values.child !== undefined) {
  globalThis.addEventListener("unload", () => {
    Deno.stderr.writeSync(new TextEncoder().encode(`\npeak ${peakBytes() / 1024} kB\n`));
  });
  const { command }: { command: Command } = await import(`../pipelines/${values.child}.ts`);
  await main(command, JSON.parse(values.arguments));
}

const WORDS = "boy girl dog cat apple castle hill river eats sees runs sleeps old young red green".split(" ");
const word = (i: number) => WORDS[i % WORDS.length]!;
const rowOf = (i: number) => ({
  sentence1: `${word(i)} ${i}`,
  sentence2: `${word(7 * i)} ${word(i >> 4)}`,
  score: i * 37 % 101 / 20,
});

/** Writes a file in pieces of ten thousand rows. */
async function writeRows(path: string, format: string, rows: number): Promise<void> {
  const types = { sentence1: "text", sentence2: "text", score: "float64" } as const;
  const sink = format === "parquet" ? await parquetSink(path, types) : undefined;
  const text = async (lines: readonly string[]) =>
    await Deno.writeTextFile(path, lines.join("\n") + "\n", { append: true });
  if (sink === undefined) await Deno.writeTextFile(path, format === "csv" ? "sentence1,sentence2,score\n" : "");
  for (let from = 0; from < rows; from += 10_000) {
    const piece = Array.from({ length: Math.min(10_000, rows - from) }, (_, i) => rowOf(from + i));
    if (sink !== undefined) {
      const columns = {
        sentence1: piece.map(({ sentence1 }) => sentence1),
        sentence2: piece.map(({ sentence2 }) => sentence2),
        score: Float64Array.from(piece, ({ score }) => score),
      };
      await sink.write(columns, piece.length);
    } else if (format === "csv") await text(piece.map((row) => Object.values(row).join(",")));
    else await text(piece.map((row) => JSON.stringify(row)));
  }
  await sink?.finish();
}

const folder = values.folder ?? await Deno.makeTempDir();
const model = await sampleBaseModel();
const counts = values.rows.split(",").map(Number);
const lines = ["| command | format | rows | peak MB | bound MB | seconds |", "| --- | --- | --- | --- | --- | --- |"];
say(lines.join("\n"));
for (const name of values.commands.split(",")) {
  for (const format of values.formats.split(",")) {
    let fewest: number | undefined;
    for (const rows of counts) {
      const path = join(folder, `${rows}.${format}`);
      if (!await Deno.stat(path).then(() => true, () => false)) await writeRows(path, format, rows);
      const output = join(folder, name === "encode" ? "out.npy" : "out");
      const args = name === "encode"
        ? ["--model", model, "--input", path, "--column", "sentence1", "--output", output, "--quiet"]
        : ["--model", model, "--eval", path, "--output", output, "--quiet"];
      const child = ["run", "-A", import.meta.filename!, "--child", name, "--arguments", JSON.stringify(args)];
      const started = performance.now();
      const { code, stderr } = await new Deno.Command(Deno.execPath(), { args: child, stdout: "null" }).output();
      const seconds = (performance.now() - started) / 1000;
      const told = new TextDecoder().decode(stderr);
      if (code !== 0) throw new Error(`${name} of ${path} failed with ${code}: ${told}`);
      const peak = Number(/peak (\d+) kB/.exec(told)?.[1]) * 1024 / 1e6;
      const bound = fewest === undefined ? undefined : 1.2 * fewest + 64 * rows / 1e6;
      fewest ??= peak;
      const cells = [
        name,
        format,
        rows.toLocaleString("en"),
        peak.toFixed(0),
        bound?.toFixed(0) ?? "–",
        seconds.toFixed(0),
      ];
      lines.push(`| ${cells.join(" | ")} |`);
      say(lines.at(-1)!);
    }
  }
}
if (values.write) {
  const path = new URL("./RESULTS.md", import.meta.url);
  await Deno.writeTextFile(path, `\n${lines.join("\n")}\n`, { append: true });
}
if (values.folder === undefined) await Deno.remove(folder, { recursive: true });
