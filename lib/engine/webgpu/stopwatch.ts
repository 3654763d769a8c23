/**
 * How long products take with tiles of several shapes, by the device's own clock: what waits for a device waits longer
 * than most of them take.
 *
 * @module
 */
import { textOf } from "./kernel.ts";
import { product } from "./product.ts";
import { CLOCK } from "./profile.ts";
import { nameOf, type Tile } from "./tiles.ts";
import type { Stopwatch } from "./tuning.ts";

/** Elements of the sums. */
const DEPTH = 512;
/** Multiplications that are timed at once, at least one product's, and how often. */
const [WORK, ROUNDS] = [1e9, 2];
/** Milliseconds of the first round, of one product each, above which it is enough. */
const LONG = 100;

/**
 * A device of its own for the time that is measured.
 *
 * @param adapter One that no device was opened from.
 * @param features What the kernels need.
 * @param rounded Whether the factors are rounded to 16 bits.
 * @returns The stopwatch, to be closed; undefined where the adapter has no clock.
 */
export async function openStopwatch(
  adapter: GPUAdapter,
  features: readonly GPUFeatureName[],
  rounded: boolean,
): Promise<Stopwatch | undefined> {
  if (!adapter.features.has(CLOCK)) return undefined;
  const { maxComputeWorkgroupStorageSize } = adapter.limits;
  const device = await adapter.requestDevice({
    requiredFeatures: [CLOCK, ...features],
    requiredLimits: { maxComputeWorkgroupStorageSize },
  });
  let fault: string | undefined;
  device.addEventListener("uncapturederror", (event) => {
    event.preventDefault();
    fault = (event as GPUUncapturedErrorEvent).error.message;
  });
  const { STORAGE, UNIFORM, COPY_SRC, COPY_DST, QUERY_RESOLVE, MAP_READ } = GPUBufferUsage;
  const pipelines = new Map<string, GPUComputePipeline>();
  const pipelineOf = (tile: Tile): GPUComputePipeline => {
    const known = pipelines.get(nameOf(tile));
    if (known !== undefined) return known;
    const kernel = product({
      tile,
      transposeA: false,
      transposeB: true, // as a layer's weight is
      byFourA: true,
      byFourB: true,
      byFourC: true,
      bias: false,
      preactivation: false,
      activation: undefined,
      accumulate: false,
      rounded,
    });
    const module = device.createShaderModule({ label: kernel.name, code: textOf(kernel) });
    const made = device.createComputePipeline({ layout: "auto", compute: { module, entryPoint: "main" } });
    pipelines.set(nameOf(tile), made);
    return made;
  };
  /** Times of so many rounds, each of so many products in a row with every shape. */
  const timed = async (side: number, tiles: readonly Tile[], rounds: number, runs: number): Promise<number[][]> => {
    const count = 2 * rounds * tiles.length;
    const queries = device.createQuerySet({ type: "timestamp", count });
    const buffer = (size: number, usage: number) => device.createBuffer({ size, usage });
    const factors = [0, 1].map(() => buffer(4 * side * DEPTH, STORAGE));
    const result = buffer(4 * side * side, STORAGE);
    const numbers = buffer(32, UNIFORM | COPY_DST);
    device.queue.writeBuffer(numbers, 0, Uint32Array.of(side, side, DEPTH)); // of a scale of 0 it is as much work
    const resolved = buffer(8 * count, QUERY_RESOLVE | COPY_SRC);
    const read = buffer(8 * count, MAP_READ | COPY_DST);
    const bound = [numbers, ...factors, result];
    try {
      const encoder = device.createCommandEncoder();
      for (let i = 0; i < count / 2; i++) {
        const tile = tiles[i % tiles.length]!;
        const pipeline = pipelineOf(tile);
        const pass = encoder.beginComputePass({
          timestampWrites: { querySet: queries, beginningOfPassWriteIndex: 2 * i, endOfPassWriteIndex: 2 * i + 1 },
        });
        pass.setPipeline(pipeline);
        pass.setBindGroup(
          0,
          device.createBindGroup({
            layout: pipeline.getBindGroupLayout(0),
            entries: bound.map((buffer, binding) => ({ binding, resource: { buffer } })),
          }),
        );
        for (let run = 0; run < runs; run++) {
          pass.dispatchWorkgroups(Math.ceil(side / tile.columns), Math.ceil(side / tile.rows));
        }
        pass.end();
      }
      encoder.resolveQuerySet(queries, 0, count, resolved, 0);
      encoder.copyBufferToBuffer(resolved, 0, read, 0, 8 * count);
      device.queue.submit([encoder.finish()]);
      await read.mapAsync(GPUMapMode.READ);
      if (fault !== undefined) throw new Error(fault);
      const stamps = new BigUint64Array(read.getMappedRange());
      const times = Array.from({ length: count / 2 }, (_, i) => Number(stamps[2 * i + 1]! - stamps[2 * i]!));
      return tiles.map((_, tile) => times.filter((_, i) => i % tiles.length === tile));
    } finally {
      queries.destroy();
      for (const held of [...bound, resolved, read]) held.destroy();
    }
  };
  return {
    async time(side, tiles) {
      for (const tile of tiles) pipelineOf(tile);
      const started = performance.now();
      let times = await timed(side, tiles, 1, 1);
      if (performance.now() - started < LONG) {
        times = await timed(side, tiles, ROUNDS, Math.max(1, Math.round(WORK / (side * side * DEPTH))));
      }
      return times.map((own) => Math.min(...own));
    },
    close: () => device.destroy(),
  };
}
