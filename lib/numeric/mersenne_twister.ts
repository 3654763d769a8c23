/**
 * The Mersenne Twister (MT19937) as numpy's `RandomState` and Python's `random.Random` use it: the same seed gives the
 * same draws, so that a protocol written for Python samples the same rows here. Kindred's own randomness is Philox.
 *
 * Matsumoto & Nishimura 1998; the derived draws follow numpy's legacy generator and CPython's `random.py`.
 *
 * @module
 */
import { EvaluationError } from "../error.ts";

const N = 624;
const M = 397;

/** A stream of 32-bit words. */
interface Words {
  /** The next word, 0 … 2³² − 1. */
  readonly next: () => number;
  /** A double in [0, 1) with 53 random bits of two words. */
  readonly double: () => number;
}

/** State from one word: `init_genrand`. */
function fromWord(seed: number): Uint32Array {
  const state = new Uint32Array(N);
  state[0] = seed;
  for (let i = 1; i < N; i++) {
    const before = state[i - 1]! ^ (state[i - 1]! >>> 30);
    state[i] = Math.imul(1812433253, before) + i;
  }
  return state;
}

/** State from a key of one word: `init_by_array`. */
function fromKey(key: number): Uint32Array {
  const state = fromWord(19650218);
  let i = 1;
  for (let k = 0; k < N; k++) {
    const before = state[i - 1]! ^ (state[i - 1]! >>> 30);
    state[i] = (state[i]! ^ Math.imul(before, 1664525)) + key;
    if (++i >= N) [state[0], i] = [state[N - 1]!, 1];
  }
  for (let k = 0; k < N - 1; k++) {
    const before = state[i - 1]! ^ (state[i - 1]! >>> 30);
    state[i] = (state[i]! ^ Math.imul(before, 1566083941)) - i;
    if (++i >= N) [state[0], i] = [state[N - 1]!, 1];
  }
  state[0] = 0x80000000;
  return state;
}

function words(state: Uint32Array): Words {
  let at = N;
  const refill = () => {
    for (let k = 0; k < N; k++) {
      const y = (state[k]! & 0x80000000) | (state[(k + 1) % N]! & 0x7fffffff);
      state[k] = state[(k + M) % N]! ^ (y >>> 1) ^ ((y & 1) === 0 ? 0 : 0x9908b0df);
    }
    at = 0;
  };
  const next = () => {
    if (at === N) refill();
    let y = state[at++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
  return { next, double: () => ((next() >>> 5) * 67108864 + (next() >>> 6)) / 9007199254740992 };
}

function expectSeed(seed: number): void {
  if (Number.isInteger(seed) && seed >= 0 && seed <= 0xffffffff) return;
  throw new EvaluationError("a seed of the Mersenne Twister must be a whole number of 32 bits", {
    expected: "a whole number from 0 to 4294967295",
    found: String(seed),
  });
}

/** Draws of numpy's `RandomState`. */
export interface NumpyRandom {
  /** `random_sample()`: a double in [0, 1). */
  readonly double: () => number;
  /** `randint(0, high + 1)`: a whole number from 0 to `high`. */
  readonly upTo: (high: number) => number;
  /** `shuffle(x)`, in place. */
  readonly shuffle: <A extends Int32Array | unknown[]>(values: A) => A;
  /** `permutation(n)`. */
  readonly permutation: (n: number) => Int32Array;
}

/**
 * The random numbers of `numpy.random.RandomState(seed)`.
 *
 * @param seed A whole number from 0 to 4294967295.
 * @returns A stream: each call draws on.
 * @throws {EvaluationError} A seed that is out of range.
 *
 * @example
 * ```ts
 * import { numpyRandom } from "@kindred/kindred/numeric";
 * import assert from "node:assert/strict";
 * assert.equal(numpyRandom(42).double(), 0.3745401188473625);
 * assert.deepEqual([...numpyRandom(42).permutation(5)], [1, 4, 2, 0, 3]);
 * ```
 */
export function numpyRandom(seed: number): NumpyRandom {
  expectSeed(seed);
  const { next, double } = words(fromWord(seed));
  const upTo = (high: number) => {
    if (high === 0) return 0;
    const mask = 2 ** (32 - Math.clz32(high)) - 1;
    let value;
    do value = (next() & mask) >>> 0; while (value > high);
    return value;
  };
  const shuffle = <A extends Int32Array | unknown[]>(values: A): A => {
    for (let i = values.length - 1; i > 0; i--) {
      const j = upTo(i);
      [values[i], values[j]] = [values[j]!, values[i]!];
    }
    return values;
  };
  return { double, upTo, shuffle, permutation: (n) => shuffle(Int32Array.from({ length: n }, (_, i) => i)) };
}

/** Draws of Python's `random.Random`. */
export interface PythonRandom {
  /** `random()`: a double in [0, 1). */
  readonly double: () => number;
  /** `sample(range(n), k)`: k different numbers below n. */
  readonly sample: (n: number, k: number) => Int32Array;
  /** `choices(range(n), k=k)`: k numbers below n, with replacement. */
  readonly choices: (n: number, k: number) => Int32Array;
}

/**
 * The random numbers of Python's `random.Random(seed)`.
 *
 * @param seed A whole number from 0 to 4294967295.
 * @returns A stream: each call draws on.
 * @throws {EvaluationError} A seed that is out of range; later, a sample larger than what it is drawn from.
 *
 * @example
 * ```ts
 * import { pythonRandom } from "@kindred/kindred/numeric";
 * import assert from "node:assert/strict";
 * assert.equal(pythonRandom(42).double(), 0.6394267984578837);
 * assert.deepEqual([...pythonRandom(42).sample(100, 3)], [81, 14, 3]);
 * ```
 */
export function pythonRandom(seed: number): PythonRandom {
  expectSeed(seed);
  const { next, double } = words(fromKey(seed));
  const below = (n: number) => {
    const bits = 32 - Math.clz32(n);
    let value;
    do value = next() >>> (32 - bits); while (value >= n);
    return value;
  };
  return {
    double,
    sample(n, k) {
      if (k > n) {
        throw new EvaluationError("a sample is larger than what it is drawn from", {
          expected: `at most ${n}`,
          found: `${k}`,
        });
      }
      const result = new Int32Array(k);
      // Python keeps a pool for small populations and a set of what was drawn for large ones: the draws differ.
      const setSize = 21 + (k > 5 ? 4 ** Math.ceil(Math.log(k * 3) / Math.log(4)) : 0);
      if (n <= setSize) {
        const pool = Int32Array.from({ length: n }, (_, i) => i);
        for (let i = 0; i < k; i++) {
          const j = below(n - i);
          result[i] = pool[j]!;
          pool[j] = pool[n - i - 1]!;
        }
      } else {
        const drawn = new Set<number>();
        for (let i = 0; i < k; i++) {
          let j;
          do j = below(n); while (drawn.has(j));
          drawn.add(j);
          result[i] = j;
        }
      }
      return result;
    },
    choices: (n, k) => Int32Array.from({ length: k }, () => Math.floor(double() * n)),
  };
}
