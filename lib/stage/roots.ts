/**
 * What pipelines start from: models and data that no stage made, each with a key.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { attempt } from "../attempt.ts";
import { basesOf } from "../checkpoint/adapter.ts";
import { ownFiles, readJson } from "../checkpoint/folder.ts";
import { locateNamed, type NamedModel } from "../checkpoint/named_adapter.ts";
import { isWordVectorFile, readWordVectors, writeWordVectors } from "../checkpoint/word_vectors.ts";
import { counted } from "../counted.ts";
import { defaultCacheFolder } from "../environment.ts";
import { readCrossEncoderFolder } from "../checkpoint/cross_encoder.ts";
import { sampleBaseModel, samplePairModel } from "../data/sample/models.ts";
import { resolveSource } from "../data/source.ts";
import { type KindredError, UsageError } from "../error.ts";
import { exists } from "../exists.ts";
import { type ModelFolder, modelFormat } from "./artifact.ts";
import { keyOfFiles } from "./digest.ts";
import { type Artifact, artifact, type Format, StageRunner } from "./stage.ts";

/** Files of data, to be read by a load stage. */
export type SourceFiles = readonly string[];

/** The form of files: their paths. */
export const sourceFormat: Format<SourceFiles> = { read: (paths) => Promise.resolve(paths) };

/** The folder of a model on this machine, the commit if it came from the hub, and what an adapter is within. */
async function locate(source: string, cacheFolder: string): Promise<NamedModel> {
  const isFile = await Deno.stat(source).then(({ isFile }) => isFile, () => false);
  if (isFile && isWordVectorFile(source)) return { folder: await wordVectorFolder(source, cacheFolder) };
  return await locateNamed(source, cacheFolder);
}

/**
 * The folder of a model by name: a folder, a file of word vectors, or a model of the hub, which is downloaded; or an adapter
 * within one, named behind a `#`.
 */
export async function modelFolder(source: string): Promise<string> {
  return (await locate(source, defaultCacheFolder())).folder;
}

/** A file of word vectors as a folder of sentence-transformers: read once, and kept in the cache by what is in it. */
async function wordVectorFolder(file: string, cacheFolder: string): Promise<string> {
  const key = await keyOfFiles(cacheFolder, [file]);
  const folder = join(cacheFolder, "word-vectors", key.slice(0, 32));
  if (await ownFiles(folder) !== undefined) return folder;
  const vectors = await readWordVectors(file);
  const told = `${counted(vectors.words.length - 1, "word")} of ${basename(file)}; ${
    counted(vectors.skipped, "line")
  } left out`;
  await Deno.mkdir(dirname(folder), { recursive: true });
  await writeWordVectors(folder, vectors, `# Word vectors\n\n${told}.\n`);
  return folder;
}

/** A model by name, or the sample's where none is given. */
export type ModelOf = (source: string | undefined) => Effect.Effect<Artifact<ModelFolder>, KindredError, StageRunner>;

const modelOr = (sample: typeof sampleBaseModel): ModelOf =>
  Effect.fnUntraced(function* (source) {
    const runner = yield* StageRunner;
    return yield* attempt(async () => {
      const located = source === undefined
        ? { folder: await sample({ cacheDir: runner.folder }) }
        : await locate(source, runner.folder);
      await expectModel(located.folder);
      return artifact(await keyOfModel(located, runner.folder), [located.folder], true, modelFormat);
    });
  });

/** Files of which a folder of a model has at least one. */
const OF_MODELS = ["modules.json", "adapter_config.json"];

/** Refuses a folder of something else before all that is in it is read for its key. */
async function expectModel(folder: string): Promise<void> {
  for (const name of OF_MODELS) if (await exists(join(folder, name))) return;
  await readJson(join(folder, "config.json"));
}

/** The commit, or the hash of the files; of an adapter within a model that of the model, and its name. */
async function keyOfModel({ folder, commit, within }: NamedModel, cacheFolder: string): Promise<string> {
  if (within !== undefined) {
    const whole = await keyOfModel(within, cacheFolder);
    return createHash("sha256").update(`${whole}#${within.adapter}`).digest("hex");
  }
  const bases = await basesOf(folder); // an adapter is a model with them alone
  return bases.length === 0 && commit !== undefined ? commit : await keyOfFiles(cacheFolder, [folder, ...bases]);
}

/** A model by name; without one, the base model of the sample. */
export const model: ModelOf = modelOr(sampleBaseModel);
/** What a cross-encoder starts from, by name; without one, the sample's model that has read pairs. */
export const pairModel: ModelOf = modelOr(samplePairModel);

/** A cross-encoder by name; a model that is none would judge at random, and is refused. */
export const judge: (source: string) => Effect.Effect<Artifact<ModelFolder>, KindredError, StageRunner> = Effect
  .fnUntraced(function* (source) {
    const named = yield* model(source);
    const { isClassifier } = yield* attempt(async () => await readCrossEncoderFolder((await named.read()).folder));
    if (isClassifier) return named;
    return yield* Effect.fail(
      new UsageError("the model is not a cross-encoder", {
        expected: "a sequence classifier, such as pipelines/cross_encoder.ts trains",
        found: source,
        hint: "a bi-encoder goes to --model",
      }),
    );
  });

/** Data by name: a file, a folder, or a dataset of the hub. */
export const source: (name: string) => Effect.Effect<Artifact<SourceFiles>, KindredError, StageRunner> = Effect
  .fnUntraced(function* (name) {
    const runner = yield* StageRunner;
    return yield* attempt(async () => {
      const { paths, version } = await resolveSource(name);
      try {
        return artifact(version ?? await keyOfFiles(runner.folder, paths), paths, true, sourceFormat);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
        throw new UsageError("there is no such data", {
          found: name,
          hint: `name a file or a folder as seen from ${Deno.cwd()}, or owner/name/config#split`,
        });
      }
    });
  });
