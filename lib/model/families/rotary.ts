/**
 * Rotary positions: the angles that a configuration asks for, and the tables that the layers of a batch share.
 *
 * @module
 */
import type { Handle, Rotation } from "../../engine/engine.ts";
import { rotationTable } from "../../tensor/ops.ts";
import type { Tape } from "../../tensor/tape.ts";
import type { DeviceBatch } from "../batch.ts";
import type { ConfigReader, LayerKind } from "../config.ts";

/** Where a configuration says how positions turn. */
export interface RopeChoice {
  /** Size of a head. */
  readonly headSize: number;
  /** θ where nothing is said. */
  readonly theta: number;
  /** Names of θ in configurations of before transformers 5, the first that is there counts. Default `rope_theta`. */
  readonly names?: readonly string[];
  /** Entry of `rope_parameters` for this kind of layers, where they differ. */
  readonly kind?: LayerKind;
  /** Whether `rope_scaling`, of before transformers 5, holds for these layers. Default true. */
  readonly isScaled?: boolean;
  /** Whether `ntk` is a type: what GTE's own files do. Default false. */
  readonly isNtk?: boolean;
}

type Rope = Readonly<Record<string, unknown>>;

/**
 * What a configuration says of the rotary positions of a kind of layers, as transformers reads it: `rope_scaling`, of before
 * its version 5, takes the place of `rope_parameters`, but where each kind of layers has its own it is added to them.
 */
function ropeOf(read: ConfigReader, { kind, isScaled = true }: RopeChoice): Rope {
  const parameters = (read.json["rope_parameters"] ?? {}) as Rope;
  const scaling = ((isScaled ? read.json["rope_scaling"] : undefined) ?? {}) as Rope;
  if (kind !== undefined) return { ...parameters[kind] as Rope | null | undefined, ...scaling };
  const rope = Object.keys(scaling).length > 0 ? scaling : parameters;
  const isNested = "full_attention" in rope || "sliding_attention" in rope;
  return isNested ? read.refuse("rotary positions of each kind of layers apart") : rope;
}

/**
 * Angles by which one position turns each pair of features. Types of scaling beyond `linear` and `llama3` are refused, and
 * so are heads that turn in part.
 */
export function frequenciesOf(read: ConfigReader, choice: RopeChoice): Float32Array {
  const { headSize, theta, names = ["rope_theta"], isNtk = false } = choice;
  const rope = ropeOf(read, choice);
  const type = String(rope["rope_type"] ?? rope["type"] ?? "default");
  if (!["default", "linear", "llama3", ...(isNtk ? ["ntk"] : [])].includes(type)) {
    return read.refuse(`rotary positions of the type ${type}`);
  }
  if ((rope["partial_rotary_factor"] ?? read.json["partial_rotary_factor"] ?? 1) !== 1) {
    return read.refuse("rotary positions of a part of each head");
  }
  const above0 = (name: string, value: unknown): number =>
    typeof value === "number" && value > 0 && Number.isFinite(value)
      ? value
      : read.refuse(`rotary positions with the ${name} ${JSON.stringify(value) ?? "missing"}`);
  const own = (name: string) => above0(name, rope[name]);
  const base = above0("rope_theta", [rope["rope_theta"], ...names.map((name) => read.json[name]), theta].find(isThere));
  if (type === "default") return inverseFrequencies(base, headSize);
  const factor = own("factor");
  // Su's fixed NTK scaling (https://kexue.fm/archives/9706): θ grows, and all angles shrink a little.
  if (type === "ntk") {
    if (isThere(rope["mixed_b"])) return read.refuse("rotary positions with mixed_b");
    return inverseFrequencies(base * factor, headSize).map((frequency) => frequency / factor ** (2 / headSize));
  }
  const frequencies = inverseFrequencies(base, headSize);
  if (type === "linear") return frequencies.map((frequency) => frequency / factor);
  const [low, high] = [own("low_freq_factor"), own("high_freq_factor")];
  const original = "original_max_position_embeddings";
  const { json } = read;
  const known = above0(original, [json[original], rope[original], json["max_position_embeddings"]].find(isThere));
  return frequencies.map((frequency) => {
    const turns = known * frequency / (2 * Math.PI); // within the length that the model was trained on
    if (turns > high) return frequency;
    if (turns < low) return frequency / factor;
    const smooth = (turns - low) / (high - low);
    return (1 - smooth) * frequency / factor + smooth * frequency;
  });
}

const isThere = (value: unknown) => value !== undefined && value !== null;

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
