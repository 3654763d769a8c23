/**
 * flatten, embed: a corpus, and every distinct text of it embedded once.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt } from "../../attempt.ts";
import type { Dataset, ScoredPairs } from "../../data/dataset.ts";
import { distinctTexts } from "../../data/texts.ts";
import { roleEncoder } from "../../embed/roles.ts";
import { type EmbeddedTexts, firstOccurrences } from "../../embed/search.ts";
import {
  type CountedDataset,
  datasetFormat,
  embeddingsFormat,
  type ModelFolder,
  modelFormat,
  readJson,
  writeDataset,
  writeEmbeddings,
  writeJson,
} from "../../stage/artifact.ts";
import { TensorEngine } from "../../stage/engine.ts";
import { openBiEncoder } from "../../stage/models.ts";
import { phase } from "../../stage/progress.ts";
import { defineStage, type Stage } from "../../stage/stage.ts";
import type { Texts } from "./load.ts";

/** The texts of pairs, each once. */
export const flattenPairs: Stage<Record<never, never>, { pairs: Dataset<ScoredPairs> }, CountedDataset<Texts>> =
  defineStage<Record<never, never>, { pairs: Dataset<ScoredPairs> }, CountedDataset<Texts>>({
    name: "flatten",
    version: 1,
    inputs: { pairs: datasetFormat<ScoredPairs>() },
    output: datasetFormat<Texts>(),
    run: ({ inputs, scratch }) =>
      attempt(async () => {
        const { sentence1, sentence2 } = (await inputs.pairs.read()).columns;
        const { texts, dropped } = distinctTexts([sentence1, sentence2]);
        await writeDataset(scratch, { columns: { text: texts }, rows: texts.length }, { dropped });
      }),
  });

interface Embedding {
  /** The row of each text in the file: of equal ones, the first. */
  readonly rows: readonly number[];
  /** The texts, each once. */
  readonly texts: readonly string[];
  /** Wall time of tokenising and embedding them. */
  readonly seconds: number;
}

/** A corpus with its embeddings. */
export interface EmbeddedCorpus extends EmbeddedTexts, Embedding {}

/** Settings of {@linkcode embedCorpus}. */
export interface EmbedCorpusParameters {
  /** Tokens that a text may have; longer ones are cut. Default: as the model's folder says. */
  readonly maxSeqLength?: number | undefined;
  /** Features of an embedding that are kept. Default: as the model's folder says. */
  readonly truncateDim?: number | undefined;
}

/** Embeds the distinct texts of a corpus, with the model's prompt for documents if it has one. */
export const embedCorpus: Stage<
  EmbedCorpusParameters,
  { model: ModelFolder; texts: Dataset<Texts> },
  EmbeddedCorpus
> = defineStage<EmbedCorpusParameters, { model: ModelFolder; texts: Dataset<Texts> }, EmbeddedCorpus>({
  name: "embed",
  version: 5, // tokens as the reference has them, to the last bit of a score
  inputs: { model: modelFormat, texts: datasetFormat<Texts>() },
  output: {
    read: async (paths) => ({
      ...await readJson<Embedding>(join(paths[0]!, "texts.json")),
      embeddings: await embeddingsFormat.read(paths),
    }),
  },
  computes: true,
  run: Effect.fnUntraced(function* ({ parameters, inputs, scratch }) {
    yield* phase("embedding the corpus");
    const engine = yield* (yield* TensorEngine).open;
    const model = yield* openBiEncoder(inputs.model, parameters);
    yield* attempt(async () => {
      const { text } = (await inputs.texts.read()).columns;
      const rows = firstOccurrences(text);
      const texts = Array.from(rows, (row) => text[row]!);
      const started = performance.now();
      const embeddings = await roleEncoder(engine, model)(texts, "document");
      const seconds = (performance.now() - started) / 1000;
      await writeJson(join(scratch, "texts.json"), { rows: [...rows], texts, seconds });
      await writeEmbeddings(scratch, embeddings);
    });
  }),
});
