/**
 * Pretended machines: their cards, and what was measured of them.
 *
 * @module
 */
import type { MeasurementStore } from "../../lib/engine/measurements.ts";

/** A store in memory, and its texts by key. */
export function inMemory(
  kept: Iterable<readonly [string, string]> = [],
): MeasurementStore & { readonly texts: Map<string, string> } {
  const texts = new Map(kept);
  return {
    texts,
    read: (key) => Promise.resolve(texts.get(key)),
    write: (key, text) => Promise.resolve(void texts.set(key, text)),
  };
}

/** What requestAdapter gives: part of an adapter. */
export type Adapter = { readonly info: { readonly description: string } } | null;

/** Runs `body` on a machine with this adapter; the number of times it was asked for. */
export async function withAdapter(find: () => Promise<Adapter>, body: () => Promise<void>): Promise<number> {
  const { statSync } = Deno;
  const gpu = Object.getOwnPropertyDescriptor(Navigator.prototype, "gpu")!;
  let asked = 0;
  const requestAdapter = () => (asked++, find());
  Object.defineProperty(Navigator.prototype, "gpu", { ...gpu, get: () => ({ requestAdapter }) });
  Deno.statSync = (() => ({})) as unknown as typeof statSync; // Linux: the card's device is there
  try {
    await body();
    return asked;
  } finally {
    Object.defineProperty(Navigator.prototype, "gpu", gpu);
    Deno.statSync = statSync;
  }
}

const system = navigator.gpu;

/**
 * The system's own adapter, under the name of a card that has no clock: nothing is measured before it is opened.
 *
 * @param description The name. A process remembers what it measured of a card, so that each test has its own.
 * @param features What it says that it has.
 * @param beforeOpening Is called with what a device is asked for.
 * @returns Finds it.
 */
export function cardNamed(
  description: string,
  features: readonly GPUFeatureName[] = [],
  beforeOpening: (asked: GPUDeviceDescriptor) => void = () => {},
): () => Promise<Adapter> {
  return async () => {
    const adapter = (await system.requestAdapter())!;
    const requestDevice = async (
      asked: GPUDeviceDescriptor,
    ) => (beforeOpening(asked), await adapter.requestDevice(asked));
    return { info: { description }, limits: adapter.limits, features: new Set(features), requestDevice } as Adapter;
  };
}
