/**
 * both-ways, pairs, silver, confident, balance, merge: from gold pairs to more pairs that a cross-encoder has labelled.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt } from "../../attempt.ts";
import { sampleByClass, sampleByDensity } from "../../augment/balance.ts";
import { bm25Pairs, joinPairs, recombinePairs, semanticPairs } from "../../augment/pair_sampling.ts";
import type { SentencePairs } from "../../augment/pairs.ts";
import {
  type CrossEncoderOutputs,
  meanOutputs,
  mergeGoldSilver,
  type SilverAgreement,
  silverAgreement,
  silverConfidence,
  silverPairs,
} from "../../augment/silver.ts";
import { similarClass } from "../../checkpoint/cross_encoder.ts";
import type { Dataset, ScoredPairs } from "../../data/dataset.ts";
import { selectRows } from "../../data/rows.ts";
import type { Engine } from "../../engine/engine.ts";
import { UsageError } from "../../error.ts";
import { predict } from "../../evaluate/cross_encoder.ts";
import type { CrossEncoder } from "../../model/cross_encoder.ts";
import { encodeTexts } from "../../embed/encode.ts";
import {
  type CountedDataset,
  datasetFormat,
  jsonFormat,
  type ModelFolder,
  modelFormat,
  readJson,
  writeDataset,
  writeJson,
} from "../../stage/artifact.ts";
import { TensorEngine } from "../../stage/engine.ts";
import { openBiEncoder, openCrossEncoder } from "../../stage/models.ts";
import { phase } from "../../stage/progress.ts";
import { defineStage, type Format, type Stage } from "../../stage/stage.ts";

/**
 * Every pair, and every pair turned round with the same score: similarity does not ask which sentence is the first, and a
 * cross-encoder that has seen both orders is the better judge of either.
 */
export const bothWays: Stage<
  Record<never, never>,
  { pairs: Dataset<ScoredPairs> },
  CountedDataset<ScoredPairs>
> = defineStage<Record<never, never>, { pairs: Dataset<ScoredPairs> }, CountedDataset<ScoredPairs>>({
  name: "both-ways",
  version: 1,
  inputs: { pairs: datasetFormat<ScoredPairs>() },
  output: datasetFormat<ScoredPairs>(),
  run: ({ inputs, scratch }) =>
    attempt(async () => {
      const { columns: { sentence1, sentence2, score }, rows } = await inputs.pairs.read();
      const twice = new Float64Array(2 * rows);
      twice.set(score);
      twice.set(score, rows);
      const columns = {
        sentence1: [...sentence1, ...sentence2],
        sentence2: [...sentence2, ...sentence1],
        score: twice,
      };
      await writeDataset(scratch, { columns, rows: 2 * rows });
    }),
});

/** Where unlabelled pairs come from when none are given. */
export interface PairParameters {
  /** Which pairs of gold sentences: at random, the nearest by words, by a pretrained encoder, or by both. */
  readonly from: "recombine" | "bm25" | "semantic" | "bm25+semantic";
  /** Random pairs for each gold pair. */
  readonly pairsPerGold: number;
  /** Nearest sentences of each sentence. */
  readonly topK: number;
  /** Which random pairs. */
  readonly seed: number;
}

/** Unlabelled pairs of the gold sentences; none is a gold pair, a pair of equals, or another one turned round. */
export const samplePairs: Stage<
  PairParameters,
  { gold: Dataset<ScoredPairs>; model: ModelFolder },
  CountedDataset<SentencePairs>
> = defineStage<PairParameters, { gold: Dataset<ScoredPairs>; model: ModelFolder }, CountedDataset<SentencePairs>>({
  name: "pairs",
  version: 4, // tokens as the reference has them, to the last bit of a score
  inputs: { gold: datasetFormat<ScoredPairs>(), model: modelFormat },
  output: datasetFormat<SentencePairs>(),
  computes: ({ from }) => from.endsWith("semantic"),
  draws: ({ from }) => from === "recombine",
  run: Effect.fnUntraced(function* ({ parameters: { from, pairsPerGold, topK, seed }, inputs, scratch }) {
    const gold = yield* attempt(() => inputs.gold.read());
    const samples = [];
    if (from === "recombine") samples.push(recombinePairs(gold, { seed, pairsPerGold }));
    if (from.startsWith("bm25")) samples.push(yield* attempt(() => bm25Pairs(gold, { topK })));
    if (from.endsWith("semantic")) {
      const engine = yield* (yield* TensorEngine).open;
      const model = yield* openBiEncoder(inputs.model);
      const embed = (texts: readonly string[]) => encodeTexts(engine, model, texts);
      samples.push(yield* attempt(() => semanticPairs(engine, gold, embed, { topK })));
    }
    const { dataset, counts } = samples.length === 1 ? samples[0]! : joinPairs(gold, samples);
    yield* attempt(() => writeDataset(scratch, dataset, { ...counts }));
  }),
});

/** Settings of {@linkcode labelSilver}. */
export interface SilverParameters {
  /** The likelier class, or its probability. */
  readonly labels: "hard" | "soft";
  /** Reads each pair in both orders, and takes the mean: for similarities, not for what follows from what. Default false. */
  readonly bothWays?: boolean | undefined;
}

/** Pairs with the labels of a cross-encoder, and how sure it is of each. */
export interface SilverPairs extends CountedDataset<ScoredPairs> {
  /** [rows] from 0 to 1, see `silverConfidence`. */
  readonly confidence: readonly number[];
}

const silverFormat: Format<SilverPairs> = {
  read: async (paths) => ({
    ...await datasetFormat<ScoredPairs>().read(paths),
    confidence: await readJson<number[]>(join(paths[0]!, "confidence.json")),
  }),
};

/** What a model says of pairs, as probabilities. Scores that leave [0, 1] are logits, as of a model trained to rank. */
async function judged(
  engine: Engine,
  model: CrossEncoder,
  first: readonly string[],
  second: readonly string[],
): Promise<CrossEncoderOutputs> {
  const outputs = await predict(engine, model, first, second, { softmax: true });
  if (outputs.width > 1 || outputs.data.every((value) => value >= 0 && value <= 1)) return outputs;
  return { ...outputs, data: outputs.data.map((value) => 1 / (1 + Math.exp(-value))) };
}

const countSimilar = (scores: Float64Array) => scores.reduce((count, score) => count + (score > 0.5 ? 1 : 0), 0);

/** Labels pairs by a cross-encoder: of several classes, the one that is named after entailment means "similar". */
export const labelSilver: Stage<
  SilverParameters,
  { model: ModelFolder; pairs: Dataset<SentencePairs> },
  SilverPairs
> = defineStage<
  SilverParameters,
  { model: ModelFolder; pairs: Dataset<SentencePairs> },
  SilverPairs
>({
  name: "silver",
  version: 5, // tokens as the reference has them, to the last bit of a score
  inputs: { model: modelFormat, pairs: datasetFormat<SentencePairs>() },
  output: silverFormat,
  computes: true,
  run: Effect.fnUntraced(function* ({ parameters: { labels, bothWays = false }, inputs, scratch }) {
    yield* phase("labelling");
    const engine = yield* (yield* TensorEngine).open;
    const model = yield* openCrossEncoder(inputs.model, { requireHead: true });
    yield* attempt(async () => {
      const positive = similarClass(model.config, model.labels);
      if (positive === undefined) {
        throw new UsageError("nothing says which class of the judge means that two sentences are similar", {
          expected: "one that is named after entailment, or two classes, or one score",
          found: `${model.labels} classes: ${JSON.stringify(model.config["id2label"] ?? null)}`,
          hint: "name them in id2label of its config.json",
        });
      }
      const pairs = await inputs.pairs.read();
      const { sentence1, sentence2 } = pairs.columns;
      const outputs = await judged(engine, model, sentence1, sentence2);
      const turned = bothWays ? await judged(engine, model, sentence2, sentence1) : undefined;
      const said = turned === undefined ? outputs : meanOutputs(outputs, turned);
      const silver = silverPairs(pairs, said, { labels, positive });
      await writeDataset(scratch, silver, { similar: countSimilar(silver.columns.score) });
      await writeJson(join(scratch, "confidence.json"), [...silverConfidence(outputs, turned, { positive })]);
    });
  }),
});

/** The silver pairs of which the judge is sure enough; the others are counted as `unsure`. */
export const keepConfident: Stage<
  { readonly minConfidence: number },
  { silver: SilverPairs },
  CountedDataset<ScoredPairs>
> = defineStage<{ readonly minConfidence: number }, { silver: SilverPairs }, CountedDataset<ScoredPairs>>({
  name: "confident",
  version: 1,
  inputs: { silver: silverFormat },
  output: datasetFormat<ScoredPairs>(),
  run: ({ parameters: { minConfidence }, inputs, scratch }) =>
    attempt(async () => {
      const { confidence, columns, rows } = await inputs.silver.read();
      const sure = Int32Array.from(confidence.keys()).filter((row) => confidence[row]! >= minConfidence);
      const kept = selectRows({ columns, rows }, sure);
      await writeDataset(scratch, kept, { similar: countSimilar(kept.columns.score), unsure: rows - sure.length });
    }),
});

/** Silver pairs whose labels are distributed as those of the gold ones (what the paper calls KDE). */
export const balanceSilver: Stage<
  { readonly seed: number },
  { gold: Dataset<ScoredPairs>; silver: Dataset<ScoredPairs> },
  CountedDataset<ScoredPairs>
> = defineStage<
  { readonly seed: number },
  { gold: Dataset<ScoredPairs>; silver: Dataset<ScoredPairs> },
  CountedDataset<ScoredPairs>
>({
  name: "balance",
  version: 1,
  inputs: { gold: datasetFormat<ScoredPairs>(), silver: datasetFormat<ScoredPairs>() },
  output: datasetFormat<ScoredPairs>(),
  draws: true,
  run: ({ parameters: { seed }, inputs, scratch }) =>
    attempt(async () => {
      const [gold, silver] = [await inputs.gold.read(), await inputs.silver.read()];
      const scores = silver.columns.score;
      const classes = scores.every((score) => score === 0 || score === 1);
      const rows = classes
        ? sampleByClass(gold.columns.score, scores, { seed })
        : (await sampleByDensity(gold.columns.score, scores, { seed })).rows;
      await writeDataset(scratch, selectRows(silver, rows), { dropped: silver.rows - rows.length });
    }),
});

/** Gold and silver pairs together; of repeated pairs the first, so gold before silver. */
export const mergePairs: Stage<
  Record<never, never>,
  { gold: Dataset<ScoredPairs>; silver: Dataset<ScoredPairs> },
  CountedDataset<ScoredPairs>
> = defineStage<
  Record<never, never>,
  { gold: Dataset<ScoredPairs>; silver: Dataset<ScoredPairs> },
  CountedDataset<ScoredPairs>
>({
  name: "merge",
  version: 1,
  inputs: { gold: datasetFormat<ScoredPairs>(), silver: datasetFormat<ScoredPairs>() },
  output: datasetFormat<ScoredPairs>(),
  run: ({ inputs, scratch }) =>
    attempt(async () => {
      const { dataset, counts } = mergeGoldSilver(await inputs.gold.read(), await inputs.silver.read());
      const { gold, silver, dropped } = counts;
      await writeDataset(scratch, dataset, { gold, silver, dropped: dropped.gold + dropped.silver });
    }),
});

/** How far silver labels agree with the truth about the same pairs, where it is known. */
export const compareSilver: Stage<
  Record<never, never>,
  { silver: Dataset<ScoredPairs>; truth: Dataset<ScoredPairs> },
  SilverAgreement
> = defineStage<
  Record<never, never>,
  { silver: Dataset<ScoredPairs>; truth: Dataset<ScoredPairs> },
  SilverAgreement
>({
  name: "compare-silver",
  version: 1,
  inputs: { silver: datasetFormat<ScoredPairs>(), truth: datasetFormat<ScoredPairs>() },
  output: jsonFormat<SilverAgreement>("agreement.json"),
  run: ({ inputs, scratch }) =>
    attempt(async () => {
      const [silver, truth] = [await inputs.silver.read(), await inputs.truth.read()];
      await writeJson(join(scratch, "agreement.json"), silverAgreement(silver.columns.score, truth.columns.score));
    }),
});
