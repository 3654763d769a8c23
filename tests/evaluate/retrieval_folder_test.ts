import assert from "node:assert/strict";
import { join } from "node:path";
import { retrievalRows, retrievalSets } from "../../lib/data/retrieval_sets.ts";
import { isTaskFile, layoutOf, readRetrievalSets, readRetrievalTask } from "../../lib/evaluate/retrieval_folder.ts";
import { evaluateRetrievalSets } from "../../lib/evaluate/retrieval_sets.ts";
import { engines } from "../engine/engines.ts";
import { withFolder } from "../folder.ts";
import golden from "../golden/nano_beir.json" with { type: "json" };

const nano = new URL("../golden/nano_beir", import.meta.url).pathname;
const names = ["msmarco", "nq", "arguana"];

/** Embeds texts by the golden table. */
function encoderOf(prompt: (role: string, set: string) => string) {
  const { width } = golden;
  const vectors: Readonly<Record<string, readonly number[]>> = golden.vectors;
  return (texts: readonly string[], role: string, set: string) => {
    const data = new Float32Array(texts.length * width);
    texts.forEach((text, row) => data.set(vectors[prompt(role, set) + text]!, row * width));
    return Promise.resolve({ data, width, rows: texts.length });
  };
}

for (const { name, create } of engines) {
  Deno.test(`${name}: NanoBEIR from a folder has the keys and values of sentence-transformers, prompts included`, async () => {
    const engine = await create();
    const sets = await readRetrievalSets(nano, { sets: names });
    const prompts: Readonly<Record<string, string>> = {
      NanoMSMARCO: "msmarco: ",
      NanoNQ: "nq: ",
      NanoArguAna: "arguana: ",
    };
    for (
      const [expected, prompt] of [
        [golden.plain, () => ""],
        [golden.prompted, (role: string, set: string) => role === "query" ? prompts[set]! : "passage: "],
      ] as const
    ) {
      const { metrics } = await evaluateRetrievalSets(engine, encoderOf(prompt), sets, { blockRows: 7 });
      assert.deepEqual(Object.keys(metrics), Object.keys(expected));
      for (const [key, value] of Object.entries(expected)) {
        assert.ok(Math.abs(metrics[key]! - value) < 1e-9, `${key}: ${metrics[key]} instead of ${value}`);
      }
    }
    engine.close();
  });
}

Deno.test("sets are rows and sets again", async () => {
  const sets = await readRetrievalSets(nano, { sets: ["nq", "NanoArguAna"] });
  assert.deepEqual(retrievalSets(retrievalRows(sets)), sets);
  assert.equal(await layoutOf(nano), "nanobeir");
  await assert.rejects(
    () => readRetrievalSets(nano, { sets: ["msmacro"] }),
    /did you mean msmarco|no set of this name/,
  );
  await assert.rejects(() => readRetrievalSets(nano), /the corpus of NanoClimateFEVER are not there/);
});

Deno.test("BEIR's layout and a task's file give the same set; what is missing is said", () =>
  withFolder(async (folder) => {
    await Deno.mkdir(join(folder, "qrels"));
    const write = (file: string, ...lines: readonly string[]) =>
      Deno.writeTextFile(join(folder, file), lines.join("\n") + "\n");
    await write("corpus.jsonl", '{"_id":"2","title":"T","text":"two"}', '{"_id":"10","title":"","text":"ten"}');
    await write("queries.jsonl", '{"_id":"a","text":"query a"}', '{"_id":"b","text":"query b"}');
    await write("qrels/test.tsv", "query-id\tcorpus-id\tscore", "a\t2\t1", "b\t10\t0");
    assert.equal(await layoutOf(folder), "beir");
    const [set] = await readRetrievalSets(folder);
    // Ids are texts: 10 stands before 2; b has nothing relevant.
    assert.deepEqual(set, {
      name: "",
      queries: ["query a"],
      documents: ["ten", "T two"],
      relevant: [Int32Array.of(1)],
    });
    await write(
      "task.json",
      JSON.stringify({
        name: "Mine",
        type: "Retrieval",
        eval_splits: ["test"],
        files: { corpus: "corpus.jsonl", queries: "queries.jsonl", qrels: "qrels/test.tsv" },
      }),
    );
    assert.equal(await isTaskFile(join(folder, "task.json")), true);
    assert.equal(await isTaskFile(join(folder, "corpus.jsonl")), false);
    assert.deepEqual(await readRetrievalTask(join(folder, "task.json")), [set]);
    await assert.rejects(() => readRetrievalSets(folder, { sets: ["dev"] }), /the qrels of dev/);
    await write("qrels/test.tsv", "query-id\tcorpus-id\tscore", "z\t2\t1");
    await assert.rejects(() => readRetrievalSets(folder), /no query has a relevant document/);
  }));
