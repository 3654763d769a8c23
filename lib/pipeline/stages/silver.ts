/**
 * pairs, silver, balance, merge: from gold pairs to more pairs that a cross-encoder has labelled.
 *
 * @module
 */
import { Effect } from "effect";
import { join } from "node:path";
import { attempt } from "../../attempt.ts";
import { sampleByClass, sampleByDensity } from "../../augment/balance.ts";
import { bm25Pairs, joinPairs, recombinePairs, semanticPairs } from "../../augment/pair_sampling.ts";
import type { SentencePairs } from "../../augment/pairs.ts";
import { mergeGoldSilver, type SilverAgreement, silverAgreement, silverPairs } from "../../augment/silver.ts";
import type { Dataset, ScoredPairs } from "../../data/dataset.ts";
import { selectRows } from "../../data/rows.ts";
import { predict } from "../../evaluate/cross_encoder.ts";
import { encodeTexts } from "../../embed/encode.ts";
import {
  type CountedDataset,
  datasetFormat,
  jsonFormat,
  type ModelFolder,
  modelFormat,
  writeDataset,
  writeJson,
} from "../../stage/artifact.ts";
import { TensorEngine } from "../../stage/engine.ts";
import { openBiEncoder, openCrossEncoder } from "../../stage/models.ts";
import { phase } from "../../stage/progress.ts";
import { defineStage, type Stage } from "../../stage/stage.ts";

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
  version: 3, // first words' tokens as the reference has them
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
}

/** Labels pairs by a cross-encoder. */
export const labelSilver: Stage<
  SilverParameters,
  { model: ModelFolder; pairs: Dataset<SentencePairs> },
  CountedDataset<ScoredPairs>
> = defineStage<
  SilverParameters,
  { model: ModelFolder; pairs: Dataset<SentencePairs> },
  CountedDataset<ScoredPairs>
>({
  name: "silver",
  version: 3, // first words' tokens as the reference has them
  inputs: { model: modelFormat, pairs: datasetFormat<SentencePairs>() },
  output: datasetFormat<ScoredPairs>(),
  computes: true,
  run: Effect.fnUntraced(function* ({ parameters: { labels }, inputs, scratch }) {
    yield* phase("labelling");
    const engine = yield* (yield* TensorEngine).open;
    const model = yield* openCrossEncoder(inputs.model);
    yield* attempt(async () => {
      const pairs = await inputs.pairs.read();
      const { sentence1, sentence2 } = pairs.columns;
      const outputs = await predict(engine, model, sentence1, sentence2, { softmax: true });
      const silver = silverPairs(pairs, outputs, { labels });
      const similar = silver.columns.score.reduce((count, score) => count + (score > 0.5 ? 1 : 0), 0);
      await writeDataset(scratch, silver, { similar });
    });
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
