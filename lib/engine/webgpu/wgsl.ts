/**
 * What the kernels' texts share: functions of one number, random numbers, sums over a workgroup.
 *
 * @module
 */
import type { Activation, Dropout } from "../engine.ts";
import { dropoutScale } from "../philox.ts";
import type { Place } from "./bindings.ts";
import type { Element, Kernel } from "./kernel.ts";

/** Elements that a workgroup of an elementwise kernel does. */
export const ELEMENTS = 256;
/** Threads that share a row. */
export const ROW = 128;

/** Workgroups for so many items. */
export const groupsOf = (items: number, each: number): number => Math.ceil(items / each);

type Tensors = Readonly<Record<string, Element>>;

/** What a kernel of a few lines is given. */
export interface Given {
  readonly reads?: Tensors;
  readonly writes: Tensors;
  readonly numbers?: Tensors;
  readonly head?: string;
}

/** A kernel whose threads do one element i < size each. */
export function elementwise(name: string, given: Given, body: string): Kernel {
  return {
    name,
    reads: given.reads ?? {},
    writes: given.writes,
    numbers: { size: "u32", ...given.numbers },
    threads: ELEMENTS,
    head: given.head ?? "",
    body: `let i = group * ${ELEMENTS}u + t;\nif (i >= p.size) { return; }\n${body}`,
  };
}

/** A kernel whose workgroups do one row each: elements c = t, t + ROW, … < width of row `row`, which begin at `start`. */
export function rowwise(name: string, given: Given, body: string): Kernel {
  return {
    name,
    reads: given.reads ?? {},
    writes: given.writes,
    numbers: { rows: "u32", width: "u32", ...given.numbers },
    threads: ROW,
    head: `${reduction(ROW)}\n${given.head ?? ""}`,
    body: `let row = group;\nif (row >= p.rows) { return; }\nlet start = row * p.width;\n${body}`,
  };
}

/** Sums and maxima over all threads, always in the same order. Every thread must call them. */
export const reduction = (threads: number): string => `
var<workgroup> shares: array<f32, ${threads}>;
fn total(value: f32, t: u32) -> f32 {
  shares[t] = value;
  workgroupBarrier();
  for (var step = ${threads / 2}u; step > 0u; step /= 2u) {
    if (t < step) { shares[t] += shares[t + step]; }
    workgroupBarrier();
  }
  let result = shares[0];
  workgroupBarrier();
  return result;
}
fn most(value: f32, t: u32) -> f32 {
  shares[t] = value;
  workgroupBarrier();
  for (var step = ${threads / 2}u; step > 0u; step /= 2u) {
    if (t < step) { shares[t] = max(shares[t], shares[t + step]); }
    workgroupBarrier();
  }
  let result = shares[0];
  workgroupBarrier();
  return result;
}`;

/** Its bits, in a variable, for the language has no such constant. */
const INFINITY = "var<private> infinity: u32 = 0x7f800000u;";

/**
 * eˣ = 2ⁿ eʳ, r = x − n ln 2, whose polynomial is Cephes': WGSL's own may be off by 3 + 2 |x| units in the last place.
 */
export const EXP = `
${INFINITY}
fn exponential(x: f32) -> f32 {
  let held = clamp(x, -87.3, 89.0);
  let n = round(held * 1.44269504);
  // Held between bounds that it never reaches: else compilers make one product of the two, and ln 2 loses its digits.
  let high = clamp(fma(n, -0.693359375, held), -1.0, 1.0);
  let r = fma(n, 2.12194440e-4, high);
  var y = 1.9875691500e-4;
  y = fma(y, r, 1.3981999507e-3);
  y = fma(y, r, 8.3334519073e-3);
  y = fma(y, r, 4.1665795894e-2);
  y = fma(y, r, 1.6666665459e-1);
  y = fma(y, r, 5.0000001201e-1);
  y = fma(y, r * r, r + 1.0);
  // 2ⁿ in two factors, for n = 128 is no exponent.
  let half = i32(n) / 2;
  let scaled = y * bitcast<f32>((half + 127) << 23u) * bitcast<f32>((i32(n) - half + 127) << 23u);
  return select(select(scaled, bitcast<f32>(infinity), x > 88.722839), 0.0, x < -87.3);
}`;

/** ln x, beside EXP: WGSL's own is only as good as 2⁻²¹ near 1. Numbers below the normal ones are taken from their bits. */
export const LOG = `
fn logarithm(x: f32) -> f32 {
  let word = bitcast<u32>(x);
  if ((word & 0x7fffffffu) == 0u) { return -bitcast<f32>(infinity); }
  if (word >= 0x7f800000u) { return select(bitcast<f32>(infinity | 0x400000u), x, word == 0x7f800000u); }
  let isSmall = word < 0x800000u;
  let bits = select(i32(word), bitcast<i32>(f32(word)), isSmall) - 0x3f3504f3;
  let n = f32((bits >> 23u) - select(0, 149, isSmall));
  let m = bitcast<f32>((bits & 0x7fffff) + 0x3f3504f3) - 1.0;
  let s = m * m;
  var y = 7.0376836292e-2;
  y = fma(y, m, -1.1514610310e-1);
  y = fma(y, m, 1.1676998740e-1);
  y = fma(y, m, -1.2420140846e-1);
  y = fma(y, m, 1.4249322787e-1);
  y = fma(y, m, -1.6668057665e-1);
  y = fma(y, m, 2.0000714765e-1);
  y = fma(y, m, -2.4999993993e-1);
  y = fma(y, m, 3.3333331174e-1);
  let tail = fma(s, -0.5, fma(n, -2.12194440e-4, y * m * s));
  return fma(n, 0.693359375, m + tail);
}`;

const SIGMOID = `${EXP}
fn sigmoid(x: f32) -> f32 { return 1.0 / (1.0 + exponential(-x)); }`;
const TANH = `${EXP}
fn hyperbolic(x: f32) -> f32 {
  let s = x * x;
  let near = fma(s * fma(s, fma(s, -0.05396825397, 0.1333333333), -0.3333333333), x, x);
  return select(1.0 - 2.0 / (exponential(clamp(x + x, -80.0, 80.0)) + 1.0), near, abs(x) < 0.1);
}`;
/** A rational approximation of erf on [−4, 4], good to a few units in the last place. */
const ERF = `${EXP}
fn erf(x: f32) -> f32 {
  let v = clamp(x, -4.0, 4.0);
  let s = v * v;
  var y = -2.72614225801306e-10;
  y = fma(y, s, 2.77068142495902e-08);
  y = fma(y, s, -2.10102402082508e-06);
  y = fma(y, s, -5.69250639462346e-05);
  y = fma(y, s, -7.34990630326855e-04);
  y = fma(y, s, -2.95459980854025e-03);
  y = fma(y, s, -1.60960333262415e-02);
  var q = -1.45660718464996e-05;
  q = fma(q, s, -2.13374055278905e-04);
  q = fma(q, s, -1.68282697438203e-03);
  q = fma(q, s, -7.37332916720468e-03);
  q = fma(q, s, -1.42647390514189e-02);
  return v * y / q;
}`;

const swish = (c: string) => ({
  head: SIGMOID,
  value: `x * sigmoid(${c} * x)`,
  slope: `sigmoid(${c} * x) * (1.0 + ${c} * x * (1.0 - sigmoid(${c} * x)))`,
});
const INNER = "(x * fma(x * x, 0.044715, 1.0) * 0.7978845608)";

/** f(x) and f′(x) in WGSL, and what they call. */
export const ACTIVATIONS: Readonly<
  Record<Activation, { readonly head: string; readonly value: string; readonly slope: string }>
> = {
  gelu: {
    head: ERF,
    value: "0.5 * x * (1.0 + erf(x * 0.7071067812))",
    slope: "0.5 + 0.5 * erf(x * 0.7071067812) + x * 0.3989422804 * exponential(max(-0.5 * x * x, -87.0))",
  },
  geluTanh: {
    head: TANH,
    value: `0.5 * x * (1.0 + hyperbolic${INNER})`,
    slope: `0.5 + 0.5 * hyperbolic${INNER} + (1.0 - hyperbolic${INNER} * hyperbolic${INNER}) ` +
      `* 0.5 * x * 0.7978845608 * fma(min(x * x, 1e30), 0.134145, 1.0)`,
  },
  tanh: { head: TANH, value: "hyperbolic(x)", slope: "1.0 - hyperbolic(x) * hyperbolic(x)" },
  relu: { head: "", value: "max(x, 0.0)", slope: "select(0.0, 1.0, x > 0.0)" },
  silu: swish("1.0"),
  quickGelu: swish("1.702"),
  sigmoid: { head: SIGMOID, value: "sigmoid(x)", slope: "sigmoid(x) * (1.0 - sigmoid(x))" },
  leakyRelu: { head: "", value: "max(x, 0.01 * x)", slope: "select(0.01, 1.0, x > 0.0)" },
  squaredRelu: { head: "", value: "max(x, 0.0) * max(x, 0.0)", slope: "2.0 * max(x, 0.0)" },
};

/** `activated(x)` and `slope(x)` of an activation. */
export function activationText(activation: Activation): string {
  const { head, value, slope } = ACTIVATIONS[activation];
  return `${head}
fn activated(x: f32) -> f32 { return ${value}; }
fn slope(x: f32) -> f32 { return ${slope}; }`;
}

/**
 * Philox4x32-10 as `philox.ts` has it. `kept(stream, position, block, i)` is the factor of number i of a row: the eight
 * 16-bit numbers of counter `block + i / 8`.
 */
export const PHILOX = `
fn mulHigh(a: u32, b: u32) -> u32 {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let middle = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let carry = (middle & 0xffffu) + (a & 0xffffu) * (b >> 16u);
  return (a >> 16u) * (b >> 16u) + (middle >> 16u) + (carry >> 16u);
}
fn kept(stream: u32, position: u32, block: u32, i: u32) -> f32 {
  var c = vec4u(block + i / 8u, position, stream, p.step);
  var k = vec2u(p.seed, p.purpose);
  for (var round = 0u; round < 10u; round++) {
    c = vec4u(
      mulHigh(0xCD9E8D57u, c.z) ^ c.y ^ k.x, 0xCD9E8D57u * c.z, mulHigh(0xD2511F53u, c.x) ^ c.w ^ k.y, 0xD2511F53u * c.x);
    k += vec2u(0x9E3779B9u, 0xBB67AE85u);
  }
  let word = c[(i % 8u) / 2u];
  let drawn = select(word >> 16u, word & 0xffffu, i % 2u == 0u);
  return select(0.0, p.keepScale, drawn >= p.threshold);
}`;

/** The numbers that `kept` needs. */
export const DROPOUT_NUMBERS = {
  seed: "u32",
  purpose: "u32",
  step: "u32",
  threshold: "u32",
  keepScale: "f32",
} as const;

/** What a kernel with dropout is given; undefined where nothing is dropped. */
export function dropoutOf(
  dropout: Dropout | undefined,
  at: (handle: Dropout["places"]) => Place,
):
  | { readonly numbers: Readonly<Record<string, number>>; readonly places: Readonly<Record<string, Place>> }
  | undefined {
  if (dropout === undefined || dropout.rate === 0) return undefined;
  const { threshold, scale } = dropoutScale(dropout.rate);
  if (threshold === 0) return undefined;
  const { seed, purpose, step } = dropout.key; // and nothing else that a caller's record may have
  return { numbers: { seed, purpose, step, threshold, keepScale: scale }, places: { places: at(dropout.places) } };
}
