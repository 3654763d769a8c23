/**
 * Rotary positions: the angles that a configuration asks for, and the tables that the layers of a batch share.
 *
 * @module
 */
import type { Handle, Rotation } from "../../engine/engine.ts";
import { rotationTable } from "../../tensor/ops.ts";
import type { Tape } from "../../tensor/tape.ts";
import type { DeviceBatch } from "../batch.ts";
import type { ConfigReader } from "../config.ts";

/** Kinds of layers that may turn by angles of their own. */
export type LayerKind = "full_attention" | "sliding_attention";

/** Where a configuration says how positions turn. */
export interface RopeChoice {
  /** Size of a head. */
  readonly headSize: number;
  /** θ where nothing is said. */
  readonly theta: number;
  /** Name of θ in configurations of before transformers 5. Default `rope_theta`. */
  readonly name?: string;
  /** Entry of `rope_parameters` for this kind of layers, where they differ. */
  readonly kind?: LayerKind;
  /** Whether `rope_scaling`, of before transformers 5, holds for these layers. Default true. */
  readonly isScaled?: boolean;
}

/** Angles by which one position turns each pair of features. Types of scaling beyond `linear` and `llama3` are refused. */
export function frequenciesOf(read: ConfigReader, choice: RopeChoice): Float32Array {
  const { headSize, theta, name = "rope_theta", kind, isScaled = true } = choice;
  type Rope = Readonly<Record<string, unknown>>;
  const parameters = (read.json["rope_parameters"] ?? {}) as Rope;
  const scaling = (isScaled ? read.json["rope_scaling"] : undefined) as Rope | null | undefined;
  const rope: Rope = { ...scaling, ...(kind === undefined ? parameters : parameters[kind] as Rope | undefined) };
  const type = String(rope["rope_type"] ?? rope["type"] ?? "default");
  if (!["default", "linear", "llama3"].includes(type)) return read.refuse(`rotary positions of the type ${type}`);
  if ((rope["partial_rotary_factor"] ?? 1) !== 1) return read.refuse("rotary positions of a part of each head");
  const base = Number(rope["rope_theta"] ?? read.json[name] ?? theta);
  const frequencies = inverseFrequencies(base, headSize);
  if (type === "default") return frequencies;
  const factor = Number(rope["factor"]);
  if (type === "linear") return frequencies.map((frequency) => frequency / factor);
  const [low, high] = [Number(rope["low_freq_factor"]), Number(rope["high_freq_factor"])];
  const known = Number(rope["original_max_position_embeddings"] ?? read.json["max_position_embeddings"]);
  return frequencies.map((frequency) => {
    const turns = known * frequency / (2 * Math.PI); // within the length that the model was trained on
    if (turns > high) return frequency;
    if (turns < low) return frequency / factor;
    const smooth = (turns - low) / (high - low);
    return (1 - smooth) * frequency / factor + smooth * frequency;
  });
}

/** fᵢ = 1 / θ^(i / P) for i < P = dimensions / 2, in single precision as transformers computes them. */
function inverseFrequencies(theta: number, dimensions: number): Float32Array {
  return Float32Array.from(
    { length: dimensions / 2 },
    (_, i) => 1 / Math.fround(Math.pow(theta, Math.fround(2 * i / dimensions))),
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
