/**
 * What goes through an encoder: the encoder itself, a packed batch on the device, and which step of training it is.
 *
 * @module
 */
import type { Engine, Handle } from "../engine/engine.ts";
import type { Parameters } from "../tensor/tensor.ts";
import type { PackedBatch } from "../text/packed.ts";
import type { EncoderConfig } from "./config.ts";

/** An encoder: its shape and its tensors, under the names of its checkpoint. */
export interface Encoder {
  /** Its shape. */
  readonly config: EncoderConfig;
  /** Its tensors. */
  readonly parameters: Parameters;
}

/** A packed batch on the device. */
export interface DeviceBatch {
  /** i32 [T] */
  readonly ids: Handle;
  /** i32 [T] */
  readonly typeIds: Handle;
  /** i32 [T] place in the sequence, from 0 */
  readonly positions: Handle;
  /** i32 [n + 1] */
  readonly offsets: Handle;
  /** i32 [T, 2] */
  readonly places: Handle;
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
  return {
    ids: engine.upload(ids, [ids.length]),
    typeIds: engine.upload(typeIds, [ids.length]),
    positions: engine.upload(positions, [ids.length]),
    offsets: engine.upload(offsets, [offsets.length]),
    places: engine.upload(places, [ids.length, 2]),
    maxLength,
    packed,
  };
}
