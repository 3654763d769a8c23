/**
 * The tensor engine as a service: it starts when the first stage computes, and is closed with the scope.
 *
 * @module
 */
import { Context, Effect, type Scope } from "effect";
import { attempt } from "../attempt.ts";
import { createCpuEngine } from "../engine/cpu/engine.ts";
import { openNativeGemm } from "../engine/cpu/native_gemm.ts";
import type { Engine, EngineInfo } from "../engine/engine.ts";
import { type EngineChoice, selectEngine } from "../engine/select.ts";
import type { KindredError } from "../error.ts";
import type { Json } from "./key.ts";

/** An engine that may not have been started yet. */
export interface TensorEngine {
  /** What it is, or will be. */
  readonly info: EngineInfo;
  /** Why this one and not a better one. */
  readonly reason: string;
  /** What results depend on: part of the key of every stage that computes. */
  readonly identity: Json;
  /** Starts it, once. */
  readonly open: Effect.Effect<Engine, KindredError>;
}

/** The service for the engine. */
export const TensorEngine: Context.Service<TensorEngine, TensorEngine> = Context.Service<TensorEngine>(
  "kindred/TensorEngine",
);

/**
 * The engine of this choice, closed with the scope. A run that comes from the cache starts none; `started` is told why it
 * is this one when it starts.
 */
export const makeTensorEngine: (
  choice: EngineChoice,
  started?: (reason: string) => void,
) => Effect.Effect<TensorEngine, KindredError, Scope.Scope> = Effect
  .fnUntraced(function* (choice, started = () => {}) {
    const lazy = yield* Effect.acquireRelease(
      attempt(() => openLazily(choice)),
      ({ close }) => Effect.sync(close),
    );
    const { name, gemm, library, precision, threads } = lazy.info;
    // The WebAssembly product gives the same bits with any number of threads; libraries do not.
    const identity: Json = { engine: name, gemm, library, precision, ...(gemm !== "wasm" && { threads }) };
    let isOpen = false;
    const open = attempt(() => {
      if (!isOpen) started(lazy.reason);
      isOpen = true;
      return lazy.open();
    });
    return { info: lazy.info, reason: lazy.reason, identity, open };
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
      device: `${Deno.build.arch}, ${threads} threads`,
      gemm: native?.name ?? "wasm",
      library: native?.version ?? "",
      threads,
      precision: "fp32",
    },
    open: () => Promise.resolve(engine ??= createCpuEngine({ threads, gemm: native })),
    close: () => engine === undefined ? native?.close() : engine.close(),
  };
}
