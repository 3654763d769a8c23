/**
 * evaluate: how well a model knows graded pairs, finds what belongs together, or classifies pairs.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { dirname, join } from "node:path";
import { attempt } from "../../attempt.ts";
import { openTensors } from "../../checkpoint/safetensors.ts";
import type { Dataset, ScoredPairs } from "../../data/dataset.ts";
import type { Columns } from "../../data/rows.ts";
import type { KindredError } from "../../error.ts";
import { lossOf, type LossSpec } from "../../loss/named.ts";
import type { Prompts } from "../../model/prompts.ts";
import {
  datasetFormat,
  type Evaluation,
  evaluationFormat,
  type ModelFolder,
  modelFormat,
  type ModelShape,
  writeEmbeddings,
  writeJson,
} from "../../stage/artifact.ts";
import { TensorEngine } from "../../stage/engine.ts";
import { openBiEncoder } from "../../stage/models.ts";
import { phase } from "../../stage/progress.ts";
import { type Artifact, defineStage, type Services, type Stage } from "../../stage/stage.ts";
import { type EvaluateParameters, evaluateRows, type EvaluationKind, type Head } from "./evaluate_rows.ts";
import { guideColumns, type Guides, guidesFormat } from "./guide.ts";

/** The head that was trained beside a model, if there is one; of several data sets that of one, where it has its own. */
async function readHead(folder: string, set: string | undefined): Promise<Head | undefined> {
  const path = join(dirname(folder), "head.safetensors");
  if (!await Deno.stat(path).then(({ isFile }) => isFile, () => false)) return undefined;
  const reader = await openTensors(path);
  try {
    const head: Record<string, Float32Array> = {};
    const prefix = set === undefined ? "" : `${set}/`;
    for (const name of reader.tensors.keys()) {
      if (name.startsWith(prefix)) head[name.slice(prefix.length)] = await reader.readF32(name);
      else if (!name.includes("/")) head[name] ??= await reader.readF32(name);
    }
    return head;
  } finally {
    reader.close();
  }
}

/** The head as training begins with it. */
function newHead(loss: LossSpec, width: number, seed: number): Head {
  return Object.fromEntries(
    Object.entries(lossOf(loss).head?.(width, seed) ?? {}).map(([name, { data }]) => [name, data]),
  );
}

/** Of a model that was trained on several data sets: as what it is measured. */
export interface SetView {
  /** The set whose head tells classes. */
  readonly set?: string | undefined;
  /** The prompts that the set was trained behind, instead of the model's. */
  readonly reads?: Prompts | undefined;
}

const evaluateStage = defineStage<
  ModelShape & EvaluateParameters & SetView & { readonly seed?: number | undefined },
  { model: ModelFolder; rows: Dataset<Columns>; taught?: Guides },
  Evaluation
>({
  name: "evaluate",
  version: 7, // tokens as the reference has them, to the last bit of a score
  inputs: { model: modelFormat, rows: datasetFormat<Columns>(), taught: guidesFormat },
  output: evaluationFormat,
  computes: true,
  draws: ({ kind }) => kind === "classes",
  run: Effect.fnUntraced(function* ({ parameters, inputs, scratch }) {
    const { kind, loss, neighbors, dimensions, seed, set, reads, ...shape } = parameters;
    yield* phase("evaluating");
    const engine = yield* (yield* TensorEngine).open;
    const model = { ...yield* openBiEncoder(inputs.model, shape), ...reads };
    yield* attempt(async () => {
      const { folder } = await inputs.model.read();
      const fresh = loss && newHead(loss, model.width, seed ?? 0);
      const trained = fresh && (await readHead(folder, set));
      const fits = Object.entries(fresh ?? {}).every(([name, { length }]) => trained?.[name]?.length === length);
      const head = fits ? trained : fresh;
      const rows = await inputs.rows.read();
      const { embeddings, similarities, ranks, metrics, cut } = await evaluateRows(engine, model, rows, {
        kind,
        loss,
        neighbors,
        dimensions,
        head,
        taught: (await inputs.taught?.read())?.[0],
      });
      await writeJson(join(scratch, "metrics.json"), {
        metrics,
        similarities: [...similarities],
        ...(ranks !== undefined && { ranks: [...ranks] }),
        ...(cut !== undefined && { cut }),
      });
      await writeEmbeddings(scratch, embeddings);
    });
  }),
});

/** What a teacher says of the texts that a model is measured by, where that is asked; made once for all models. */
export const taughtRows: (
  kind: EvaluationKind,
  teacher: Artifact<ModelFolder> | undefined,
  data: Artifact<Dataset<Columns>>,
) => Effect.Effect<Artifact<Guides> | undefined, KindredError, Services> = Effect.fnUntraced(
  function* (kind, teacher, data) {
    if (teacher === undefined || (kind !== "imitation" && kind !== "translation")) return undefined;
    return yield* guideColumns({ guide: teacher, data }, { columns: "first" });
  },
);

/** The metrics of a model on rows of a kind, the cosine of every pair, and the embeddings of the texts. */
export const evaluateModel: (
  inputs: {
    readonly model: Artifact<ModelFolder>;
    readonly rows: Artifact<Dataset<Columns>>;
    /** Whose embeddings are the aim, for imitation and translation. */
    readonly teacher?: Artifact<ModelFolder> | undefined;
  },
  parameters: ModelShape & EvaluateParameters & SetView & {
    /** Of the head that training begins with. */
    readonly seed?: number | undefined;
  },
  as?: string,
) => Effect.Effect<Artifact<Evaluation>, KindredError, Services> = Effect.fnUntraced(
  function* ({ teacher, ...inputs }, { loss, seed, ...parameters }, as) {
    const classes = parameters.kind === "classes" ? { loss, seed } : {};
    const taught = yield* taughtRows(parameters.kind, teacher, inputs.rows);
    return yield* evaluateStage({ ...inputs, ...(taught && { taught }) }, { ...parameters, ...classes }, as);
  },
);

/** The ten similarity metrics of graded pairs, every pair's cosine, and the embeddings of the sentences. */
export const evaluateSimilarity: Stage<ModelShape, { model: ModelFolder; pairs: Dataset<ScoredPairs> }, Evaluation> =
  Effect.fnUntraced(function* ({ model, pairs }, shape, as) {
    const rows = pairs as Artifact<Dataset<Columns>>;
    return yield* evaluateModel({ model, rows }, { kind: "similarity", ...shape }, as);
  });
