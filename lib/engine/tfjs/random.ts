/**
 * Dropout masks, computed on the host: TensorFlow draws other numbers than the other engines do.
 *
 * @module
 */
import type { Dropout } from "../engine.ts";
import { dropoutScale, philox } from "../philox.ts";

/** Writes eight factors, 0 or the scale, of one counter to out[at …], as far as `count` goes. */
function eight(
  { rate, key }: Dropout,
  counter: readonly [number, number, number],
  words: Uint32Array,
  out: Float32Array,
  at: number,
  count: number,
): void {
  const { threshold, scale } = dropoutScale(rate);
  philox(key.seed, key.purpose, ...counter, key.step, words);
  for (let i = 0; i < count; i++) {
    out[at + i] = ((words[i >> 1]! >>> (16 * (i & 1))) & 0xffff) >= threshold ? scale : 0;
  }
}

/** Factors of [rows, features]. Counter: feature / 8, position, stream, step. */
export function rowMask(dropout: Dropout, places: Int32Array, rows: number, features: number): Float32Array {
  const mask = new Float32Array(rows * features);
  const words = new Uint32Array(4);
  for (let r = 0; r < rows; r++) {
    for (let f = 0; f < features; f += 8) {
      const counter = [f >> 3, places[2 * r + 1]!, places[2 * r]!] as const;
      eight(dropout, counter, words, mask, r * features + f, Math.min(8, features - f));
    }
  }
  return mask;
}

/** Factors of [n, heads, L, L]. Counter: head and key position / 8, query position, stream, step. */
export function attentionMask(
  dropout: Dropout,
  places: Int32Array,
  offsets: Int32Array,
  heads: number,
  length: number,
): Float32Array {
  const n = offsets.length - 1;
  const mask = new Float32Array(n * heads * length * length);
  const words = new Uint32Array(4);
  for (let s = 0; s < n; s++) {
    const [first, end] = [offsets[s]!, offsets[s + 1]!];
    for (let h = 0; h < heads; h++) {
      for (let token = first; token < end; token++) {
        const row = ((s * heads + h) * length + token - first) * length;
        for (let j = 0; j < end - first; j += 8) {
          const counter = [(h << 16) | (j >> 3), places[2 * token + 1]!, places[2 * token]!] as const;
          eight(dropout, counter, words, mask, row + j, Math.min(8, length - j));
        }
      }
    }
  }
  return mask;
}
