/**
 * The tensor engine as a service: it starts when the first stage computes, and is closed with the scope.
 *
 * @module
 */
import { counted } from "../counted.ts";
import { Context, Effect, Layer } from "effect";
import { attempt } from "../attempt.ts";
import { createCpuEngine } from "../engine/cpu/engine.ts";
import { openNativeGemm } from "../engine/cpu/native_gemm.ts";
import type { Engine, EngineInfo } from "../engine/engine.ts";
import { type EngineChoice, selectEngine } from "../engine/select.ts";
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
    return TensorEngine.layer({ gemm: "wasm", threads: 1 });
  }
}

const openTensorEngine = Effect.fnUntraced(function* (choice: EngineChoice) {
  const progress = yield* Progress;
  const lazy = yield* Effect.acquireRelease(
    attempt(() => openLazily(choice)),
    ({ close }) => Effect.sync(close),
  );
  const { name, gemm, library, precision, threads } = lazy.info;
  // The WebAssembly product gives the same bits with any number of threads; libraries do not.
  const identity: Json = { engine: name, gemm, library, precision, ...(gemm !== "wasm" && { threads }) };
  let isOpen = false;
  const open = attempt(() => {
    if (!isOpen) progress.emit({ _tag: "note", text: lazy.reason });
    isOpen = true;
    return lazy.open();
  });
  return TensorEngine.of({ info: lazy.info, reason: lazy.reason, identity, open });
});

interface LazyEngine {
  readonly reason: string;
  readonly info: EngineInfo;
  readonly open: () => Promise<Engine>;
  readonly close: () => void;
}

async function openLazily(choice: EngineChoice): Promise<LazyEngine> {
  const { engine: name = "auto", gemm = "auto", deterministic = false, precision = "fp32" } = choice;
  const threads = choice.threads ?? navigator.hardwareConcurrency;
  const refused = deterministic && gemm !== "auto" && gemm !== "wasm";
  if ((name !== "auto" && name !== "cpu") || precision !== "fp32" || refused) {
    // Others start at once: what they are is known only then.
    const { engine, reason } = await selectEngine(choice);
    return { reason, info: engine.info, open: () => Promise.resolve(engine), close: () => engine.close() };
  }
  const { gemm: native, reason } = openNativeGemm({ gemm: deterministic ? "wasm" : gemm, threads });
  let engine: Engine | undefined;
  return {
    reason: native === undefined ? `matrix products by WebAssembly: ${reason}` : `matrix products by ${reason}`,
    info: {
      name: "cpu",
      backend: "wasm",
      device: `${Deno.build.arch}, ${counted(threads, "thread")}`,
      gemm: native?.name ?? "wasm",
      library: native?.version ?? "",
      threads,
      precision: "fp32",
    },
    open: () => Promise.resolve(engine ??= createCpuEngine({ threads, gemm: native })),
    close: () => engine === undefined ? native?.close() : engine.close(),
  };
}
