/**
 * distil, random-vectors, prune: static embeddings before they are trained.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt } from "../../attempt.ts";
import { writeJson } from "../../checkpoint/folder.ts";
import { counted } from "../../counted.ts";
import type { Dataset } from "../../data/dataset.ts";
import { folderTokenizer } from "../../model/model_tokenizer.ts";
import { readFolder } from "../../checkpoint/sentence_transformers.ts";
import { datasetFormat, jsonFormat, type ModelFolder, modelFormat } from "../../stage/artifact.ts";
import { TensorEngine } from "../../stage/engine.ts";
import { phase } from "../../stage/progress.ts";
import { defineStage, type Format, type Stage } from "../../stage/stage.ts";
import { countTokens, distill, pruneTable, randomTable, readStaticTable, writeStaticFolder } from "../../static/mod.ts";
import { modelCard } from "../../train/model_card.ts";
import type { Texts } from "./load.ts";

/** A static model, and what it was made of. */
export interface StaticModel extends ModelFolder {
  /** Its tokens. */
  readonly tokens: number;
  /** Features of a token's row. */
  readonly width: number;
  /** Tokens before pruning; otherwise those that it has. */
  readonly of: number;
  /** Share of the teacher's variance that the components hold; 1 where none were taken. */
  readonly explained: number;
}

const facts = jsonFormat<Omit<StaticModel, "folder">>("static.json");

/** The form of a static model: its folder, and what it was made of. */
export const staticFormat: Format<StaticModel> = {
  read: async (paths) => ({ ...await facts.read(paths), ...await modelFormat.read(paths) }),
};

/** How an encoder is distilled; what is left out is as in model2vec. */
export interface DistilParameters {
  /** Features of a row at most, by principal components; 0: none. Default 256. */
  readonly pcaDims?: number | undefined;
  /** How little frequent tokens weigh; 0: all the same. Default 1e-4. */
  readonly sifCoefficient?: number | undefined;
  /** What of a token's own sequence becomes its row. Default mean. */
  readonly pooling?: "mean" | "cls" | "lasttoken" | undefined;
}

/** What is distilled. */
export interface DistilInputs {
  /** The encoder. */
  readonly teacher: ModelFolder;
  /** Words that become tokens of their own. */
  readonly words?: Dataset<Texts>;
}

/** Distils an encoder into static embeddings, see `distill`. */
export const distilStatic: Stage<DistilParameters, DistilInputs, StaticModel> = defineStage<
  DistilParameters,
  DistilInputs,
  StaticModel
>({
  name: "distil",
  version: 3, // tokens as the reference has them, to the last bit of a score
  inputs: { teacher: modelFormat, words: datasetFormat<Texts>() },
  output: staticFormat,
  computes: true,
  run: Effect.fnUntraced(function* ({ parameters, inputs, scratch }) {
    yield* phase("distilling");
    const engine = yield* (yield* TensorEngine).open;
    yield* attempt(async () => {
      const { folder } = await inputs.teacher.read();
      const vocabulary = (await inputs.words?.read())?.columns.text;
      const { tokens, explained, ...table } = await distill(engine, folder, { ...parameters, vocabulary });
      const { pcaDims = 256, sifCoefficient = 1e-4, pooling = "mean" } = parameters;
      await writeStaticFolder(join(scratch, "model"), table, {
        modelCard: modelCard({
          title: "Static embeddings",
          story: `Distilled by Kindred from an encoder, as model2vec distils: a row for each of ${
            counted(tokens, "token")
          }.`,
          settings: {},
        }),
        origin: { apply_pca: pcaDims === 0 ? null : pcaDims, sif_coefficient: sifCoefficient || null, pooling },
      });
      await writeJson(join(scratch, "static.json"), { tokens, width: table.width, of: tokens, explained });
    });
  }),
});

/** How vectors are drawn. */
export interface RandomParameters {
  /** Features of a row. Default 1024. */
  readonly width?: number | undefined;
  /** Seed. */
  readonly seed: number;
}

/** Vectors at random for the tokens of a model's tokenizer. */
export const randomStatic: Stage<RandomParameters, { readonly tokenizer: ModelFolder }, StaticModel> = defineStage<
  RandomParameters,
  { readonly tokenizer: ModelFolder },
  StaticModel
>({
  name: "random-vectors",
  version: 1,
  inputs: { tokenizer: modelFormat },
  output: staticFormat,
  draws: true,
  run: ({ parameters, inputs, scratch }) =>
    attempt(async () => {
      const { folder } = await inputs.tokenizer.read();
      const table = randomTable(await folderTokenizer(await readFolder(folder)), parameters);
      const tokens = table.rows.length / table.width;
      const story = `${counted(tokens, "vector")} at random, made by Kindred to be trained.`;
      await writeStaticFolder(join(scratch, "model"), table, {
        modelCard: modelCard({ title: "Static embeddings", story, settings: {} }),
      });
      await writeJson(join(scratch, "static.json"), { tokens, width: table.width, of: tokens, explained: 1 });
    }),
});

/** How a vocabulary is pruned. */
export interface PruneParameters {
  /** A token stays that stands so often in the texts, at least. Default 1. */
  readonly minCount?: number | undefined;
}

/** What is pruned, and by which texts. */
export interface PruneInputs {
  /** A static model. */
  readonly model: ModelFolder;
  /** Texts whose tokens it keeps. */
  readonly texts: Dataset<Texts>;
}

/** Keeps the tokens of a static model that texts have, see `pruneTable`. */
export const pruneStatic: Stage<PruneParameters, PruneInputs, StaticModel> = defineStage<
  PruneParameters,
  PruneInputs,
  StaticModel
>({
  name: "prune-vocabulary",
  version: 3, // tokens as the reference has them, to the last bit of a score
  inputs: { model: modelFormat, texts: datasetFormat<Texts>() },
  output: staticFormat,
  run: ({ parameters, inputs, scratch }) =>
    attempt(async () => {
      const { folder } = await inputs.model.read();
      const [table, read] = [await readStaticTable(folder), await readFolder(folder)];
      const { bareIds } = await folderTokenizer(read);
      const counts = await countTokens(bareIds, (await inputs.texts.read()).columns.text);
      const { tokens, of, ...pruned } = pruneTable(table, counts, parameters);
      const { model_type: _, architectures: __, ...origin } = Object(read.config["model2vec"]);
      const story = `${counted(tokens, "token")} of ${of}, those of a corpus, kept by Kindred.`;
      await writeStaticFolder(join(scratch, "model"), pruned, {
        modelCard: modelCard({ title: "Static embeddings", story, settings: {} }),
        origin: {
          ...origin,
          vocabulary_quantization: undefined,
          embedding_dtype: "float32",
          normalize: table.normalize,
        },
      });
      await writeJson(join(scratch, "static.json"), { tokens, width: table.width, of, explained: 1 });
    }),
});
