/**
 * Matrix products.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import type { Engine, Handle } from "../engine.ts";
import { expectShape } from "../shapes.ts";
import type { Kernel } from "./kernel.ts";
import type { Core } from "./memory.ts";
import { type Form, nameOfProduct, product } from "./product.ts";
import { type Tile, tilesWithin } from "./tiles.ts";

/** How products are made. */
export interface ProductOptions {
  /** The shape of all tiles. Default: the first that the device has room for. */
  readonly tile?: Tile | undefined;
  /**
   * fp16: layers multiply numbers of 16 bits, with sums of 32; the adapter needs `shader-f16`. What is stored, losses,
   * norms and the optimizer keep 32. Default fp32.
   */
  readonly precision?: "fp32" | "fp16" | undefined;
}

/** See the Engine contract. */
export function productKernels(
  { device, temporary, at }: Core,
  { tile = tilesWithin(device.limits)[0]!, precision }: ProductOptions = {},
): Pick<Engine, "matmul"> {
  const known = new Map<string, Kernel>();
  const kernelOf = (form: Form): Kernel => {
    const name = nameOfProduct(form);
    const kernel = known.get(name) ?? product(form);
    known.set(name, kernel);
    return kernel;
  };
  return {
    matmul(a, b, options = {}) {
      const { transposeA = false, transposeB = false, scale = 1, bias, activation, preactivation } = options;
      const { accumulate = false, isLayer = false } = options;
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
      /** Whether rows of so many elements can be read, or written, by four. */
      const byFour = (width: number, ...tensors: readonly (Handle | undefined)[]) =>
        width % 4 === 0 && tensors.every((tensor) => tensor === undefined || at(tensor).first % 4 === 0);
      const kernel = kernelOf({
        tile,
        transposeA,
        transposeB,
        byFourA: byFour(a.shape.at(-1)!, a),
        byFourB: byFour(b.shape.at(-1)!, b),
        byFourC: byFour(n!, out, bias, preactivation),
        bias: bias !== undefined,
        preactivation: preactivation !== undefined,
        activation,
        accumulate: accumulate && options.out !== undefined,
        rounded: isLayer && precision === "fp16",
      });
      device.run(
        kernel,
        [Math.ceil(n! / tile.columns), Math.ceil(m! / tile.rows), batch],
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
