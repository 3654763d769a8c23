/**
 * What goes through an encoder: the encoder itself, a packed batch on the device, and which step of training it is.
 *
 * @module
 */
import type { Engine, Handle } from "../engine/engine.ts";
import type { Parameters } from "../tensor/tensor.ts";
import type { PackedBatch } from "../text/packed.ts";
import type { EncoderConfig } from "./config.ts";
import type { LoraAdapters } from "./lora.ts";

/** An encoder: its shape and its tensors, under the names of its checkpoint. */
export interface Encoder {
  /** Its shape. */
  readonly config: EncoderConfig;
  /** Its tensors. */
  readonly parameters: Parameters;
  /** What is trained instead of them, if anything is. */
  readonly adapters?: LoraAdapters | undefined;
}

/**
 * A packed batch on the device: C rows of tokens, of which the first T are those of the sequences. A device that is
 * faster when shapes repeat gets some rows more, which belong to no sequence: nothing depends on them.
 */
export interface DeviceBatch {
  /** i32 [C] */
  readonly ids: Handle;
  /** i32 [C] */
  readonly typeIds: Handle;
  /** i32 [C] place in the sequence, from 0 */
  readonly positions: Handle;
  /** i32 [n + 1] */
  readonly offsets: Handle;
  /** i32 [C, 2] */
  readonly places: Handle;
  /** C: T, rounded up to the engine's `tokenStep`. */
  readonly capacity: number;
  /** Longest sequence. */
  readonly maxLength: number;
  /** The batch itself. */
  readonly packed: PackedBatch;
}

/** Training, as far as dropout is concerned: which run, which step. */
export interface TrainingKey {
  /** The run's seed. */
  readonly seed: number;
  /** The update. */
  readonly step: number;
}

/** Copies a batch to the device, into the current arena. */
export function uploadBatch(engine: Engine, packed: PackedBatch): DeviceBatch {
  const { ids, typeIds, positions, offsets, places, maxLength } = packed;
  const { tokenStep } = engine.info;
  const capacity = Math.ceil(ids.length / tokenStep) * tokenStep;
  return {
    ids: uploadRows(engine, ids, capacity),
    typeIds: uploadRows(engine, typeIds, capacity),
    positions: uploadRows(engine, positions, capacity),
    offsets: engine.upload(offsets, [offsets.length]),
    places: engine.reshape(uploadRows(engine, places, 2 * capacity), [capacity, 2]),
    capacity,
    maxLength,
    packed,
  };
}

/** Copies one number for each token to the device, and `rest` for each row that is no token. */
export function uploadRows(engine: Engine, values: Int32Array, capacity: number, rest = 0): Handle {
  if (values.length === capacity) return engine.upload(values, [capacity]);
  const all = new Int32Array(capacity).fill(rest, values.length);
  all.set(values);
  return engine.upload(all, [capacity]);
}
