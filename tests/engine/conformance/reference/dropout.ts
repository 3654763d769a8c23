/** Dropout: which elements are kept is a function of a key and of the element's own place. */
import type { RandomKey } from "../../../../lib/engine/engine.ts";
import { philox } from "../../../../lib/engine/philox.ts";
import { map, type Tensor } from "../tensor.ts";

export interface Dropout {
  readonly rate: number;
  readonly key: RandomKey;
  /** [R, 2]: stream and position of each row. */
  readonly places: Tensor;
}

/**
 * The factor of number i (a feature, or a key position) of a row: its sixteen bits are those of Philox at the counter
 * (8 numbers each, position, stream, step); what is kept is divided by the exact probability of being kept.
 */
export function keepFactor({ rate, key, places }: Dropout, row: number, i: number, head = 0): number {
  const threshold = Math.round(rate * 65536);
  const drawn = numbersOf(
    key,
    places.data[2 * row]!,
    places.data[2 * row + 1]!,
    head * 65536 + Math.floor(i / 8),
  )[i % 8]!;
  return drawn >= threshold ? 65536 / (65536 - threshold) : 0;
}

/** Eight numbers of 16 bits. They are remembered: differences ask for the same ones again and again. */
function numbersOf(key: RandomKey, stream: number, position: number, block: number): Uint16Array {
  const name = [key.seed, key.purpose, key.step, stream, position, block].join();
  const known = drawn.get(name);
  if (known !== undefined) return known;
  const words = new Uint32Array(4);
  philox(key.seed, key.purpose, block, position, stream, key.step, words);
  const numbers = new Uint16Array(words.buffer);
  drawn.set(name, numbers);
  return numbers;
}
const drawn = new Map<string, Uint16Array>();

/** y[r, f] = x[r, f] · factor */
export function dropout(x: Tensor, options: Dropout | undefined): Tensor {
  if (options === undefined) return x;
  const width = x.shape[1]!;
  return map(x, (value, i) => value * keepFactor(options, Math.floor(i / width), i % width));
}
