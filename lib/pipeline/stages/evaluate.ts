/**
 * evaluate: how well a model's similarities agree with graded pairs.
 *
 * @module
 */
import { Effect } from "effect";
import { join } from "node:path";
import { attempt } from "../../attempt.ts";
import type { Dataset, ScoredPairs } from "../../data/dataset.ts";
import type { Engine } from "../../engine/engine.ts";
import { encodeTexts } from "../../embed/encode.ts";
import { type Embeddings, pairwiseSimilarities, rowsOf } from "../../embed/pairwise.ts";
import { similarityMetrics } from "../../evaluate/similarity.ts";
import { type BiEncoder, freeBiEncoder, loadBiEncoder } from "../../model/bi_encoder.ts";
import type { Metrics } from "../../train/record.ts";
import {
  datasetFormat,
  type Evaluation,
  evaluationFormat,
  type ModelFolder,
  modelFormat,
  writeEmbeddings,
  writeJson,
} from "../../stage/artifact.ts";
import { TensorEngine } from "../../stage/engine.ts";
import { phase } from "../../stage/progress.ts";
import { defineStage, type Stage } from "../../stage/stage.ts";
import type { ModelShape } from "../../stage/artifact.ts";

/** The ten similarity metrics of graded pairs, every pair's cosine, and the embeddings of the sentences. */
export const evaluateSimilarity: Stage<ModelShape, { model: ModelFolder; pairs: Dataset<ScoredPairs> }, Evaluation> =
  defineStage<ModelShape, { model: ModelFolder; pairs: Dataset<ScoredPairs> }, Evaluation>({
    name: "evaluate",
    version: 2, // exactly the reference's tokens
    inputs: { model: modelFormat, pairs: datasetFormat<ScoredPairs>() },
    output: evaluationFormat,
    computes: true,
    run: Effect.fnUntraced(function* ({ parameters, inputs, scratch }) {
      yield* phase("evaluating");
      const engine = yield* (yield* TensorEngine).open;
      yield* attempt(async () => {
        const { folder } = await inputs.model.read();
        const model = await loadBiEncoder(engine, folder, parameters);
        const { metrics, similarities, embeddings } = await evaluatePairs(engine, model, await inputs.pairs.read());
        freeBiEncoder(engine, model);
        await writeJson(join(scratch, "metrics.json"), { metrics, similarities: [...similarities] });
        await writeEmbeddings(scratch, embeddings);
      });
    }),
  });

/** The distinct sentences of pairs, in order of first occurrence, and the place of each sentence among them. */
export function sentencesOf({ columns }: Dataset<ScoredPairs>): {
  readonly sentences: readonly string[];
  readonly first: Int32Array;
  readonly second: Int32Array;
} {
  const places = new Map<string, number>();
  const placeOf = (text: string) => {
    const known = places.get(text);
    if (known !== undefined) return known;
    places.set(text, places.size);
    return places.size - 1;
  };
  const first = Int32Array.from(columns.sentence1, placeOf);
  const second = Int32Array.from(columns.sentence2, placeOf);
  return { sentences: [...places.keys()], first, second };
}

/** The metrics of a model that is loaded already. Every distinct sentence is embedded once. */
export async function evaluatePairs(
  engine: Engine,
  model: BiEncoder,
  pairs: Dataset<ScoredPairs>,
): Promise<{ metrics: Metrics; similarities: Float64Array; embeddings: Embeddings }> {
  const { sentences, first, second } = sentencesOf(pairs);
  const embeddings = await encodeTexts(engine, model, sentences);
  const [a, b] = [rowsOf(embeddings, first), rowsOf(embeddings, second)];
  const metrics = similarityMetrics(a, b, pairs.columns.score);
  return { metrics, similarities: pairwiseSimilarities(a, b).cosine, embeddings };
}
