/**
 * A static model beside its teacher: what each is worth, how large it is, and how fast it encodes.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt } from "../attempt.ts";
import { filesOf } from "../stage/digest.ts";
import type { Columns } from "../data/rows.ts";
import { encodeTexts } from "../embed/encode.ts";
import type { KindredError } from "../error.ts";
import type { CountedDataset, Evaluation, ModelFolder } from "../stage/artifact.ts";
import { TensorEngine } from "../stage/engine.ts";
import { openBiEncoder } from "../stage/models.ts";
import { phase } from "../stage/progress.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import type { EvaluationSet } from "./evaluation.ts";
import type { ReportTable } from "./report.ts";
import { evaluateModel } from "./stages/evaluate.ts";
import { PRIMARY_METRIC } from "./stages/evaluate_rows.ts";
import { baselineOf, baselineRows } from "./without_model.ts";

/** A model of the table. */
export interface Compared {
  /** Its name there. */
  readonly name: string;
  /** The model. */
  readonly model: Artifact<ModelFolder>;
  /** Its evaluation, where there is one already. */
  readonly evaluation?: Artifact<Evaluation> | undefined;
}

/** The name of what the vectors were distilled from, or are compared with. */
export const TEACHER = "teacher";

/** Texts by which speed is measured, and seconds after which it is known. */
const [MOST_TEXTS, ENOUGH] = [2000, 0.5];

/**
 * Rows of a table: a model's metric, its features, its size and its texts per second. Speed is measured here and now, with
 * tokenising, on texts of the evaluation; each model has read some before.
 */
export const compareModels: (
  models: readonly Compared[],
  evaluation: EvaluationSet | undefined,
) => Effect.Effect<ReportTable, KindredError, Services> = Effect.fnUntraced(function* (models, evaluation) {
  const metric = evaluation && PRIMARY_METRIC[evaluation.kind];
  const texts = evaluation === undefined ? SOME_TEXTS : textsOf(yield* valueOf(evaluation.rows));
  const rows: (readonly (string | number | null)[])[] = [];
  for (const { name, model, evaluation: known } of models) {
    const done = known ?? (evaluation &&
      (yield* evaluateModel({ model, rows: evaluation.rows }, { kind: evaluation.kind }, `evaluate-${name}`)));
    const score = done === undefined ? [] : [(yield* valueOf(done)).metrics[metric!] ?? null];
    yield* phase("measuring speed");
    const { width, perSecond } = yield* Effect.scoped(speedOf(model, texts));
    const { folder } = yield* valueOf(model);
    const bytes = yield* attempt(() => weightsOf(folder));
    rows.push([name, ...score, width, Math.round(bytes / 1000), Math.round(perSecond)]);
  }
  if (evaluation !== undefined) {
    const baseline = baselineOf(evaluation.kind, yield* valueOf(evaluation.rows));
    rows.push(...baselineRows(baseline).map((cells) => [...cells, null, null, null]));
  }
  return {
    title: models.some(({ name }) => name === TEACHER) ? "Beside the teacher" : "The vectors and the model",
    columns: ["model", ...(metric === undefined ? [] : [metric]), "features", "kilobytes", "texts per second"],
    rows,
  };
});

const SOME_TEXTS = [
  "a short text",
  "another one that is a little longer than the first",
  "the third text of the three",
];

const isTexts = (column: unknown): column is readonly string[] => Array.isArray(column);

function textsOf({ columns }: CountedDataset<Columns>): readonly string[] {
  const texts = new Set(Object.values(columns).filter(isTexts).flat());
  return [...texts].slice(0, MOST_TEXTS);
}

const speedOf = Effect.fnUntraced(function* (place: Artifact<ModelFolder>, texts: readonly string[]) {
  const engine = yield* (yield* TensorEngine).open;
  const model = yield* openBiEncoder(place);
  return yield* attempt(async () => {
    const { width } = await encodeTexts(engine, model, texts.slice(0, 64));
    let [done, seconds] = [0, 0];
    for (let size = 64; seconds < ENOUGH && done < 1e6; size = Math.min(2 * size, MOST_TEXTS)) {
      const some = Array.from({ length: size }, (_, i) => texts[(done + i) % texts.length]!);
      const started = performance.now();
      await encodeTexts(engine, model, some);
      seconds += (performance.now() - started) / 1000;
      done += size;
    }
    return { width, perSecond: done / seconds };
  });
});

/** Bytes of a folder's weights. */
async function weightsOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const file of await filesOf(folder)) {
    if (file.endsWith(".safetensors")) bytes += (await Deno.stat(file)).size;
  }
  return bytes;
}
