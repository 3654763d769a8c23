import assert from "node:assert/strict";
import { join } from "node:path";
import { openTensors } from "../../lib/checkpoint/safetensors.ts";
import { parquetSink } from "../../lib/data/parquet.ts";
import { openParquet } from "../../lib/data/parquet_file.ts";
import { dequantizeEmbeddings, quantizeEmbeddings } from "../../lib/embed/mod.ts";
import { encodeSummary } from "../../lib/pipeline/encoding.ts";
import { readEmbeddings } from "../../lib/pipeline/embedding_reader.ts";
import { encode } from "../../lib/simple/mod.ts";
import { goldenPath } from "../golden/golden.ts";
import { UsageError } from "../../lib/error.ts";
import { command } from "../../pipelines/encode.ts";
import { withFolder } from "../folder.ts";
import { runCommand } from "./in_process.ts";
import { run } from "./user.ts";

const model = goldenPath("training/model");
const texts = [
  "a boy eats an apple",
  "",
  "two dogs run and run and run until the sun goes down over the hill",
  "the queen",
];

Deno.test("encode writes every precision, measured by what it is told to, and says how texts were read", () =>
  withFolder(async (folder) => {
    const input = join(folder, "texts.txt");
    await Deno.writeTextFile(input, texts.join("\n") + "\n");
    const encoded = async (name: string, ...flags: string[]) => {
      const output = join(folder, name);
      const args = ["--model", model, "--input", input, "--output", output, ...flags];
      return { output, report: await runCommand(command, folder, ...args) };
    };
    const flags = ["--prefix", "represent: ", "--max-seq-length", "9", "--truncate-dim", "5"];
    const floats = await encoded("f.npy", ...flags);
    const { output: _, ...report } = floats.report;
    assert.deepEqual(report, {
      schema: "kindred-encode/1",
      model,
      rows: 4,
      width: 5,
      output_value: "sentence",
      output_precision: "float32",
      max_seq_length: 9,
      prompt: "represent: ",
      normalize: false,
      warnings: [],
    });
    const expected = await encode(model, texts, { prefix: "represent: ", maxSeqLength: 9, truncateDim: 5 });
    const whole = await readEmbeddings(floats.output);
    assert.deepEqual(dequantizeEmbeddings(whole), expected);

    const bytes = await encoded("i.safetensors", ...flags, "--output-precision", "int8");
    assert.match(bytes.report.warnings[0], /ranges of int8 are those of 4 texts/);
    const own = quantizeEmbeddings(expected, "int8");
    assert.deepEqual(await readEmbeddings(bytes.output), own);
    for (const [flag, file] of [["--calibration", floats.output], ["--ranges", bytes.output]] as const) {
      const other = await encoded("u.parquet", ...flags, "--output-precision", "uint8", flag, file);
      assert.deepEqual(await readEmbeddings(other.output), quantizeEmbeddings(expected, "uint8"), flag);
      assert.deepEqual(other.report.warnings, []);
    }

    const near = await encoded("8.npy", ...flags, "--precision", "int8");
    const { data } = dequantizeEmbeddings(await readEmbeddings(near.output));
    const off = Math.max(...data.map((value, i) => Math.abs(value - expected.data[i]!)));
    assert.ok(off > 0 && off < 0.05, `layers of 8 bits are off by ${off}`);
    assert.deepEqual(near.report.warnings, []);

    const tokens = await encoded("t.safetensors", "--output-value", "tokens");
    assert.deepEqual([tokens.report.tokens, tokens.report.width, tokens.report.prompt], [29, 20, null]);
    const file = await openTensors(tokens.output);
    const ofTokens = await encode(model, texts, { output: "tokens" });
    assert.deepEqual(await file.readF32("embeddings"), ofTokens.data);
    assert.deepEqual(await file.readI32("offsets"), ofTokens.offsets);
    file.close();
    const rows = await openParquet((await encoded("t.parquet", "--output-value", "tokens")).output);
    assert.deepEqual(rows.names, ["id", "token", "embedding"]);
    assert.deepEqual([...await rows.column("id", 5, 11)], [0, 0, 1, 1, 2, 2]);
    assert.deepEqual([...await rows.column("token", 5, 11)], [5, 6, 0, 1, 0, 1]);
    assert.deepEqual((await rows.cells("embedding", 8, 9))[0], [...ofTokens.data.subarray(8 * 20, 9 * 20)]);
    rows.close();

    for (
      const [wrong, message] of [
        [["--output-value", "tokens"], /no such format/],
        [["--output-precision", "binary", "--ranges", "a.npy"], /--ranges is for --output-precision int8/],
        [["--precision", "uint8"], /--precision must be one of fp32, bf16, fp16, int8/],
      ] as const
    ) {
      await assert.rejects(
        encoded("x.npy", ...wrong),
        (error) => error instanceof UsageError && message.test(error.message),
      );
    }
  }));

Deno.test("encode tells which column it reads, and how many the file has, of which it reads some", () =>
  withFolder(async (folder) => {
    const input = join(folder, "a.parquet");
    const sink = await parquetSink(input, { "said, by": "text", other: "text" });
    await sink.write({ "said, by": ["the boy runs"], other: ["a dog"] }, 1);
    await sink.finish();
    const args = ["--model", model, "--input", input, "--output", join(folder, "a.npy")];
    const { code, err } = await run("encode", ...args, "--column", "said, by");
    assert.equal(code, 0, err);
    assert.match(err, /text = "said, by" \(of 2 columns\)/);
  }));

Deno.test("encode says that static embeddings read a text of any length, unless they are told how long", () =>
  withFolder(async (folder) => {
    const input = join(folder, "texts.txt");
    await Deno.writeTextFile(input, "the queen\n");
    const places = ["--model", goldenPath("folders/static"), "--input", input, "--output", join(folder, "s.npy")];
    const report = await runCommand(command, folder, ...places);
    assert.equal(report.max_seq_length, null);
    const deep = join(folder, "a", "folder", "s.npy"); // which nobody has made
    await runCommand(command, folder, ...places, "--output", deep);
    assert.equal((await readEmbeddings(deep)).rows, 1);
    assert.match(encodeSummary(report), /texts of any length, no prompt/);
    const short = await runCommand(command, folder, ...places, "--max-seq-length", "1");
    assert.match(encodeSummary(short), /texts of up to 1 token, no prompt/);
  }));
