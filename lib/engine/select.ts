/**
 * Which engine: the one that was asked for, or the best that is present.
 *
 * @module
 */
import { EngineError } from "../error.ts";
import { cpuInfo, createCpuEngine } from "./cpu/engine.ts";
import { type GemmChoice, openNativeGemm } from "./cpu/native_gemm.ts";
import type { Engine, EngineInfo } from "./engine.ts";
import { createTfjsEngine, type TfjsBackend } from "./tfjs/mod.ts";

/** What `--engine` takes. */
export type EngineName = "auto" | "cpu" | "tfjs:gpu" | "tfjs:node" | "tfjs:js" | "webgpu" | "cuda";

/** What is wanted of an engine. */
export interface EngineChoice {
  /** Default auto. */
  readonly engine?: EngineName | undefined;
  /** Who multiplies matrices on the cpu engine. Default auto. */
  readonly gemm?: GemmChoice | undefined;
  /** Threads of the cpu engine. Default: one per core. */
  readonly threads?: number | undefined;
  /** Default fp32. */
  readonly precision?: "fp32" | "bf16" | "fp16" | undefined;
  /** The same bits for any number of threads: the cpu engine then multiplies by its own kernel, slower. */
  readonly deterministic?: boolean | undefined;
}

/** An engine that was chosen and may not have been started yet. */
export interface ChosenEngine {
  /** What it is, or will be. */
  readonly info: EngineInfo;
  /** Why this one and not a better one. */
  readonly reason: string;
  /** Starts it, once. */
  readonly open: () => Engine;
  /** Closes it, and gives back what was opened for it. */
  readonly close: () => void;
}

/** An engine, and why this one. */
export interface SelectedEngine {
  /** To be closed by the caller. */
  readonly engine: Engine;
  /** For the report. */
  readonly reason: string;
}

/**
 * Starts the engine that is named, or the best that is present. Nothing else takes the place of one that is named.
 *
 * @param choice Which one, how many threads, which precision. Default: auto.
 * @returns The engine, to be closed, and why this one.
 * @throws {EngineError} It is not available, or cannot do what is wanted.
 *
 * @example
 * ```ts
 * import { selectEngine } from "@kindred/kindred/engine";
 * import assert from "node:assert/strict";
 * const { engine } = await selectEngine({ gemm: "wasm", threads: 1 });
 * assert.equal(engine.info.name, "cpu");
 * engine.close();
 * ```
 */
export async function selectEngine(choice: EngineChoice = {}): Promise<SelectedEngine> {
  const { open, reason } = await chooseEngine(choice);
  return { engine: open(), reason };
}

/**
 * The same, without starting a cpu engine before it is needed: what a result depends on is known already. This is the
 * one place that decides which engine runs.
 *
 * @param choice Which one, how many threads, which precision. Default: auto.
 * @returns The engine as it will be.
 * @throws {EngineError} It is not available, or cannot do what is wanted.
 */
export async function chooseEngine(choice: EngineChoice = {}): Promise<ChosenEngine> {
  const { engine: name = "auto", precision = "fp32", gemm = "auto", deterministic = false } = choice;
  if (name === "webgpu" || name === "cuda") {
    throw new EngineError(`--engine ${name} is not part of this version`, {
      expected: "auto, cpu, tfjs:gpu, tfjs:node or tfjs:js",
      found: name,
      hint: name === "cuda" ? "--engine tfjs:gpu reaches NVIDIA GPUs through TensorFlow" : "--engine cpu",
    });
  }
  if (precision !== "fp32") {
    const engine = name === "auto" ? "cpu" : name;
    throw new EngineError(`--precision ${precision} is not supported by the ${engine} engine`, {
      expected: "fp32",
      found: precision,
      hint: "--precision fp32",
    });
  }
  if (name.startsWith("tfjs:")) {
    if (gemm !== "auto") {
      throw new EngineError(`--gemm ${gemm} does nothing on ${name}`, { hint: "leave it out, or --engine cpu" });
    }
    const engine = await createTfjsEngine(name.slice(5) as TfjsBackend); // what it is shows when it has started
    return { info: engine.info, reason: `${name} was asked for`, open: () => engine, close: engine.close };
  }
  if (deterministic && gemm !== "auto" && gemm !== "wasm") {
    throw new EngineError(`--deterministic cannot be kept with --gemm ${gemm}`, {
      expected: "wasm: libraries divide the work by the number of threads",
      found: gemm,
      hint: "--gemm wasm",
    });
  }
  const threads = choice.threads ?? navigator.hardwareConcurrency;
  const product = openNativeGemm({ gemm: deterministic ? "wasm" : gemm, threads });
  const why = name === "cpu" ? "cpu was asked for" : "cpu is the best here: this version has no cuda or webgpu engine";
  const by = product.gemm !== undefined
    ? `matrix products by ${product.reason}`
    : deterministic
    ? "matrix products by WebAssembly, for equal bits"
    : `matrix products by WebAssembly: ${product.reason}`;
  let engine: Engine | undefined;
  return {
    info: cpuInfo(threads, product.gemm),
    reason: `${why}; ${by}`,
    open: () => engine ??= createCpuEngine({ threads, gemm: product.gemm }),
    close: () => engine === undefined ? product.gemm?.close() : engine.close(),
  };
}
