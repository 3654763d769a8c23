/**
 * A task of every type from the sample, to see the benchmark run in seconds.
 *
 * @module
 */
import { ATTITUDES, sampleAttitudes, sampleSts, sampleTargetTexts, sampleTexts } from "../../data/sample/mod.ts";
import type { MtebTask } from "./task.ts";

const COMMON = { eval_splits: ["test"], eval_langs: ["eng-Latn"] };

/** The tasks; their files are those of {@linkcode writeSampleTasks}. */
export const SAMPLE_TASKS: readonly MtebTask[] = [
  {
    name: "SampleClassification",
    type: "Classification",
    files: { train: "attitudes-train.jsonl", test: "attitudes-test.jsonl" },
    ...COMMON,
  },
  { name: "SampleSTS", type: "STS", files: { test: "graded.jsonl" }, ...COMMON },
  { name: "SamplePairClassification", type: "PairClassification", files: { test: "pairs.jsonl" }, ...COMMON },
  {
    name: "SampleRetrieval",
    type: "Retrieval",
    files: { corpus: "corpus.jsonl", queries: "queries.jsonl", qrels: "qrels.tsv" },
    ...COMMON,
  },
  {
    name: "SampleReranking",
    type: "Reranking",
    files: { corpus: "corpus.jsonl", queries: "queries.jsonl", qrels: "qrels.tsv", top_ranked: "top_ranked.jsonl" },
    ...COMMON,
  },
  {
    name: "SampleClustering",
    type: "Clustering",
    files: { test: "domains.jsonl" },
    max_fraction_of_documents_to_embed: null,
    max_documents_per_cluster: 512,
    ...COMMON,
  },
  { name: "SampleSummarization", type: "Summarization", files: { test: "summaries.jsonl" }, ...COMMON },
  { name: "SampleBitextMining", type: "BitextMining", files: { test: "parallel.jsonl" }, ...COMMON },
];

/**
 * Writes the data of the sample's tasks, a few hundred rows, into a folder.
 *
 * @param folder It is made if it is not there.
 * @returns When all files are written.
 */
export async function writeSampleTasks(folder: string): Promise<void> {
  const write = (name: string, rows: readonly object[]) =>
    Deno.writeTextFile(`${folder}/${name}`, rows.map((row) => JSON.stringify(row) + "\n").join(""));
  const labelled = ({ columns, rows }: ReturnType<typeof sampleAttitudes>) =>
    Array.from({ length: rows }, (_, i) => ({ text: columns.text[i], label: ATTITUDES[columns.label[i]!] }));
  await write("attitudes-train.jsonl", labelled(sampleAttitudes({ rows: 300 })));
  await write("attitudes-test.jsonl", labelled(sampleAttitudes({ rows: 300, heldOut: true })));

  const graded = rowsOf(sampleSts({ rows: 900 }));
  await write("graded.jsonl", graded);
  const clear = graded.filter(({ score }) => score !== 3);
  await write("pairs.jsonl", clear.map(({ score, ...pair }) => ({ ...pair, labels: Number(score > 3) })));

  // Sentences that say the same in other words: one asks, the other is found among all of them.
  const same = graded.filter(({ score }) => score === 5);
  const others = graded.filter(({ score }) => score <= 1);
  await write("parallel.jsonl", same.map(({ sentence1, sentence2 }) => ({ sentence1, sentence2 })));
  await write("queries.jsonl", same.map(({ sentence1 }, i) => ({ _id: `q${i}`, text: sentence1 })));
  await write("corpus.jsonl", [...same, ...others].map(({ sentence2 }, i) => ({ _id: `d${i}`, text: sentence2 })));
  await Deno.writeTextFile(
    `${folder}/qrels.tsv`,
    ["query-id\tcorpus-id\tscore\n", ...same.map((_, i) => `q${i}\td${i}\t1\n`)].join(""),
  );
  const near = (i: number, count: number) => Array.from({ length: count }, (_, j) => (i + 7 * j) % same.length);
  await write(
    "top_ranked.jsonl",
    same.map((_, i) => ({ "query-id": `q${i}`, "corpus-ids": near(i, 10).map((row) => `d${row}`) })),
  );
  await write(
    "summaries.jsonl",
    same.map(({ sentence1 }, i) => ({
      text: sentence1,
      human_summaries: [sentence1],
      machine_summaries: near(i, 5).map((row) => same[row]!.sentence2),
      relevance: near(i, 5).map((row) => row === i ? 5 : 0),
    })),
  );
  await write("domains.jsonl", [
    ...sampleTexts({ rows: 200 }).map((sentences) => ({ sentences, labels: "everyday" })),
    ...sampleTargetTexts({ rows: 200 }).map((sentences) => ({ sentences, labels: "computing" })),
  ]);
}

function rowsOf({ columns, rows }: ReturnType<typeof sampleSts>) {
  const { sentence1, sentence2, score } = columns;
  return Array.from({ length: rows }, (_, i) => ({
    sentence1: sentence1[i]!,
    sentence2: sentence2[i]!,
    score: score[i]!,
  }));
}
