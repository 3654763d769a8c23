/**
 * Rotary positions of a batch: the tables that its layers share.
 *
 * @module
 */
import type { Handle, Rotation } from "../../engine/engine.ts";
import { rotationTable } from "../../tensor/ops.ts";
import type { Tape } from "../../tensor/tape.ts";
import type { DeviceBatch } from "../batch.ts";

/** fᵢ = 1 / baseⁱ⸍ᴾ for i < P = dimensions / 2, in single precision as transformers computes them. */
export function inverseFrequencies(base: number, dimensions: number): Float32Array {
  return Float32Array.from(
    { length: dimensions / 2 },
    (_, i) => 1 / Math.fround(Math.pow(base, Math.fround(2 * i / dimensions))),
  );
}

/**
 * Rotations of a batch by their frequencies; a table is made once for all layers that have the same.
 *
 * @returns For the frequencies of a layer: how its first `heads` heads are turned.
 */
export function rotationsOf(
  tape: Tape,
  batch: DeviceBatch,
): (frequencies: Float32Array, heads: number, headSize: number) => Rotation {
  const tables = new Map<Float32Array, Handle>();
  return (frequencies, heads, headSize) => {
    let table = tables.get(frequencies);
    if (table === undefined) {
      const length = Math.max(1, batch.maxLength);
      table = tape.engine.upload(rotationTable(frequencies, length), [length, 2 * frequencies.length]);
      tables.set(frequencies, table);
    }
    return { table, positions: batch.positions, heads, headSize };
  };
}
