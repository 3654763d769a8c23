/**
 * Matrix products by tiles.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import type { Activation, Engine, Handle } from "../engine.ts";
import { expectShape } from "../shapes.ts";
import type { Kernel } from "./kernel.ts";
import type { Core } from "./memory.ts";
import { activationText } from "./wgsl.ts";

/** Rows and columns of C that a workgroup computes, and how deep a slice of A and B it holds. */
const TILE = 64;
const DEPTH = 16;
/** Rows and columns that a thread computes. */
const EACH = 4;
const LANES = TILE / EACH;

interface Form {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly bias: boolean;
  readonly preactivation: boolean;
  readonly activation: Activation | undefined;
  readonly accumulate: boolean;
}

/**
 * C = f(α op(A) op(B) (+ C) + bias). A workgroup holds TILE × DEPTH of A and DEPTH × TILE of B at a time; each sum goes
 * over k in order, so that no size of tile shows in the result.
 */
function product({ transposeA, transposeB, bias, preactivation, activation, accumulate }: Form): Kernel {
  const form = [
    transposeA && "Aᵀ",
    transposeB && "Bᵀ",
    bias && "bias",
    preactivation && "z",
    activation,
    accumulate && "add",
  ].filter(Boolean);
  const load = (tile: string, tensor: string, transposed: boolean, rows: string, from: string, shift: string) => `
    for (var e = t; e < ${TILE * DEPTH}u; e += ${LANES * LANES}u) {
      ${
    transposed // neighbouring threads read neighbouring elements
      ? `let k = e / ${TILE}u; let i = e % ${TILE}u;`
      : `let i = e / ${DEPTH}u; let k = e % ${DEPTH}u;`
  }
      let row = ${from} + i;
      let depth = slice + k;
      var value = 0.0;
      if (row < ${rows} && depth < p.k) {
        value = ${tensor}[${shift} + ${transposed ? `depth * ${rows} + row` : "row * p.k + depth"}];
      }
      ${tile}[k * ${TILE}u + i] = value;
    }`;
  return {
    name: ["matmul", ...form].join(" "),
    reads: { a: "f32", b: "f32", ...(bias && { bias: "f32" }) },
    writes: { c: "f32", ...(preactivation && { z: "f32" }) },
    numbers: { m: "u32", n: "u32", k: "u32", scale: "f32" },
    threads: LANES * LANES,
    head: `
${activation === undefined ? "" : activationText(activation)}
var<workgroup> tileA: array<f32, ${TILE * DEPTH}>;
var<workgroup> tileB: array<f32, ${TILE * DEPTH}>;`,
    body: `
  let top = wid.y * ${TILE}u;
  let left = wid.x * ${TILE}u;
  let down = (t / ${LANES}u) * ${EACH}u;
  let right = (t % ${LANES}u) * ${EACH}u;
  var sums: array<vec4f, ${EACH}>;
  for (var slice = 0u; slice < p.k; slice += ${DEPTH}u) {
    ${load("tileA", "a", transposeA, "p.m", "top", "wid.z * p.m * p.k")}
    ${load("tileB", "b", !transposeB, "p.n", "left", "wid.z * p.n * p.k")}
    workgroupBarrier();
    for (var k = 0u; k < ${DEPTH}u; k++) {
      let at = k * ${TILE}u + right;
      let y = vec4f(tileB[at], tileB[at + 1u], tileB[at + 2u], tileB[at + 3u]);
      for (var i = 0u; i < ${EACH}u; i++) { sums[i] = fma(vec4f(tileA[k * ${TILE}u + down + i]), y, sums[i]); }
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < ${EACH}u; i++) {
    let row = top + down + i;
    for (var j = 0u; j < ${EACH}u; j++) {
      let column = left + right + j;
      if (row >= p.m || column >= p.n) { continue; }
      let at = (wid.z * p.m + row) * p.n + column;
      var value = sums[i][j] * p.scale;
      ${accumulate ? "value += c[at];" : ""}
      ${bias ? "value += bias[column];" : ""}
      ${preactivation ? "z[at] = value;" : ""}
      c[at] = ${activation === undefined ? "value" : "activated(value)"};
    }
  }`,
  };
}

/** See the Engine contract. */
export function productKernels({ device, temporary, at }: Core): Pick<Engine, "matmul"> {
  return {
    matmul(a, b, options = {}) {
      const { transposeA = false, transposeB = false, scale = 1, bias, activation, preactivation } = options;
      const { accumulate = false } = options;
      const [m, k] = transposeA ? a.shape.slice(-2).reverse() : a.shape.slice(-2);
      const [kB, n] = transposeB ? b.shape.slice(-2).reverse() : b.shape.slice(-2);
      const batch = a.shape.length === 3 ? a.shape[0]! : 1;
      if (k !== kB || a.shape.length !== b.shape.length || (a.shape.length === 3 && batch !== b.shape[0])) {
        throw new EngineError("matmul: shapes do not fit", {
          found: `[${a.shape}]${transposeA ? "ᵀ" : ""} × [${b.shape}]${transposeB ? "ᵀ" : ""}`,
        });
      }
      const shape = [...a.shape.slice(0, -2), m!, n!];
      if (bias !== undefined) expectShape("matmul", bias, [n]);
      if (options.out !== undefined) expectShape("matmul", options.out, shape);
      const out: Handle = options.out ?? temporary(shape);
      const kernel = product({
        transposeA,
        transposeB,
        bias: bias !== undefined,
        preactivation: preactivation !== undefined,
        activation,
        accumulate: accumulate && options.out !== undefined,
      });
      device.run(
        kernel,
        [Math.ceil(n! / TILE), Math.ceil(m! / TILE), batch],
        {
          a: at(a),
          b: at(b),
          c: at(out),
          ...(bias !== undefined && { bias: at(bias) }),
          ...(preactivation !== undefined && { z: at(preactivation) }),
        },
        { m: m!, n: n!, k: k!, scale },
      );
      return out;
    },
  };
}
