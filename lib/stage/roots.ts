/**
 * What pipelines start from: models and data that no stage made, each with a key.
 *
 * @module
 */
import { Effect } from "effect";
import { basename, dirname, join } from "node:path";
import { attempt } from "../attempt.ts";
import { ownFiles } from "../checkpoint/folder.ts";
import { isWordVectorFile, readWordVectors, writeWordVectors } from "../checkpoint/word_vectors.ts";
import { counted } from "../counted.ts";
import { defaultCacheFolder } from "../environment.ts";
import { readCrossEncoderFolder } from "../checkpoint/cross_encoder.ts";
import { sampleBaseModel, samplePairModel } from "../data/sample/models.ts";
import { resolveSource } from "../data/source.ts";
import { type KindredError, UsageError } from "../error.ts";
import { fetchSnapshot, modelFiles } from "../hub/snapshot.ts";
import { type ModelFolder, modelFormat } from "./artifact.ts";
import { keyOfFiles } from "./digest.ts";
import { type Artifact, artifact, type Format, StageRunner } from "./stage.ts";

/** Files of data, to be read by a load stage. */
export type SourceFiles = readonly string[];

/** The form of files: their paths. */
export const sourceFormat: Format<SourceFiles> = { read: (paths) => Promise.resolve(paths) };

/** The folder of a model on this machine, and the commit if it came from the hub. */
async function locate(source: string, cacheFolder: string): Promise<{ folder: string; commit?: string }> {
  const found = await Deno.stat(source).catch(() => undefined);
  if (found?.isDirectory) return { folder: source };
  if (found?.isFile && isWordVectorFile(source)) return { folder: await wordVectorFolder(source, cacheFolder) };
  if (!/^(hub:)?\w[\w.-]*\/\w[\w.-]*(@[\w./-]+)?$/.test(source)) {
    throw new UsageError("there is no such model", {
      found: source,
      hint: "name a folder, a file of word vectors (.txt, .vec), or a model of the hub as owner/name",
    });
  }
  const [id, revision = "main"] = source.replace(/^hub:/, "").split("@");
  return await fetchSnapshot({ kind: "model", id: id!, revision }, { wanted: modelFiles });
}

/** The folder of a model by name: a folder, a file of word vectors, or a model of the hub, which is downloaded. */
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
      const { folder, commit } = source === undefined
        ? { folder: await sample({ cacheDir: runner.folder }), commit: undefined }
        : await locate(source, runner.folder);
      return artifact(commit ?? await keyOfFiles(runner.folder, [folder]), [folder], true, modelFormat);
    });
  });

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
          hint: "name a file, a folder, or owner/name/config#split",
        });
      }
    });
  });
