/**
 * Which engine: the one that was asked for, or the best that is present.
 *
 * @module
 */
import { EngineError } from "../error.ts";
import { chooseCard } from "./card.ts";
import { openAccelerate } from "./cpu/accelerate.ts";
import { cpuInfo, createCpuEngine } from "./cpu/engine.ts";
import type { CpuOptions } from "./cpu/core.ts";
import { NO_BF16, openNativeKernels, roundedBy } from "./cpu/native.ts";
import { faultOf } from "./cpu/self_test.ts";
import { threadCount } from "./cpu/threads.ts";
import type { Engine, EngineInfo } from "./engine.ts";
import { measurementFiles } from "./measurement_files.ts";
import type { MeasurementStore } from "./measurements.ts";
import { createTfjsEngine, type TfjsBackend } from "./tfjs/mod.ts";
import { createWebgpuEngine } from "./webgpu/mod.ts";

/** What `--engine` takes, the best that is measured first. */
export const ENGINES = ["auto", "cpu", "webgpu", "tfjs:gpu", "tfjs:node", "tfjs:js"] as const;
/** One of {@linkcode ENGINES}. */
export type EngineName = "auto" | "cpu" | "webgpu" | "tfjs:gpu" | "tfjs:node" | "tfjs:js";

/**
 * What `--kernels` takes: machine code, WebAssembly, or Apple's Accelerate for products of matrices. The first two give
 * the same bits with any number of threads, and on every machine that rounds a b + c once; Accelerate has its own.
 */
export type KernelChoice = "auto" | "native" | "wasm" | "accelerate";

/** What is wanted of an engine. */
export interface EngineChoice {
  /**
   * Default auto: a card that WebGPU reaches, if it multiplies rightly and at least as fast as the processor, else cpu. A choice
   * of kernels, threads or a precision that only the cpu engine has means cpu.
   */
  readonly engine?: EngineName | undefined;
  /** Which form of the kernels the cpu engine has. Default auto: machine code where FFI is permitted. */
  readonly kernels?: KernelChoice | undefined;
  /** Threads of the cpu engine, 256 at most. Default: one per core. */
  readonly threads?: number | undefined;
  /**
   * Default fp32. bf16: weights and activations are rounded to 16 bits where a layer multiplies them; sums, what is
   * stored, losses, norms and the optimizer keep 32. For processors that have such products (AMX, AVX-512 BF16, NEON
   * BF16). fp16: the same in the other form of 16 bits, on the webgpu engine, for cards that have it; the loss is scaled,
   * and a step whose gradients overflow is skipped. int8, for inference, on the cpu engine: weights of layers have 8 bits,
   * and so has what is multiplied with them; no calibration, the same bits on every processor.
   */
  readonly precision?: "fp32" | "bf16" | "fp16" | "int8" | undefined;
  /** The engine, cpu or webgpu, keeps count of what its kernels do: `Engine.times`. */
  readonly profile?: boolean | undefined;
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
 * @throws {UsageError} The number of threads is none from 1 to 256.
 *
 * @example
 * ```ts
 * import { selectEngine } from "@kindred/kindred/engine";
 * import assert from "node:assert/strict";
 * const { engine } = await selectEngine({ kernels: "wasm", threads: 1 });
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
 * @param store Where is kept what was measured of a card: the speeds that auto decides by, the shapes of tiles. Default:
 * files of the user's cache, so that all processes decide alike.
 * @returns The engine as it will be.
 * @throws {EngineError} It is not available, or cannot do what is wanted.
 * @throws {UsageError} The number of threads is none from 1 to 256.
 */
export async function chooseEngine(
  choice: EngineChoice = {},
  store: MeasurementStore = measurementFiles(),
): Promise<ChosenEngine> {
  const { engine: name = "auto", precision = "fp32", kernels = "auto" } = choice;
  if (!ENGINES.includes(name)) {
    throw new EngineError(`there is no engine ${name}`, { expected: ENGINES.join(", "), hint: "--engine cpu" });
  }
  if (name === "webgpu" || name.startsWith("tfjs:")) {
    if (kernels !== "auto") {
      throw new EngineError(`--kernels ${kernels} does nothing on ${name}`, { hint: "leave it out, or --engine cpu" });
    }
    const isHalf = precision === "fp16" && name === "webgpu";
    if (precision !== "fp32" && !isHalf) throw noPrecision(precision, name);
    // What it is shows when it has started.
    const engine = name === "webgpu"
      ? await createWebgpuEngine({ profile: choice.profile, precision: isHalf ? precision : "fp32", store })
      : await createTfjsEngine(name.slice(5) as TfjsBackend);
    return {
      info: engine.info,
      reason: `${name} was asked for: ${engine.info.device}`,
      open: () => engine,
      close: engine.close,
    };
  }
  const threads = threadCount(choice.threads);
  if (precision === "fp16") throw noPrecision(precision, "cpu");
  const { options: form, reason } = await openKernels(kernels);
  if (precision === "bf16" && (roundedBy(form.native) === undefined || form.accelerate !== undefined)) {
    throw new EngineError(NO_BF16, { found: reason, hint: "--precision fp32" });
  }
  const options = { ...form, precision, profile: choice.profile };
  const info = cpuInfo(threads, options);
  let why = "cpu was asked for";
  if (name === "auto" && (kernels !== "auto" || choice.threads !== undefined || precision !== "fp32")) {
    why = "kernels, threads or a precision of the cpu engine were asked for";
  } else if (name === "auto") {
    const processor = { kernels: info.kernels, threads, open: () => createCpuEngine({ threads: 1, ...form }) };
    const card = await chooseCard(processor, { profile: choice.profile, store });
    why = card.reason;
    const { engine } = card;
    if (engine !== undefined) return { info: engine.info, reason: why, open: () => engine, close: engine.close };
  }
  let engine: Engine | undefined;
  return {
    info,
    reason: `${why}; ${reason}`,
    open: () => engine ??= createCpuEngine({ threads, ...options }),
    close: () => engine === undefined ? options.accelerate?.close() : engine.close(),
  };
}

function noPrecision(precision: string, engine: string): EngineError {
  return new EngineError(`--precision ${precision} is not supported by the ${engine} engine`, {
    expected: { cpu: "fp32, bf16 or int8", webgpu: "fp32 or fp16" }[engine] ?? "fp32",
    found: precision,
    hint: precision === "fp16" ? "--precision fp32, or --engine webgpu" : "--precision fp32",
  });
}

/** The kernels that were chosen, and why these. */
async function openKernels(
  kernels: KernelChoice,
): Promise<{ readonly options: Pick<CpuOptions, "native" | "accelerate">; readonly reason: string }> {
  if (kernels === "wasm") return { options: {}, reason: "kernels as WebAssembly: asked for" };
  const { native, reason } = await openNativeKernels();
  if (kernels === "accelerate") {
    return { options: { native, accelerate: openAccelerate() }, reason: "matrix products by Accelerate: asked for" };
  }
  const fault = native && faultOf(native);
  if (native !== undefined && fault === undefined) {
    return { options: { native }, reason: `kernels as machine code (${reason})` };
  }
  const found = fault ?? reason;
  if (kernels === "native") {
    throw new EngineError("--kernels native is not available", { found, hint: "--kernels auto, and --allow-ffi" });
  }
  return { options: {}, reason: `kernels as WebAssembly: ${found}` };
}
