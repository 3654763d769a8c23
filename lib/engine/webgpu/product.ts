/**
 * The text of a matrix product: tiles in workgroup memory, and of them a block of sums in each thread's registers.
 *
 * @module
 */
import type { Activation } from "../engine.ts";
import type { Kernel } from "./kernel.ts";
import { nameOf, threadsOf, type Tile } from "./tiles.ts";
import { activationText } from "./wgsl.ts";

/** How the numbers of 16 bits are made. */
const HALF = `
fn half4(x: vec4f) -> vec4<f16> {
  // The language leaves open what becomes of a number that is too large: infinity, so that every sum it is in shows it.
  let bits = bitcast<vec4u>(x);
  let size = bits & vec4u(0x7fffffffu);
  let isBeyond = (size >= vec4u(0x477ff000u)) & (size <= vec4u(0x7f800000u)); // 65520, infinity
  return vec4<f16>(select(x, bitcast<vec4f>((bits & vec4u(0x80000000u)) | vec4u(0x7f800000u)), isBeyond));
}`;

/** What the text of a product depends on. */
export interface Form {
  readonly tile: Tile;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** Rows of A as they are stored begin at every fourth element, and are read by four. */
  readonly byFourA: boolean;
  /** So do those of B. */
  readonly byFourB: boolean;
  /** And those of C, bias and z. */
  readonly byFourC: boolean;
  readonly bias: boolean;
  /** z receives the value before the activation. */
  readonly preactivation: boolean;
  readonly activation: Activation | undefined;
  readonly accumulate: boolean;
  /** A and B are rounded to 16 bits; sums keep 32. */
  readonly rounded: boolean;
}

/** Its name says all of it: kernels of one name are compiled once. */
export function nameOfProduct(form: Form): string {
  const { tile, transposeA, transposeB, byFourA, byFourB, byFourC, bias, preactivation, activation, accumulate } = form;
  return [
    form.rounded ? "matmul f16" : "matmul",
    nameOf(tile),
    `${byFourA ? "A4" : "A"}${transposeA ? "ᵀ" : ""}`,
    `${byFourB ? "B4" : "B"}${transposeB ? "ᵀ" : ""}`,
    byFourC ? "C4" : "C",
    bias && "bias",
    preactivation && "z",
    activation,
    accumulate && "add",
  ].filter(Boolean).join(" ");
}

const range = (size: number): readonly number[] => Array.from({ length: size }, (_, i) => i);

/** A factor: op(A) seen from its rows, op(B) from its columns, both called lines here. */
interface Factor {
  /** a or b. */
  readonly name: string;
  /** How many lines there are, in WGSL. */
  readonly lines: string;
  /** The first line of the tile, in WGSL. */
  readonly from: string;
  /** Lines of a tile. */
  readonly size: number;
  /** Memory goes along k, line by line; else across the lines, k by k. */
  readonly along: boolean;
  readonly byFour: boolean;
  /** What makes of four numbers those that are multiplied. */
  readonly rounding: string;
}

/**
 * Copies a factor's share of a slice into workgroup memory: four lines beside each other are a vector there, k by k, and
 * neighbouring threads read what is neighbouring in memory. 0 is what lies outside.
 */
function loading({ name, lines, from, size, along, byFour, rounding }: Factor, { depth }: Tile, threads: number) {
  const [tile, fours] = [`${name}Tile`, size / 4];
  const lookup = (index: string, type: string) =>
    `(line: u32, k: u32, batch: u32) -> ${type} {
  if (line >= ${lines} || k >= p.k) { return ${type}(); }
  return ${name}[${index}];
}`;
  if (along && byFour) { // blocks of four lines by four k, which are turned
    return {
      head: `fn ${name}Along${lookup(`(batch * ${lines} + line) * (p.k / 4u) + k / 4u`, "vec4f")}`,
      body: `
  for (var e = t; e < ${(fours * depth) / 4}u; e += ${threads}u) {
    let k = e % ${depth / 4}u * 4u;
    let at = e / ${depth / 4}u;
    let line = ${from} + 4u * at;
    let block = transpose(mat4x4f(${range(4).map((i) => `${name}Along(line + ${i}u, slice + k, wid.z)`).join(", ")}));
    ${range(4).map((i) => `${tile}[(k + ${i}u) * ${fours}u + at] = ${rounding}(block[${i}]);`).join("\n    ")}
  }`,
    };
  }
  const head = byFour
    ? `fn ${name}Across${lookup(`(batch * p.k + k) * (${lines} / 4u) + line / 4u`, "vec4f")}`
    : `fn ${name}One${
      lookup(along ? `(batch * ${lines} + line) * p.k + k` : `(batch * p.k + k) * ${lines} + line`, "f32")
    }
fn ${name}Across(line: u32, k: u32, batch: u32) -> vec4f {
  return vec4f(${range(4).map((i) => `${name}One(line + ${i}u, k, batch)`).join(", ")});
}`;
  return {
    head,
    body: `
  for (var e = t; e < ${fours * depth}u; e += ${threads}u) {
    let k = ${along ? `e % ${depth}u` : `e / ${fours}u`};
    let at = ${along ? `e / ${depth}u` : `e % ${fours}u`};
    ${tile}[k * ${fours}u + at] = ${rounding}(${name}Across(${from} + 4u * at, slice + k, wid.z));
  }`,
  };
}

/** Writes four sums: C = f(α sum (+ C) + bias). Where two roundings could become one, it says which it is. */
function storing({ byFourC, bias, preactivation, activation, accumulate }: Form): string {
  const type = byFourC ? "vec4f" : "f32";
  const scale = `${type}(p.scale)`;
  const value = accumulate
    ? `fma(sum, ${scale}, c[at])${bias ? " + bias[column]" : ""}`
    : bias
    ? `fma(sum, ${scale}, bias[column])`
    : "sum * p.scale";
  const result = activation === undefined
    ? "value"
    : byFourC
    ? `vec4f(${["x", "y", "z", "w"].map((i) => `activated(value.${i})`).join(", ")})`
    : "activated(value)";
  const one = `{
  let value = ${value};
  ${preactivation ? "z[at] = value;" : ""}
  c[at] = ${result};
}`;
  return byFourC
    ? `fn store(row: u32, first: u32, batch: u32, sum: vec4f) {
  if (row >= p.m || first >= p.n) { return; }
  let column = first / 4u;
  let at = (batch * p.m + row) * (p.n / 4u) + column;
  ${one}
}`
    : `fn store(row: u32, first: u32, batch: u32, sums: vec4f) {
  for (var i = 0u; i < 4u; i++) {
    let column = first + i;
    if (row >= p.m || column >= p.n) { return; }
    let at = (batch * p.m + row) * p.n + column;
    let sum = sums[i];
    ${one}
  }
}`;
}

/**
 * C = f(α op(A) op(B) (+ C) + bias). Each sum goes over k in order, by fours, the last of them filled up with 0: nothing
 * of the tile shows in the result.
 */
export function product(form: Form): Kernel {
  const { tile, transposeA, transposeB, byFourA, byFourB, byFourC, bias, preactivation, activation, rounded } = form;
  const { rows, columns, depth, down, across } = tile;
  const threads = threadsOf(tile);
  /** Threads side by side, and threads below each other. */
  const [lanes, levels] = [columns / across, rows / down];
  const [held, rounding] = rounded ? ["vec4<f16>", "half4"] : ["vec4f", ""];
  const a = { name: "a", lines: "p.m", from: "top", size: rows, along: !transposeA, byFour: byFourA, rounding };
  const b = { name: "b", lines: "p.n", from: "left", size: columns, along: transposeB, byFour: byFourB, rounding };
  const [loadA, loadB] = [loading(a, tile, threads), loading(b, tile, threads)];
  const [blocksDown, blocksAcross] = [range(down / 4), range(across / 4)];
  const places = range(down).flatMap((i) => blocksAcross.map((j) => [i, j] as const));
  const oneOfK = (k: number) =>
    `{
      ${
      blocksDown.map((i) => `let x${i} = vec4f(aTile[(k + ${k}u) * ${rows / 4}u + level + ${i * levels}u]);`).join(
        "\n      ",
      )
    }
      ${
      blocksAcross.map((j) => `let y${j} = vec4f(bTile[(k + ${k}u) * ${columns / 4}u + lane + ${j * lanes}u]);`).join(
        "\n      ",
      )
    }
      ${
      places.map(([i, j]) => `s${i}_${j} = fma(vec4f(x${i >> 2}.${"xyzw"[i & 3]}), y${j}, s${i}_${j});`).join(
        "\n      ",
      )
    }
    }`;
  const [typeA, typeB, typeC] = [byFourA, byFourB, byFourC].map((byFour) => byFour ? "vec4f" as const : "f32" as const);
  return {
    name: nameOfProduct(form),
    reads: { a: typeA!, b: typeB!, ...(bias && { bias: typeC! }) },
    writes: { c: typeC!, ...(preactivation && { z: typeC! }) },
    numbers: { m: "u32", n: "u32", k: "u32", scale: "f32" },
    threads,
    ...(rounded && { extension: "f16" as const }),
    head: `${rounded ? HALF : ""}
var<workgroup> aTile: array<${held}, ${(rows * depth) / 4}>;
var<workgroup> bTile: array<${held}, ${(columns * depth) / 4}>;
${loadA.head}
${loadB.head}
${activation === undefined ? "" : activationText(activation)}
${storing(form)}`,
    body: `
  let top = wid.y * ${rows}u;
  let left = wid.x * ${columns}u;
  let lane = t % ${lanes}u;
  let level = t / ${lanes}u;
  ${places.map(([i, j]) => `var s${i}_${j} = vec4f();`).join("\n  ")}
  for (var slice = 0u; slice < p.k; slice += ${depth}u) {
  ${loadA.body}
  ${loadB.body}
    workgroupBarrier();
    let deep = min(${depth}u, p.k - slice);
    for (var k = 0u; k < deep; k += 4u) {
    ${range(4).map(oneOfK).join("\n    ")}
    }
    workgroupBarrier();
  }
  // Neighbouring threads have neighbouring fours of a row, so that they read different banks and write side by side.
  var sums = array<vec4f, ${places.length}>(${places.map(([i, j]) => `s${i}_${j}`).join(", ")});
  for (var e = 0u; e < ${places.length}u; e++) {
    let i = e / ${blocksAcross.length}u;
    let row = top + 4u * (level + i / 4u * ${levels}u) + i % 4u;
    let column = left + 4u * (lane + e % ${blocksAcross.length}u * ${lanes}u);
    store(row, column, wid.z, sums[e]);
  }`,
  };
}
