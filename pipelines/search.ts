/**
 * Search by meaning: the closest pairs of a corpus and answers to queries, by embeddings, judged again by a cross-encoder;
 * and what each way costs.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt, attemptSync } from "../lib/attempt.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { COMPUTING } from "../lib/pipeline/flags.ts";
import { writeOutput } from "../lib/pipeline/output.ts";
import { outputFolder } from "../lib/pipeline/report_base.ts";
import { judge, model } from "../lib/stage/roots.ts";
import { searchFiles, searchSummary } from "../lib/pipeline/search_report.ts";
import { searchPage } from "../lib/pipeline/search_page.ts";
import { checkCorpusPrecision, corpusOf, queriesOf, search } from "../lib/pipeline/searching.ts";
import { optional, text } from "../lib/pipeline/settings.ts";
import { embedCorpus } from "../lib/pipeline/stages/search.ts";
import { sampleModel } from "../lib/pipeline/training.ts";

/** The command: load → embed → compare → judge. */
export const command: Command = {
  name: "search",
  summary: "finds the closest pairs of texts, and answers to queries: --corpus FILE [--query TEXT …]",
  flags: [
    ...COMPUTING,
    "preset",
    "model",
    "max-seq-length",
    "truncate-dim",
    "corpus",
    "column",
    "columns",
    "limit",
    "closest",
    "query",
    "queries",
    "top-k",
    "corpus-precision",
    "rescore-multiplier",
    "cross-encoder",
    "output",
    "force",
  ],
  meanings: {
    "model": "the model: a folder or a model of the hub; #NAME behind it: an adapter within it",
    "columns": "the column of the texts, as for --column: text=answer",
    "limit": "search in no more texts",
    "top-k": "answers to each query",
    "max-seq-length": "longest text in tokens; longer ones are cut; default: as the model's folder says",
  },
  presets: {
    sample: { seed: 42 },
    own: { seed: 42 },
    test: { seed: 42, limit: 150 },
    chapter: { seed: 42, model: "sentence-transformers/all-MiniLM-L6-v2" },
  },
  run: Effect.fnUntraced(function* (invocation) {
    const { values } = invocation;
    const output = values["output"] === undefined ? undefined : yield* outputFolder(invocation);
    const named = text(values, "model");
    const name = text(values, "cross-encoder");
    const crossEncoder = name === undefined ? undefined : yield* judge(name);
    const data = yield* corpusOf(invocation);
    const queries = yield* queriesOf(invocation);
    yield* attemptSync(() => checkCorpusPrecision(values, queries.length));
    const embedding = {
      maxSeqLength: optional(values, "max-seq-length"),
      truncateDim: optional(values, "truncate-dim"),
    };
    const base = named === undefined ? yield* sampleModel(invocation) : yield* model(named);
    const corpus = yield* embedCorpus({ model: base, texts: data }, embedding);
    const found = yield* search(invocation, { model: base, data, corpus, queries, embedding, crossEncoder });
    if (output === undefined) return found;
    const tables = searchFiles(found);
    const names = [...Object.keys(tables), "report.json", "report.html"];
    const report = { ...found, files: names.map((name) => join(output, name)) };
    yield* attempt(() =>
      writeOutput(output, {
        ...tables,
        "report.html": searchPage(report),
        "report.json": JSON.stringify(report, null, 2) + "\n",
      })
    );
    return report;
  }),
  print: searchSummary,
};

if (import.meta.main) await main(command);
