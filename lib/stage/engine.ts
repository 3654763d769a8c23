/**
 * The tensor engine as a service: it starts when the first stage computes, and is closed with the scope.
 *
 * @module
 */
import * as Context from "effect/Context";
import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import { attempt, attemptSync } from "../attempt.ts";
import type { Engine, EngineInfo } from "../engine/engine.ts";
import { chooseEngine, type EngineChoice } from "../engine/select.ts";
import type { KindredError } from "../error.ts";
import type { Json } from "./key.ts";
import { Progress } from "./progress.ts";

/** An engine that may not have been started yet. */
export interface TensorEngineShape {
  /** What it is, or will be. */
  readonly info: EngineInfo;
  /** Why this one and not a better one. */
  readonly reason: string;
  /** What results depend on: part of the key of every stage that computes. */
  readonly identity: Json;
  /** Starts it, once. */
  readonly open: Effect.Effect<Engine, KindredError>;
}

const TensorEngineBase: Context.ServiceClass<TensorEngine, "kindred/TensorEngine", TensorEngineShape> = Context.Service<
  TensorEngine,
  TensorEngineShape
>()("kindred/TensorEngine");

/** The service for the engine. */
export class TensorEngine extends TensorEngineBase {
  /**
   * The engine of this choice, closed with the layer; it starts when something first computes, and says then why it is
   * this one.
   *
   * @param choice Which engine. Default: the best that is present.
   * @returns The layer. It fails with an `EngineError` where an engine that was named is not available.
   */
  static layer(choice: EngineChoice = {}): Layer.Layer<TensorEngine, KindredError, Progress> {
    return Layer.effect(TensorEngine, openTensorEngine(choice));
  }

  /**
   * A small engine for tests: WebAssembly, one thread.
   *
   * @returns The layer.
   */
  static layerTest(): Layer.Layer<TensorEngine, KindredError, Progress> {
    return TensorEngine.layer({ kernels: "wasm", threads: 1 });
  }
}

const openTensorEngine = Effect.fnUntraced(function* (choice: EngineChoice) {
  const progress = yield* Progress;
  const chosen = yield* Effect.acquireRelease(
    attempt(() => chooseEngine(choice)),
    ({ close }) => Effect.sync(close),
  );
  // The threads and the form of kernels change no bit, but where `bits` says so.
  const { bits, precision } = chosen.info;
  const identity: Json = { bits, precision };
  let isOpen = false;
  const open = attemptSync(() => {
    if (!isOpen) progress.emit({ _tag: "note", text: chosen.reason });
    isOpen = true;
    return chosen.open();
  });
  return TensorEngine.of({ info: chosen.info, reason: chosen.reason, identity, open });
});
