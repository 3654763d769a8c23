/**
 * candidates, negatives: texts that look like an answer and are not one.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt, attemptSync } from "../../attempt.ts";
import { openTensors, writeSafetensors } from "../../checkpoint/safetensors.ts";
import type { Dataset, Pairs, Triplets } from "../../data/dataset.ts";
import type { Columns } from "../../data/rows.ts";
import { UsageError } from "../../error.ts";
import { roleEncoder } from "../../embed/roles.ts";
import { pairScorer } from "../../evaluate/cross_encoder.ts";
import {
  type Candidates,
  findCandidates,
  importReview,
  judgedNegatives,
  languageModelJudge,
  type Relation,
  selectNegatives,
  type SelectOptions,
  toLabelledLists,
  toLabelledPairs,
  toTriplets,
  toTuples,
  withNegatives,
  writtenNegatives,
} from "../../negatives/mod.ts";
import {
  type CountedDataset,
  datasetFormat,
  type ModelFolder,
  modelFormat,
  readJson,
  writeDataset,
  writeJson,
} from "../../stage/artifact.ts";
import { TensorEngine } from "../../stage/engine.ts";
import { openBiEncoder, openCrossEncoder } from "../../stage/models.ts";
import { type SourceFiles, sourceFormat } from "../../stage/roots.ts";
import { phase } from "../../stage/progress.ts";
import { defineStage, type Format, type Stage } from "../../stage/stage.ts";
import { generateBy, type GeneratorParameters } from "./generator.ts";
import type { Texts } from "./load.ts";

/** Settings of {@linkcode mineCandidates}. */
export interface CandidateParameters {
  /** Candidates of an anchor at most. */
  readonly count: number;
}

/** What {@linkcode mineCandidates} takes. */
export interface CandidateInputs {
  /** Embeds anchors and documents. */
  readonly model: ModelFolder;
  /** Anchors and their positives. */
  readonly pairs: Dataset<Pairs>;
  /** Texts to search in beside the positives. */
  readonly corpus?: Dataset<Texts>;
  /** A cross-encoder that scores the candidates again. */
  readonly judge?: ModelFolder;
}

const ARRAYS = ["offsets", "positives", "indices", "counts"] as const;
const SCORES = ["positiveScores", "scores"] as const;

/** Candidates as files: texts as JSON, places and scores as safetensors. */
export const candidatesFormat: Format<Candidates> = {
  read: async ([path]) => {
    const texts = await readJson<Pick<Candidates, "anchors" | "documents" | "width" | "mostPositives">>(
      join(path!, "texts.json"),
    );
    const reader = await openTensors(join(path!, "candidates.safetensors"));
    try {
      const arrays: Record<string, Int32Array | Float32Array> = {};
      for (const name of ARRAYS) arrays[name] = await reader.readI32(name);
      for (const name of SCORES) arrays[name] = await reader.readF32(name);
      return { ...texts, ...arrays } as Candidates;
    } finally {
      reader.close();
    }
  },
};

/** Writes what {@linkcode candidatesFormat} reads. */
export async function writeCandidates(folder: string, candidates: Candidates): Promise<void> {
  const { anchors, documents, width, mostPositives } = candidates;
  await writeJson(join(folder, "texts.json"), { anchors, documents, width, mostPositives });
  await writeSafetensors(
    join(folder, "candidates.safetensors"),
    [...ARRAYS, ...SCORES].map((name) => ({ name, shape: [candidates[name].length], data: candidates[name] })),
  );
}

/** For every anchor the nearest texts that are not its positives, best first. */
export const mineCandidates: Stage<CandidateParameters, CandidateInputs, Candidates> = defineStage<
  CandidateParameters,
  CandidateInputs,
  Candidates
>({
  name: "candidates",
  version: 5, // tokens as the reference has them, to the last bit of a score
  inputs: { model: modelFormat, pairs: datasetFormat<Pairs>(), corpus: datasetFormat<Texts>(), judge: modelFormat },
  output: candidatesFormat,
  computes: true,
  run: Effect.fnUntraced(function* ({ parameters: { count }, inputs, scratch }) {
    yield* phase("looking for negatives");
    const engine = yield* (yield* TensorEngine).open;
    const model = yield* openBiEncoder(inputs.model);
    const judge = inputs.judge && (yield* openCrossEncoder(inputs.judge, { requireHead: true }));
    yield* attempt(async () => {
      const corpus = inputs.corpus && (await inputs.corpus.read()).columns.text;
      const candidates = await findCandidates(engine, await inputs.pairs.read(), roleEncoder(engine, model), {
        count,
        score: judge && pairScorer(engine, judge),
        ...(corpus !== undefined && { corpus }),
      });
      await writeCandidates(scratch, candidates);
    });
  }),
});

/** Who says which candidates are negatives. */
export type NegativeJudge =
  /** Bounds on their scores: semi-hard by the embeddings' scores, hard by a cross-encoder's. */
  | { readonly by: "scores" }
  /** A language model: what is related and does not answer. */
  | { readonly by: "language-model"; readonly generator: GeneratorParameters; readonly relation: Relation }
  /** A language model that writes one itself. */
  | { readonly by: "writer"; readonly generator: GeneratorParameters; readonly relation: Relation }
  /** A person, by a file that was exported and filled in. */
  | { readonly by: "person" };

/** The form of the rows. `training`: the pairs in their order, every one with its negatives. */
export type NegativeFormat = "training" | "triplet" | "n-tuple" | "labeled-pair" | "labeled-list";

/** Settings of {@linkcode chooseNegatives}. */
export interface NegativeParameters {
  /** Who chooses. */
  readonly judge: NegativeJudge;
  /** Bounds, number, sampling, seed. */
  readonly select: SelectOptions;
  /** The form of the result. */
  readonly format: NegativeFormat;
  /** Scores beside the texts. */
  readonly scores?: boolean | undefined;
  /** For `training`: what becomes of a row with too few. */
  readonly missing?: "easy" | "drop" | undefined;
}

/** What {@linkcode chooseNegatives} takes. */
export interface NegativeInputs {
  /** Candidates of every anchor. */
  readonly candidates: Candidates;
  /** The pairs that they were found for. */
  readonly pairs: Dataset<Pairs>;
  /** The file that a person filled in. */
  readonly review?: SourceFiles;
}

/** Chooses negatives among candidates, and writes them in one of five forms. */
export const chooseNegatives: Stage<NegativeParameters, NegativeInputs, CountedDataset<Columns>> = defineStage<
  NegativeParameters,
  NegativeInputs,
  CountedDataset<Columns>
>({
  name: "negatives",
  version: 6, // tokens as the reference has them, to the last bit of a score
  inputs: { candidates: candidatesFormat, pairs: datasetFormat<Pairs>(), review: sourceFormat },
  output: datasetFormat<Columns>(),
  how: ["judge.generator.tokenBudget", "judge.generator.concurrency"],
  draws: ({ judge, select, format, missing = "easy" }) =>
    judge.by === "writer" || select.sampling === "random" || (format === "training" && missing === "easy"),
  run: Effect.fnUntraced(function* ({ parameters, inputs, scratch, answers }) {
    const { judge, select, format, scores = false, missing = "easy" } = parameters;
    const candidates = yield* attempt(() => inputs.candidates.read());
    const pairs = yield* attempt(() => inputs.pairs.read());
    const chosen = yield* choose(judge, select, candidates, pairs, answers, inputs.review);
    yield* attempt(async () => {
      const { negatives, counts } = chosen;
      if (format === "training") {
        const { dataset, counts: filled } = withNegatives(pairs, negatives, {
          negatives: select.negatives ?? 1,
          missing,
          seed: select.seed ?? 42,
        });
        return await writeDataset(scratch, dataset as Dataset<Triplets>, { ...counts, ...filled });
      }
      if (format === "labeled-list") {
        const { dataset, statistics } = toLabelledLists(negatives);
        const lines = dataset.map(({ anchor, documents, labels, scores: values }) =>
          JSON.stringify({ anchor, documents, labels: [...labels], ...(scores && { scores: [...values] }) }) + "\n"
        );
        await Deno.writeTextFile(join(scratch, "lists.jsonl"), lines.join(""));
        await writeJson(join(scratch, "statistics.json"), statistics);
        const anchor = dataset.map((list) => list.anchor);
        const count = Int32Array.from(dataset, (list) => list.documents.length);
        return await writeDataset(scratch, { columns: { anchor, count }, rows: dataset.length }, counts);
      }
      const write = { "triplet": toTriplets, "n-tuple": toTuples, "labeled-pair": toLabelledPairs }[format];
      const { dataset, statistics } = write(negatives, { scores: scores as true });
      await writeJson(join(scratch, "statistics.json"), statistics);
      await writeDataset(scratch, dataset, counts);
    });
  }),
});

type Chosen = { readonly negatives: Candidates; readonly counts: Readonly<Record<string, number>> };

const choose = Effect.fnUntraced(function* (
  judge: NegativeJudge,
  select: SelectOptions,
  candidates: Candidates,
  pairs: Dataset<Pairs>,
  answers: string,
  review: { readonly read: () => Promise<SourceFiles> } | undefined,
) {
  if (judge.by === "scores") {
    const { negatives, skipped } = yield* attemptSync(() => selectNegatives(candidates, select));
    return { negatives, counts: Object.fromEntries(skipped.map(({ by, count }) => [by, count])) } as Chosen;
  }
  if (judge.by === "person") {
    const file = review && (yield* attempt(() => review.read()))[0];
    if (file === undefined) {
      return yield* Effect.fail(new UsageError("--import is required: a person's verdicts", { hint: "--import FILE" }));
    }
    const { negatives, verdicts } = yield* attempt(() => importReview(candidates, file));
    return { negatives, counts: { ...verdicts } } as Chosen;
  }
  return yield* Effect.scoped(Effect.gen(function* () {
    const generate = yield* generateBy(judge.generator, answers);
    const { relation } = judge;
    const wanted = select.negatives ?? 1;
    if (judge.by === "writer") {
      const options = { negatives: wanted, relation, seed: select.seed ?? 42 };
      const { negatives, asked, rejected } = yield* attempt(() => writtenNegatives(pairs, generate, options));
      const counts = Object.entries(rejected).map(([why, count]) => [`rejected_${why}`, count]);
      return { negatives, counts: { asked, ...Object.fromEntries(counts) } } as Chosen;
    }
    const ask = languageModelJudge(generate, { relation });
    const { negatives, verdicts } = yield* attempt(() => judgedNegatives(candidates, ask, { negatives: wanted }));
    return { negatives, counts: { ...verdicts } } as Chosen;
  }));
});
