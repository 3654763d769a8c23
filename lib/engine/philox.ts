/**
 * Counter-based random numbers: Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
 *
 * A number is a function of a key (seed, purpose) and a counter (what it is for), not of what was drawn before: results
 * do not depend on order, packing, threads or resumption.
 *
 * @module
 */

const M0 = 0xD2511F53;
const M1 = 0xCD9E8D57;
const W0 = 0x9E3779B9;
const W1 = 0xBB67AE85;

/** Upper 32 bits of the product of two unsigned 32-bit numbers. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = (middle & 0xffff) + aLow * bHigh;
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) >>> 0;
}

/** Ten rounds over counter (c0, c1, c2, c3) under key (k0, k1), written to `out[0…3]`. */
export function philox(
  k0: number,
  k1: number,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  out: Uint32Array,
): void {
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(M0, c0 >>> 0);
    const low0 = Math.imul(M0, c0);
    const high1 = mulHigh(M1, c2 >>> 0);
    const low1 = Math.imul(M1, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + W0) | 0;
    k1 = (k1 + W1) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** What random numbers are for: the names of {@linkcode randomPurpose}. */
export type Purpose =
  | "embedding-dropout"
  | "attention-dropout"
  | "hidden-dropout"
  | "ffn-dropout"
  | "head-init"
  | "model-init"
  | "shuffle"
  | "negatives"
  | "masking"
  | "noise"
  | "sample"
  | "split"
  | "pairs"
  | "classifier-dropout"
  | "in-batch-negatives"
  | "gate-dropout"
  | "lora-init"
  | "lora-dropout"
  | "skip-gram"
  | "bootstrap"
  | "matryoshka"
  | "mixing";

/** All of them. The order is part of the results: only append. */
const PURPOSES: readonly Purpose[] = [
  "embedding-dropout",
  "attention-dropout",
  "hidden-dropout",
  "ffn-dropout",
  "head-init",
  "model-init",
  "shuffle",
  "negatives",
  "masking",
  "noise",
  "sample",
  "split",
  "pairs",
  "classifier-dropout",
  "in-batch-negatives",
  "gate-dropout",
  "lora-init",
  "lora-dropout",
  "skip-gram",
  "bootstrap",
  "matryoshka",
  "mixing",
];

/**
 * A number that keeps the random numbers for one thing apart from those for all others.
 *
 * @param name What they are for.
 * @param layer Which of several, such as the layers of an encoder. Default 0.
 * @returns For {@linkcode randomStream}.
 */
export function randomPurpose(name: Purpose, layer = 0): number {
  return (PURPOSES.indexOf(name) + 1) * 0x10000 + layer;
}

/** Probability threshold of dropout, and what kept values are multiplied with. */
export function dropoutScale(rate: number): { readonly threshold: number; readonly scale: number } {
  const threshold = Math.round(rate * 0x10000);
  return { threshold, scale: 0x10000 / (0x10000 - threshold) };
}

/** Random numbers for the host: shuffling, initialisation, sampling. */
export interface RandomStream {
  /** In [0, 1), 32 bits. */
  readonly uniform: () => number;
  /** 0 … n − 1, each equally likely. */
  readonly int: (n: number) => number;
  /** Standard normal (Box and Muller). */
  readonly normal: () => number;
  /** Fisher and Yates, in place. */
  readonly shuffle: <A extends Int32Array | unknown[]>(values: A) => A;
}

/**
 * A stream of random numbers (Philox 4×32-10; Salmon et al. 2011, doi 10.1145/2063384.2063405): the same seed, purpose
 * and counter give the same numbers on every machine.
 *
 * @param seed A whole number.
 * @param purpose From {@linkcode randomPurpose}.
 * @param counter Which of many streams, such as that of a row. Default 0.
 * @returns Draws on with every call.
 *
 * @example
 * ```ts
 * import { randomPurpose, randomStream } from "@kindred/kindred/engine";
 * import assert from "node:assert/strict";
 * const purpose = randomPurpose("sample");
 * assert.equal(randomStream(1, purpose).int(100), randomStream(1, purpose).int(100));
 * ```
 */
export function randomStream(seed: number, purpose: number, counter = 0): RandomStream {
  const words = new Uint32Array(4);
  let block = 0;
  let used = 4;
  const word = (): number => {
    if (used === 4) {
      philox(seed, purpose, block++, 0, counter, 0, words);
      used = 0;
    }
    return words[used++]!;
  };
  const int = (n: number): number => {
    const limit = 0x100000000 - 0x100000000 % n; // above it the remainder would favour small numbers
    let value = word();
    while (value >= limit) value = word();
    return value % n;
  };
  return {
    uniform: () => word() / 0x100000000,
    int,
    normal: () => Math.sqrt(-2 * Math.log(1 - word() / 0x100000000)) * Math.cos(2 * Math.PI * (word() / 0x100000000)),
    shuffle(values) {
      for (let i = values.length - 1; i > 0; i--) {
        const j = int(i + 1);
        [values[i], values[j]] = [values[j]!, values[i]!];
      }
      return values;
    },
  };
}
