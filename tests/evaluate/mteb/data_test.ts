import assert from "node:assert/strict";
import { DatasetError, KindredError } from "../../../lib/error.ts";
import { promptName } from "../../../lib/evaluate/mteb/embedder.ts";
import { evaluateTask } from "../../../lib/evaluate/mteb/evaluate.ts";
import { configsOf, openDatasetFolder, splitFiles } from "../../../lib/evaluate/mteb/files.ts";
import type { TaskResult } from "../../../lib/evaluate/mteb/result.ts";
import { readRetrieval } from "../../../lib/evaluate/mteb/retrieval_data.ts";
import { type MtebTask, parseTask, type RetrievalTask } from "../../../lib/evaluate/mteb/task.ts";
import { knownTasks, taskNamed } from "../../../lib/evaluate/mteb/tasks.ts";
import { inFolder, jsonLines, withTable } from "./golden.ts";

const task = (type: string, settings: object = {}): MtebTask =>
  parseTask({ name: "Mine", type, eval_splits: ["test"], ...settings });

/** The result of a task on files in a folder, as the hub has them. */
async function resultOf(
  mine: MtebTask,
  files: Record<string, string>,
  options: { columns?: Record<string, string>; subsets?: string[]; warn?: (message: string) => void } = {},
): Promise<TaskResult> {
  return await inFolder(
    files,
    (path) =>
      withTable(async (embedder) =>
        await evaluateTask(embedder, mine, { folder: await openDatasetFolder(path), columns: options.columns }, options)
      ),
  );
}

/** The error of the same. */
async function refusal(...args: Parameters<typeof resultOf>): Promise<KindredError> {
  try {
    await resultOf(...args);
  } catch (error) {
    assert.ok(error instanceof KindredError, String(error));
    return error;
  }
  return assert.fail("it is not refused");
}

const texts = (start: number, n: number) => Array.from({ length: n }, (_, i) => `t${start + i}`);
const classified = (n: number, label: (row: number) => unknown, start = 0) =>
  jsonLines({ text: texts(start, n), label: Array.from({ length: n }, (_, i) => label(i)) });
const retrieval = {
  "corpus.jsonl": jsonLines({ _id: ["a", "b"], title: ["", null], text: [" t1", "t2"] }),
  "queries.jsonl": jsonLines({ _id: ["p", "q"], text: ["t3", "t4"] }),
  "qrels/test.tsv": "query-id\tcorpus-id\tscore\np\ta\t1\n",
};

Deno.test("an unknown task names those that are spelled like it", () => {
  assert.throws(() => taskNamed("Bankng77"), { message: /no task Bankng77/, hint: /Banking77Classification/ });
  assert.throws(() => taskNamed("stsbenchmark"), { hint: /did you mean STSBenchmark/ });
});

Deno.test("every task that is known can be looked up, has a dataset at a commit, and a name of its own", () => {
  const tasks = knownTasks();
  assert.ok(tasks.length > 60);
  assert.equal(new Set(tasks.map(({ name }) => name)).size, tasks.length);
  for (const { name, dataset } of tasks) {
    assert.match(dataset!.revision, /^[0-9a-f]{40}$/, name);
    assert.equal(taskNamed(name).name, name);
  }
  const tatoeba = taskNamed("Tatoeba").eval_langs as Record<string, string[]>;
  assert.deepEqual([Object.keys(tatoeba).length, tatoeba["deu-eng"]], [112, ["deu-Latn", "eng-Latn"]]);
});

Deno.test("a task of one's own is checked setting by setting", () => {
  const wrong: [object, RegExp][] = [
    [{ type: "Poetry" }, /Poetry/],
    [{ type: "STS" }, /name/],
    [{ name: "a b", type: "STS", eval_splits: ["test"] }, /letters, digits/],
    [{ name: "a", type: "STS", eval_splits: [] }, /eval_splits/],
    [{ name: "a", type: "STS", eval_splits: ["test"], samples_per_label: 8 }, /samples_per_label/],
    [{ name: "a", type: "Classification", eval_splits: ["test"], samples_per_label: 0 }, /samples_per_label/],
    [{ name: "a", type: "Clustering", eval_splits: ["test"], max_fraction_of_documents_to_embed: 2 }, /max_fraction/],
  ];
  const mine = { name: "a", type: "STS", eval_splits: ["test"] };
  wrong.push(
    [{ type: "STS" }, /name: missing, must be .*; eval_splits: missing, must be a list of splits, \["test"\]/],
    [{ ...mine, columns: { txt: "text" } }, /columns: must be .* by any of text, label/],
    [{ ...mine, files: "a.csv" }, /files: must be an object of files by split/],
    [{ ...mine, splits: ["test"] }, /splits: there is no such setting/],
  );
  for (const [value, found] of wrong) assert.throws(() => parseTask(value), { found }, JSON.stringify(value));
  assert.throws(() => parseTask({ ...mine, splits: [] }), { expected: /^settings name, .*eval_splits.*, min_score/ });
  assert.throws(() => parseTask({ ...mine, type: "STSs" }), { hint: "did you mean STS?" });
  assert.throws(() => parseTask(null), /no known type/);
});

Deno.test("a split that is missing says where it was looked for", async () => {
  const error = await refusal(task("STS"), { "train.jsonl": jsonLines({ sentence1: ["t1"] }) });
  assert.match(error.message, /split test of Mine is not there/);
  assert.match(error.found!, /train\.jsonl/);
  const own = task("STS", { files: { dev: "dev.csv" } });
  await assert.rejects(
    withTable((embedder) => evaluateTask(embedder, own, { base: "." })),
    /no file for the split test/,
  );
});

Deno.test("a column that is missing or of the wrong type names file and row", async () => {
  const train = classified(20, (i) => i % 2);
  let error = await refusal(task("Classification"), {
    "train.jsonl": train,
    "test.jsonl": jsonLines({ text: ["t1"] }),
  });
  assert.match(`${error.summary} ${error.hint}`, /no column label.*--columns label=NAME/);
  for (const label of [.5, "0.5", null, [1], ""]) {
    const test = classified(4, (i) => i === 2 ? label : i % 2);
    error = await refusal(task("Classification"), { "train.jsonl": train, "test.jsonl": test });
    assert.match(error.message, /label is not a class/);
    assert.match(error.where!, /test\.jsonl:3$/);
  }
  error = await refusal(task("STS"), {
    "test.jsonl": jsonLines({ sentence1: ["t1", "t2"], sentence2: ["t3", "t4"], score: [1, "good"] }),
  });
  assert.match(`${error.summary} ${error.where}`, /score is not a number.*test\.jsonl:2/);
  error = await refusal(task("STS"), {
    "test.jsonl": jsonLines({ sentence1: ["t1", 7], sentence2: ["t3", "t4"], score: [1, 2] }),
  });
  assert.match(`${error.message}`, /sentence1 is not a text/);
  error = await refusal(task("PairClassification"), {
    "test.jsonl": jsonLines({ sentence1: ["t1", "t2"], sentence2: ["t3", "t4"], labels: [1, 2] }),
  });
  assert.match(error.message, /must be 0 or 1/);
});

Deno.test("a column that is mapped and not there is not read by the protocol's name instead", async () => {
  const rows = { sentence1: ["t1", "t2"], sentence2: ["t3", "t4"], score: [1, 2] };
  for (const columns of [{ sentence1: "sentence_1" }, { score: "grade" }]) {
    const error = await refusal(task("STS"), { "test.jsonl": jsonLines(rows) }, { columns });
    assert.deepEqual([error.expected, error.found], [Object.values(columns)[0], "sentence1, sentence2, score"]);
  }
  const own = task("STS", { files: { test: "test.jsonl" }, columns: { sentence1: "sentence_1" } });
  await inFolder({ "test.jsonl": jsonLines(rows) }, async (base) => {
    const run = () => withTable((embedder) => evaluateTask(embedder, own, { base }));
    await assert.rejects(run, { hint: /did you mean sentence1\?$/ });
  });
});

Deno.test("columns go by other names where the task or the flag says so", async () => {
  const rows = jsonLines({ a: texts(0, 6), b: texts(6, 6), grade: [0, 1, 2, 3, 4, 5] });
  const mine = task("STS", { columns: { sentence1: "a", sentence2: "b" } });
  const { scores } = await resultOf(mine, { "test.jsonl": rows }, { columns: { score: "grade" } });
  assert.equal(typeof scores["test"]![0]!.main_score, "number");
});

Deno.test("classes with few rows are taken whole, with a warning; one class alone is refused", async () => {
  const warnings: string[] = [];
  const files = {
    "train.jsonl": classified(20, (i) => i < 17 ? "a" : "b"),
    "test.jsonl": classified(9, () => "a", 30),
  };
  await resultOf(task("Classification"), files, { warn: (message) => warnings.push(message) });
  assert.match(warnings.join(), /1 class with fewer than 8 rows to train on \(b: 3\)/);
  const error = await refusal(task("Classification"), { ...files, "train.jsonl": classified(20, () => "a") });
  assert.match(error.message, /at least two classes/);
});

Deno.test("retrieval refuses an empty corpus, ids that occur twice, and queries without relevant documents", async () => {
  const mine = task("Retrieval");
  assert.equal((await resultOf(mine, retrieval)).scores["test"]![0]!["recall_at_20"], 1);
  let error = await refusal(mine, { ...retrieval, "corpus.jsonl": "" });
  assert.match(error.message, /empty/);
  error = await refusal(mine, { ...retrieval, "corpus.jsonl": jsonLines({ _id: ["a", "b", "a"], text: texts(0, 3) }) });
  assert.match(`${error.summary} ${error.found}`, /occurs twice a, as at .*corpus\.jsonl:1/);
  error = await refusal(mine, { ...retrieval, "qrels/test.tsv": "query-id\tcorpus-id\tscore\nother\ta\t1\n" });
  assert.match(error.message, /no query has a relevant document/);
  const reranking = task("Reranking");
  error = await refusal(reranking, retrieval);
  assert.match(error.message, /lists the documents/);
  const listed = { ...retrieval, "top_ranked.jsonl": jsonLines({ "query-id": ["p"], "corpus-ids": [["a", "z"]] }) };
  error = await refusal(reranking, listed);
  assert.match(`${error.summary} ${error.found}`, /not in the corpus z/);
});

Deno.test("clusters, summaries and scores that make no sense are refused", async () => {
  const sets = jsonLines({ sentences: [["t1", "t2", "t3"]], labels: [[0, 1]] });
  let error = await refusal(task("Clustering", { legacy: true }), { "test.jsonl": sets });
  assert.match(error.message, /not have one label for each sentence/);
  error = await refusal(task("Clustering"), {
    "test.jsonl": jsonLines({ sentences: texts(0, 9), labels: texts(0, 9) }),
  });
  assert.match(error.message, /nothing left to cluster/);
  error = await refusal(task("Summarization"), {
    "test.jsonl": jsonLines({ human_summaries: [["t1"]], machine_summaries: [["t2", "t3"]], relevance: [[1]] }),
  });
  assert.match(error.message, /do not match/);
  error = await refusal(task("BitextMining", { main_score: "beauty" }), {
    "test.jsonl": jsonLines({ sentence1: texts(0, 3), sentence2: texts(3, 3) }),
  });
  assert.match(`${error.summary} ${error.expected}`, /no score beauty .*f1/);
});

Deno.test("pairs in one row of lists, singletons left out, subsets in a column of languages", async () => {
  const rows = { sentence1: texts(0, 8), sentence2: texts(8, 8), labels: [0, 1, 0, 1, 1, 0, 0, 1] };
  const packed = jsonLines(Object.fromEntries(Object.entries(rows).map(([name, values]) => [name, [values]])));
  const [one, other] = [
    await resultOf(task("PairClassification"), { "test.jsonl": packed }),
    await resultOf(task("PairClassification"), { "test.jsonl": jsonLines(rows) }),
  ];
  assert.deepEqual(one.scores, other.scores);

  const languages = task("BitextMining", { eval_langs: { "de-en": ["deu-Latn"], "fr-en": ["fra-Latn"] } });
  const mixed = jsonLines({
    sentence1: texts(0, 6),
    sentence2: ["t0", "t9", "t2", "t9", "t4", "t9"],
    lang: ["de-en", "fr-en", "de-en", "fr-en", "de-en", "fr-en"],
  });
  const { scores } = await resultOf(languages, { "test.jsonl": mixed });
  assert.deepEqual(scores["test"]!.map(({ hf_subset, languages }) => [hf_subset, ...languages]), [
    ["de-en", "deu-Latn"],
    ["fr-en", "fra-Latn"],
  ]);
  assert.equal(scores["test"]![0]!["accuracy"], 1);
  assert.ok(scores["test"]![1]!["accuracy"]! as number < 1);
  assert.equal((await resultOf(languages, { "test.jsonl": mixed }, { subsets: ["fr-en"] })).scores["test"]!.length, 1);
  assert.match(
    (await refusal(languages, { "test.jsonl": mixed }, { subsets: ["it"] })).message,
    /none of these subsets/,
  );

  const clusters = task("Clustering", {
    drop_singletons: true,
    max_fraction_of_documents_to_embed: null,
    max_documents_per_cluster: 20,
    n_clusters: 1,
  });
  const labelled = jsonLines({
    sentences: texts(0, 21),
    labels: Array.from({ length: 21 }, (_, i) => i < 20 ? i % 2 : 9),
  });
  assert.equal(typeof (await resultOf(clusters, { "test.jsonl": labelled })).scores["test"]![0]!.main_score, "number");
});

Deno.test("files of a split: by the card of the dataset, or by name, in one format", async () => {
  const card =
    `---\nlicense: mit\nconfigs:\n- config_name: default\n  data_files:\n  - split: test\n    path: odd/*.csv\n- config_name: corpus\n  data_files: "c/**"\n---\n# Title`;
  assert.deepEqual([...configsOf(card).get("default")!], [["test", ["odd/*.csv"]]]);
  assert.equal(configsOf("no header").size, 0);
  assert.equal(configsOf("---\n{ not: yaml: at all\n---").size, 0);
  const names = [
    "README.md",
    "odd/x.csv",
    "odd/y.csv",
    "c/deep/z.parquet",
    "dev.jsonl",
    "dev.csv",
    "data/train-00000-of-00002.parquet",
    "data/train-00001-of-00002.parquet",
    "en/validation.tsv",
    "test/fr.jsonl.gz",
    "developers.csv",
  ];
  await inFolder(Object.fromEntries(names.map((name) => [name, name === "README.md" ? card : ""])), async (path) => {
    const folder = await openDatasetFolder(path);
    const of = (config: string, split: string) =>
      splitFiles(folder, config, split)?.map((file) => file.slice(path.length + 1));
    assert.deepEqual(of("default", "test"), ["odd/x.csv", "odd/y.csv"]);
    assert.deepEqual(of("corpus", "test"), ["c/deep/z.parquet"]); // the only split of its part
    assert.deepEqual(of("default", "dev"), ["dev.jsonl"]);
    assert.deepEqual(of("default", "train"), [
      "data/train-00000-of-00002.parquet",
      "data/train-00001-of-00002.parquet",
    ]);
    assert.deepEqual(of("en", "validation"), ["en/validation.tsv"]);
    assert.deepEqual(of("fr", "test"), ["test/fr.jsonl.gz"]);
    assert.equal(of("default", "nothing"), undefined);
  });
  await assert.rejects(openDatasetFolder("there/is/none"), DatasetError);
});

Deno.test("a document is read as title and text", async () => {
  const files = { ...retrieval, "corpus.jsonl": jsonLines({ _id: ["a"], title: ["A title"], text: ["and text "] }) };
  const { corpus, queries } = await inFolder(
    files,
    async (path) =>
      await readRetrieval(
        task("Retrieval") as RetrievalTask,
        { folder: await openDatasetFolder(path) },
        "default",
        "test",
      ),
  );
  assert.deepEqual([corpus.texts, queries.ids], [["A title and text"], ["p"]]);
});

Deno.test("the prompt of a task goes before that of its type, and that before the role's", () => {
  const mine = { name: "SciFact", type: "Retrieval" } as const;
  const all = { "SciFact-query": "a", "SciFact": "b", "Retrieval-query": "c", "Retrieval": "d", "query": "e" };
  const names = Object.keys(all);
  for (let left = 0; left < names.length; left++) {
    const prompts = Object.fromEntries(names.slice(left).map((name) => [name, "x"]));
    assert.equal(promptName(prompts, mine, "query"), names[left]);
  }
  assert.equal(promptName({ passage: "p", query: "q" }, mine, "document"), "passage");
  assert.equal(promptName({ query: "q" }, mine, undefined), undefined);
});
