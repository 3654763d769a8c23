/**
 * retrieval-sets: a corpus with queries and judgements as evaluation rows; and rows of every form, as the source says.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt } from "../../attempt.ts";
import type { LabelledPairs, Pairs, ScoredPairs, Triplets } from "../../data/dataset.ts";
import { type RetrievalRows, retrievalRows } from "../../data/retrieval_sets.ts";
import type { KindredError } from "../../error.ts";
import {
  filesOfTask,
  isTaskFile,
  layoutOf,
  readRetrievalSets,
  readRetrievalTask,
} from "../../evaluate/retrieval_folder.ts";
import { isDatasetFile } from "../../evaluate/mteb/files.ts";
import { fetchSnapshot } from "../../hub/snapshot.ts";
import { type CountedDataset, datasetFormat, writeDataset } from "../../stage/artifact.ts";
import { keyOfFiles } from "../../stage/digest.ts";
import { phase } from "../../stage/progress.ts";
import { type SourceFiles, sourceFormat } from "../../stage/roots.ts";
import { type Artifact, artifact, defineStage, type Services, StageRunner } from "../../stage/stage.ts";
import { loadEvaluationRows, type RowsOptions } from "./load.ts";

/** The data set of the hub that `nanobeir` names: that of sentence-transformers' evaluator. */
export const NANO_BEIR_ID = "sentence-transformers/NanoBEIR-en";

/** A source of sets, taken apart. */
interface SetsSource {
  /** A folder or a file; undefined: of the hub. */
  readonly path?: string;
  /** A data set of the hub, and its revision. */
  readonly hub?: { readonly id: string; readonly revision: string };
  /** After #, with commas between. */
  readonly sets?: readonly string[] | undefined;
}

/**
 * `nanobeir`, `owner/NanoBEIR-…[@revision]` and `beir:owner/name` of the hub; a folder of one of the two layouts; a task's
 * file. Each may be followed by `#set,set`. Undefined where a source is none of them.
 */
export async function setsSource(source: string): Promise<SetsSource | undefined> {
  const [place = "", named] = source.split(/#([\w.,-]+)$/);
  const sets = named?.split(",").filter((name) => name !== "");
  if (await isTaskFile(place)) return { path: place };
  if (await layoutOf(place) !== undefined) return { path: place, sets };
  if (place.toLowerCase() === "nanobeir") return { hub: { id: NANO_BEIR_ID, revision: "main" }, sets };
  const hub = /^(?:hub:|beir:)?([\w.-]+\/[\w.-]+)(?:@([\w./-]+))?$/.exec(place);
  if (hub === null || !(place.startsWith("beir:") || /nanobeir/i.test(hub[1]!))) return undefined;
  return { hub: { id: hub[1]!, revision: hub[2] ?? "main" }, sets };
}

interface SetsParameters {
  /** Which sets of NanoBEIR, or which split of BEIR. */
  readonly sets?: readonly string[] | undefined;
}

const readSets = defineStage<SetsParameters, { source: SourceFiles }, CountedDataset<RetrievalRows>>({
  name: "retrieval-sets",
  version: 1,
  inputs: { source: sourceFormat },
  output: datasetFormat<RetrievalRows>(),
  run: ({ parameters, inputs, scratch }) =>
    attempt(async () => {
      const [path] = await inputs.source.read();
      const isFolder = (await Deno.stat(path!)).isDirectory;
      const sets = isFolder ? await readRetrievalSets(path!, parameters) : await readRetrievalTask(path!);
      const sum = (count: (set: typeof sets[number]) => number) => sets.reduce((all, set) => all + count(set), 0);
      await writeDataset(scratch, retrievalRows(sets), {
        dropped: 0,
        named: sets.some(({ name }) => name !== "") ? 1 : 0,
        sets: sets.length,
        queries: sum(({ queries }) => queries.length),
        documents: sum(({ documents }) => documents.length),
        judgements: sum(({ relevant }) => relevant.reduce((all, { length }) => all + length, 0)),
      });
    }),
});

/** The sets of a source; undefined where it is of another form. */
export const loadRetrievalSets: (
  source: string,
) => Effect.Effect<Artifact<CountedDataset<RetrievalRows>> | undefined, KindredError, Services> = Effect.fnUntraced(
  function* (source) {
    const from = yield* attempt(() => setsSource(source));
    if (from === undefined) return undefined;
    yield* phase("loading");
    const { folder } = yield* StageRunner;
    const files = yield* attempt(async () => {
      if (from.path !== undefined) {
        const isFolder = (await Deno.stat(from.path)).isDirectory;
        const paths = isFolder ? [from.path] : await filesOfTask(from.path);
        return artifact(await keyOfFiles(folder, paths), paths, true, sourceFormat);
      }
      const { id, revision } = from.hub!;
      const snapshot = await fetchSnapshot({ kind: "dataset", id, revision }, { wanted: isDatasetFile });
      return artifact(snapshot.commit, [snapshot.folder], true, sourceFormat);
    });
    return yield* readSets({ source: files }, { sets: from.sets });
  },
);

/** Rows to evaluate on, as the source and its columns say: see {@linkcode loadRetrievalSets}, `loadEvaluationRows`. */
export const loadEvaluation: (
  options: RowsOptions,
) => Effect.Effect<
  Artifact<CountedDataset<ScoredPairs | LabelledPairs | Pairs | Triplets>>,
  KindredError,
  Services
> = Effect.fnUntraced(function* (options) {
  const sets = options.from === undefined ? undefined : yield* loadRetrievalSets(options.from);
  if (sets === undefined) return yield* loadEvaluationRows(options);
  // Whoever reads them asks for their columns first.
  return sets as unknown as Artifact<CountedDataset<Pairs>>;
});
