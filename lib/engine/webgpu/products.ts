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
import type { TileChoice } from "./tuning.ts";

/** See the Engine contract. `tileFor` gives the shape of tiles, `halves` says whether layers multiply 16 bits. */
export function productKernels(
  { device, temporary, at }: Core,
  { tileFor, halves }: { readonly tileFor: TileChoice; readonly halves: boolean },
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
      if (preactivation !== undefined) expectShape("matmul", preactivation, shape);
      const out: Handle = options.out ?? temporary(shape);
      /** Whether rows of so many elements can be read, or written, by four. */
      const byFour = (width: number, ...tensors: readonly (Handle | undefined)[]) =>
        width % 4 === 0 && tensors.every((tensor) => tensor === undefined || at(tensor).first % 4 === 0);
      const tile = tileFor(batch * m! * n!);
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
        rounded: isLayer && halves,
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
