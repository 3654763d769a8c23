/**
 * What an encoder that was not tuned is worth beside a model: its tokens averaged, and its first token alone.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import type { PoolingMode } from "../engine/engine.ts";
import type { KindredError } from "../error.ts";
import type { ModelFolder } from "../stage/artifact.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import type { EvaluationSet } from "./evaluation.ts";
import { evaluateModel } from "./stages/evaluate.ts";
import { PRIMARY_METRIC } from "./stages/evaluate_rows.ts";
import type { ReportTable } from "./table_lines.ts";

const POOLINGS: readonly PoolingMode[] = ["mean", "cls"];

/**
 * A table of one metric: of a model, and of an encoder by mean and by cls pooling, on the same rows.
 *
 * @param set Rows.
 * @param model The model's name and itself.
 * @param encoder The encoder's.
 * @returns The best first.
 */
export const besideUntuned: (
  set: EvaluationSet,
  model: readonly [string, Artifact<ModelFolder>],
  encoder: readonly [string, Artifact<ModelFolder>],
) => Effect.Effect<ReportTable, KindredError, Services> = Effect.fnUntraced(
  function* ({ kind, rows }, [name, model], [untuned, encoder]) {
    const metric = PRIMARY_METRIC[kind];
    const measured: (readonly [string, number])[] = [
      [name, (yield* valueOf(yield* evaluateModel({ model, rows }, { kind }))).metrics[metric]!],
    ];
    for (const pooling of POOLINGS) {
      const evaluation = yield* evaluateModel({ model: encoder, rows }, { kind, pooling }, `evaluate-${pooling}`);
      measured.push([`${untuned}, untuned, ${pooling}`, (yield* valueOf(evaluation)).metrics[metric]!]);
    }
    measured.sort(([, a], [, b]) => b - a);
    return { title: "beside an encoder that was not tuned", columns: ["embeddings", metric], rows: measured };
  },
);
