/**
 * The webgpu engine: every card that Deno's WebGPU reaches, with nothing installed.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import type { DeviceWork, Engine } from "../engine.ts";
import type { MeasurementStore } from "../measurements.ts";
import { attentionKernels } from "./attention.ts";
import { type DeviceLimits, openDevice } from "./device.ts";
import { activationKernels } from "./activations.ts";
import { elementwiseKernels } from "./elementwise.ts";
import { embeddingKernels } from "./embedding.ts";
import { lossKernels } from "./losses.ts";
import { createMemory } from "./memory.ts";
import { movingKernels } from "./moving.ts";
import { normKernels } from "./norms.ts";
import { optimizerKernels } from "./optimizer.ts";
import { poolingKernels } from "./pooling.ts";
import { productKernels } from "./products.ts";
import { rotaryKernels } from "./rotary.ts";
import { openStopwatch } from "./stopwatch.ts";
import { type Tile, tilesWithin } from "./tiles.ts";
import { topKernels } from "./top.ts";
import { topOfProduct } from "../top_of_product.ts";
import { chooseTiles, type TileChoice } from "./tuning.ts";
import { wideProducts } from "./wide_products.ts";

/** Grows with whatever changes the bits of a result. */
const REVISION = 3;

/** The feature that numbers of 16 bits are. */
const HALF = "shader-f16";

/** Options of {@linkcode createWebgpuEngine}. */
export interface WebgpuOptions {
  /**
   * fp16: layers multiply numbers of 16 bits, with sums of 32; the adapter needs `shader-f16`. What is stored, losses,
   * norms and the optimizer keep 32. Default fp32.
   */
  readonly precision?: "fp32" | "fp16" | undefined;
  /** Where it is kept for the next process which shape of tiles a card multiplies fastest with. Default: nowhere. */
  readonly store?: MeasurementStore | undefined;
  /** Bytes of logits over a large vocabulary that are held at once; default 64 MiB. */
  readonly logitBytes?: number | undefined;
  /** Bytes that the activations of one micro-batch may take. Default 1 GiB, or three times what a kernel can be given. */
  readonly activationBudget?: number | undefined;
  /** Limits lower than the adapter's: whether a model runs on a lesser card can be tried. */
  readonly limits?: DeviceLimits | undefined;
  /** Keeps count of what the kernels do: see `Engine.times`. */
  readonly profile?: boolean | undefined;
}

/** What tests choose beside: it changes no bit. */
export interface AdapterOptions extends WebgpuOptions {
  /** The shape of the tiles of all products, one of `TILES`. Default: the fastest of them, or the first. */
  readonly tile?: Tile | undefined;
  /** Whether it is measured which shape is the fastest, for less than a second. Default: on a card. */
  readonly tunes?: boolean | undefined;
  /** Bytes of buffers that may lie unused, where less is in use, before a new one is made. Default 1 GiB. */
  readonly spareBytes?: number | undefined;
}

/** What a webgpu engine is beside an engine. */
export interface WebgpuEngine extends Engine {
  /** What the device was asked for so far. */
  readonly work: DeviceWork;
  /** Buffers of tensors, in use and for the next one, their bytes, and bind groups that are remembered. */
  readonly held: () => { readonly buffers: number; readonly bytes: number; readonly bindGroups: number };
  /** See the Engine contract. */
  readonly beginStep: () => void;
}

/** What computes, before it is opened. */
export interface FoundAdapter {
  /** The system's own. */
  readonly adapter: GPUAdapter;
  /** What it calls itself. */
  readonly name: string;
  /** Whether it is a processor that acts as a card. */
  readonly isSoftware: boolean;
}

/** What the bits of an adapter of this name depend on. */
export const bitsOf = (name: string): string => `webgpu ${REVISION} on ${name}`;

/**
 * The adapter that the system offers.
 *
 * @returns It; undefined where there is none.
 */
export async function findAdapter(): Promise<FoundAdapter | undefined> {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (adapter === null || adapter === undefined) return undefined;
  const { description, vendor, architecture, isFallbackAdapter } = adapter.info;
  const name = description || [vendor, architecture].filter(Boolean).join(" ") || "an adapter without a name";
  return { adapter, name, isSoftware: isFallbackAdapter || /llvmpipe|swiftshader|software/i.test(name) };
}

/**
 * Starts an engine on the system's adapter.
 *
 * @param options Its precision, and what it keeps and counts.
 * @returns The engine; to be closed.
 * @throws {EngineError} There is no adapter, or it does not open.
 *
 * @example
 * ```ts
 * import { createWebgpuEngine } from "@kindred/kindred/engine";
 * import assert from "node:assert/strict";
 * const engine = await createWebgpuEngine().catch((error) => {
 *   assert.equal(error._tag, "EngineError"); // no adapter here
 * });
 * if (engine !== undefined) {
 *   const x = engine.upload(Float32Array.of(1, 2, 3, 4), [2, 2]);
 *   assert.deepEqual([...await engine.read(engine.matmul(x, x))], [7, 10, 15, 22]);
 *   engine.close();
 * }
 * ```
 */
export async function createWebgpuEngine(options: WebgpuOptions = {}): Promise<WebgpuEngine> {
  const found = await findAdapter();
  if (found === undefined) {
    throw new EngineError("--engine webgpu: this machine has no adapter", {
      expected: "a card with a driver for Vulkan, Metal or Direct3D 12",
      hint: "--engine cpu; on Linux the Vulkan loader (libvulkan1) and the card's driver are needed",
    });
  }
  return await openAdapter(found, options);
}

/** Starts an engine on this adapter: see {@linkcode createWebgpuEngine}. */
export async function openAdapter(found: FoundAdapter, options: AdapterOptions = {}): Promise<WebgpuEngine> {
  const { precision = "fp32", limits, spareBytes, profile } = options;
  if (precision === "fp16" && !found.adapter.features.has(HALF)) {
    throw new EngineError("--precision fp16: the adapter cannot compute with numbers of 16 bits", {
      expected: `an adapter with ${HALF}`,
      found: found.name,
      hint: "--precision fp32",
    });
  }
  const features = precision === "fp16" ? [HALF] as const : [];
  const device = await openDevice(found.adapter, { limits, spareBytes, profile, features }).catch(
    (error) => {
      const said = error instanceof Error ? error.message : `${error}`;
      throw new EngineError("the card does not open", {
        found: `${found.name}: ${said}`,
        hint: "--engine cpu",
        cause: error,
      });
    },
  );
  const { core, kernels } = createMemory(device, options);
  const tileFor = await tilesFor(found, device.limits, features, options);
  const moves = movingKernels(core);
  const single = productKernels(core, { tileFor, halves: precision === "fp16" });
  const products = wideProducts(core, { ...single, ...moves, ...kernels });
  const elements = elementwiseKernels(core);
  const [embedding, pooling, top] = [embeddingKernels(core), poolingKernels(core), topKernels(core)];
  return {
    info: {
      name: "webgpu",
      backend: "webgpu",
      device: found.name,
      kernels: "wgsl",
      bits: `${bitsOf(found.name)}${precision === "fp16" ? ", fp16" : ""}`,
      threads: 1,
      precision,
      tokenStep: 1,
    },
    work: device.work,
    ...(device.times !== undefined && { times: device.times }),
    held: device.held,
    beginStep: device.beginStep,
    rank: 0,
    worldSize: 1,
    ...kernels,
    ...products,
    ...elements,
    ...moves,
    ...activationKernels(core, elements),
    ...top,
    topProducts: topOfProduct({ ...products, ...top }),
    ...embedding,
    // A card has the room to lay the rows of a table side by side.
    gatherPool: (table, ids, offsets, mode, skip) => pooling.pool(embedding.gather(table, ids), offsets, mode, skip),
    scatterPool(dTable, ids, offsets, dy, mode, skip) {
      const rows = kernels.empty([ids.shape[0]!, dTable.shape[1]!]);
      embedding.scatterAdd(dTable, ids, pooling.poolBackward(dy, rows, dy, offsets, mode, skip));
    },
    ...normKernels(core),
    ...attentionKernels(core),
    ...pooling,
    ...rotaryKernels(core),
    ...lossKernels(core, { ...products, ...elements, ...kernels }, options),
    ...optimizerKernels(core, kernels),
    allReduce() {},
    allGather: (x) => x,
  };
}

/** The shapes of tiles: the one that is asked for, those that are fastest on a card, or the first that there is room for. */
async function tilesFor(
  { name, isSoftware }: FoundAdapter,
  limits: GPUSupportedLimits,
  features: readonly GPUFeatureName[],
  { tile, tunes = !isSoftware, store, precision = "fp32" }: AdapterOptions,
): Promise<TileChoice> {
  const candidates = tilesWithin(limits);
  if (tile !== undefined || !tunes) return () => tile ?? candidates[0]!;
  const { maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupStorageSize, maxStorageBufferBindingSize } = limits;
  return await chooseTiles(
    [name, maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupStorageSize, maxStorageBufferBindingSize, precision],
    candidates,
    async () => {
      const again = await findAdapter(); // one adapter gives one device
      return again && await openStopwatch(again.adapter, features, precision === "fp16");
    },
    store,
  );
}
