import assert from "node:assert/strict";
import { join } from "node:path";
import { searchCorpus } from "../../lib/embed/mod.ts";
import { quantizeEmbeddings } from "../../lib/embed/quantize.ts";
import { UsageError } from "../../lib/error.ts";
import { searchSummary } from "../../lib/pipeline/search_report.ts";
import { command } from "../../pipelines/search.ts";
import { engines } from "../engine/engines.ts";
import { withFolder } from "../folder.ts";
import { runCommand } from "./in_process.ts";

Deno.test("a quantised corpus answers queries, and the report says how well and in how many bytes", () =>
  withFolder(async (folder) => {
    const queries = join(folder, "queries.txt");
    await Deno.writeTextFile(queries, "the boy eats\n\nthe queen sleeps\n");
    const search = (...flags: string[]) =>
      runCommand(command, join(folder, "cache"), "--preset", "test", "--queries", queries, ...flags);
    const exact = await search("--closest", "2");
    assert.equal(exact.quantized, undefined);
    assert.deepEqual([exact.max_seq_length, exact.prompts], [64, { query: null, document: null }]);
    assert.deepEqual(exact.queries.map(({ query }: { query: string }) => query), ["the boy eats", "the queen sleeps"]);
    const { distinct } = exact.corpus;
    for (
      const [precision, bytes, least] of [["int8", 128, .9], ["binary", 16, .3], ["binary+int8", 144, .3]] as const
    ) {
      const report = await search("--corpus-precision", precision, "--output", join(folder, "out"), "--force");
      const { quantized } = report;
      assert.deepEqual([quantized.precision, quantized.bytes, quantized.float32_bytes], [
        precision,
        bytes * distinct,
        512 * distinct,
      ]);
      assert.equal(quantized.rescore_multiplier, precision === "int8" ? null : 4);
      assert.ok(quantized["recall@10"] >= least && quantized["recall@10"] <= 1, `${quantized["recall@10"]}`);
      assert.match(searchSummary(report), /searched in [\s\S]* recall@10/);
      assert.match(await Deno.readTextFile(join(folder, "out", "report.html")), /recall@10/);
    }
    // With every text a candidate, compared by bytes, nothing is missed but what the bytes round.
    const all = await search("--corpus-precision", "binary+int8", "--rescore-multiplier", `${distinct}`);
    assert.ok(all.quantized["recall@10"] >= .9);
    assert.deepEqual(all.queries[0].hits[0].text, exact.queries[0].hits[0].text);
    const short = await search("--max-seq-length", "4");
    assert.deepEqual([short.max_seq_length, short.stages.at(-1).cached], [4, false]);
    for (
      const [flags, message] of [
        [["--rescore-multiplier", "4"], /is for a corpus of bits/],
        [["--corpus-precision", "int8", "--rescore-multiplier", "4"], /is for a corpus of bits/],
        [["--corpus-precision", "int4"], /--corpus-precision must be one of/],
      ] as const
    ) {
      await assert.rejects(search(...flags), (error) => error instanceof UsageError && message.test(error.message));
    }
    await assert.rejects(
      runCommand(command, join(folder, "cache"), "--preset", "test", "--closest", "2", "--corpus-precision", "binary"),
      /there are none/,
    );
  }));

Deno.test("searchCorpus takes a corpus of any precision", async () => {
  const engine = await engines[0]!.create();
  const texts = ["east", "north", "north by east", "west"];
  const embeddings = { data: Float32Array.of(1, -.1, .1, 1, .5, .9, -1, -.1), width: 2, rows: 4 };
  const queries = { texts: ["up"], embeddings: { data: Float32Array.of(-.1, 5), width: 2, rows: 1 } };
  for (const precision of ["float32", "float16", "int8", "uint8", "binary", "ubinary"] as const) {
    const corpus = { texts, embeddings: quantizeEmbeddings(embeddings, precision) };
    const { found } = await searchCorpus(engine, queries, corpus, {
      k: 1,
      rescoreWith: quantizeEmbeddings(embeddings, "float16"),
    });
    assert.equal(texts[found[0]![0]!.row], "north", precision);
  }
  engine.close();
});
