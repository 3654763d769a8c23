/**
 * Whether a card takes the place of the processor where no engine is named.
 *
 * WebGPU tells little of a card: one that shares the processor's memory and power may be slower than the processor. So
 * both multiply matrices, and the card is taken where it does so at least as fast as all threads of the processor would
 * at the speed of one alone, which is more than they do together.
 *
 * @module
 */
import { isGranted } from "../environment.ts";
import { EngineError } from "../error.ts";
import type { Engine } from "./engine.ts";
import { findOrMeasure, type MeasurementStore } from "./measurements.ts";
import { productError, TOLERANCE } from "./product_error.ts";
import { measureProduct } from "./roofline.ts";
import { bitsOf, findAdapter, type FoundAdapter, openAdapter, type WebgpuOptions } from "./webgpu/engine.ts";

/** Operations per second of a product of matrices. */
interface Speeds {
  /** Of the card. */
  readonly card: number;
  /** Of all threads of the processor, at most. */
  readonly processor: number;
}

/** A card, or none, and why. */
export interface CardChoice {
  /** To be closed; undefined where the processor computes. */
  readonly engine?: Engine;
  /** Why. */
  readonly reason: string;
}

/** The processor, beside which a card is measured. */
export interface Beside {
  /** How its kernels are called. */
  readonly kernels: string;
  /** How many threads it would have. */
  readonly threads: number;
  /** It with one thread. */
  readonly open: () => Engine;
}

/** Folders and files that a card's driver has on Linux. */
const DEVICES = ["/dev/dri", "/dev/nvidiactl", "/dev/dxg"];
/** Rows and columns of the product on one thread. */
const SIDE = 384;

/**
 * The card for who names no engine.
 *
 * @param processor What computes otherwise.
 * @param options Where measurements are kept; whether the engine keeps count of its kernels.
 * @returns The card's engine if it is taken, and the reason in either case.
 */
export async function chooseCard(
  processor: Beside,
  options: { readonly store: MeasurementStore; readonly profile?: boolean | undefined },
): Promise<CardChoice> {
  if (!mayHaveCard()) return { reason: "this machine has no card" };
  const found = await findAdapter();
  if (found === undefined) return { reason: "WebGPU finds no card on this machine" };
  if (found.isSoftware) return { reason: `${found.name} is a processor that acts as a card` };
  let engine: Engine | undefined;
  try {
    const open = async () => engine ??= await openRight(found, options);
    const { kernels, threads } = processor;
    const measure = async (): Promise<Speeds> => ({
      card: await measureProduct(await open()),
      processor: threads * await speedOf(processor),
    });
    const key = ["speeds", bitsOf(found.name), kernels, threads];
    const speeds = (await findOrMeasure(key, areSpeeds, measure, options.store))!;
    const [card, most] = [speeds.card, speeds.processor].map((speed) => (speed / 1e9).toFixed(0));
    const beside = `${card} GFLOP/s in a product, the processor's ${threads} threads ${most} at most`;
    if (speeds.card >= speeds.processor) return { engine: await open(), reason: `${found.name}: ${beside}` };
    engine?.close();
    return { reason: `${found.name} is slower: ${beside}` };
  } catch (error) {
    engine?.close();
    if (!(error instanceof EngineError)) throw error;
    return { reason: `${found.name} is of no use: ${[error.summary, error.found].filter(Boolean).join(": ")}` };
  }
}

/** A kept pair of speeds. */
function areSpeeds(value: unknown): value is Speeds {
  const { card, processor } = (value ?? {}) as Partial<Record<string, unknown>>;
  return [card, processor].every((speed) => typeof speed === "number" && speed > 0);
}

/** On Linux a look at its devices is quicker than what a Vulkan loader does to find none. */
function mayHaveCard(): boolean {
  if (Deno.build.os !== "linux") return true;
  return DEVICES.some((path) => {
    if (!isGranted("read", path)) return true;
    try {
      Deno.statSync(path);
      return true;
    } catch {
      return false;
    }
  });
}

/** An adapter whose product is right. */
async function openRight(found: FoundAdapter, options: WebgpuOptions): Promise<Engine> {
  const engine = await openAdapter(found, options);
  const error = await productError(engine).catch((error) => {
    engine.close();
    throw error;
  });
  if (error < TOLERANCE) return engine;
  engine.close();
  throw new EngineError("it multiplies wrongly", { found: `a product is off by ${error.toExponential(1)}` });
}

async function speedOf({ open }: Beside): Promise<number> {
  const engine = open();
  try {
    return await measureProduct(engine, SIDE);
  } finally {
    engine.close();
  }
}
