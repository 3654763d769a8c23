/**
 * Models that are open as long as the scope around them: a stage's, say. Their memory on the device is given back with
 * it, also where the stage fails or is interrupted.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import { attempt } from "../attempt.ts";
import type { Engine } from "../engine/engine.ts";
import type { KindredError } from "../error.ts";
import {
  type BiEncoder,
  freeBiEncoder,
  hasLayers,
  loadBiEncoder,
  type LoadBiEncoderOptions,
} from "../model/bi_encoder.ts";
import {
  type CrossEncoder,
  freeCrossEncoder,
  loadCrossEncoder,
  type LoadCrossEncoderOptions,
} from "../model/cross_encoder.ts";
import type { ModelFolder } from "./artifact.ts";
import { TensorEngine } from "./engine.ts";
import { emit, type Progress } from "./progress.ts";

/** A folder, or the handle of a model. */
export type ModelPlace = string | { readonly read: () => Promise<ModelFolder> };

const folderOf = async (place: ModelPlace) => typeof place === "string" ? place : (await place.read()).folder;

/** What is open on the engine until the scope closes. */
export type Opened<A> = Effect.Effect<A, KindredError, TensorEngine | Scope.Scope>;

/**
 * Anything on the engine that must be freed.
 *
 * @param load Makes it.
 * @param free Gives its memory back.
 * @returns It, until the scope closes.
 */
export function openOnEngine<A>(
  load: (engine: Engine) => Promise<A> | A,
  free: (engine: Engine, opened: A) => void,
): Opened<A> {
  return Effect.gen(function* () {
    const engine = yield* (yield* TensorEngine).open;
    return yield* Effect.acquireRelease(
      attempt(async () => await load(engine)),
      (opened) => Effect.sync(() => free(engine, opened)),
    );
  });
}

/**
 * A bi-encoder.
 *
 * @param place Its folder, or its handle.
 * @param options How it is read.
 * @returns The model, until the scope closes.
 */
export function openBiEncoder(
  place: ModelPlace,
  options: LoadBiEncoderOptions = {},
): Effect.Effect<BiEncoder, KindredError, TensorEngine | Progress | Scope.Scope> {
  return Effect.gen(function* () {
    const { precision } = (yield* TensorEngine).info;
    const model = yield* openOnEngine(
      async (engine) => await loadBiEncoder(engine, await folderOf(place), options),
      freeBiEncoder,
    );
    if (precision !== "fp32" && !hasLayers(model)) yield* emit({ _tag: "warning", text: idlePrecision(precision) });
    return model;
  });
}

const idlePrecision = (precision: string) =>
  `--precision ${precision} changes nothing: a static model looks rows up, and has no layers that multiply`;

/**
 * A cross-encoder.
 *
 * @param place Its folder, or its handle.
 * @param options How it is read.
 * @returns The model, until the scope closes.
 */
export function openCrossEncoder(place: ModelPlace, options: LoadCrossEncoderOptions = {}): Opened<CrossEncoder> {
  return openOnEngine(
    async (engine) => await loadCrossEncoder(engine, await folderOf(place), options),
    freeCrossEncoder,
  );
}
