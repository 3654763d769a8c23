/**
 * The largest of each row, of a matrix or of a product.
 *
 * @module
 */
import type { Engine, TopKBest } from "../engine.ts";
import { expectTopK, expectTopProducts } from "../shapes.ts";
import { topOfProduct } from "../top_of_product.ts";
import { at, type Core } from "./core.ts";
import type { Dispatch } from "./dispatch.ts";
import { boundedProducts, MAX_DEPTH } from "./int8.ts";
import { matmul } from "./products.ts";

/** Rows of a, and products of a sum, from which on it pays to pack b in 8 bits. */
const [LEAST_ROWS, LEAST_DEPTH] = [128, 128];
/** So many columns went before for each of the best: then few of the next ones are better, and are multiplied. */
const BEFORE = 32;

/** See the Engine contract. */
export function topKernels(core: Core, { rows }: Dispatch): Pick<Engine, "topK" | "topProducts"> {
  const { heap } = core;
  const placesOf = (best: TopKBest) => ({ from: best.from, best: at(best.values), bestIndices: at(best.indices) });
  const room = (count: number, k: number) => ({
    values: heap.temporary([count, k]),
    indices: heap.temporary([count, k], "i32"),
  });

  const topK: Engine["topK"] = (x, k, best) => {
    const [count, columns] = expectTopK(x, k, best);
    const before = best === undefined ? { from: 0, best: 0, bestIndices: 0 } : placesOf(best);
    const top = room(count, k);
    const to = { values: at(top.values), indices: at(top.indices) };
    rows("topK", count, columns, { x: at(x), columns, ...before, k, ...to });
    return top;
  };

  const matmulOf: Engine["matmul"] = (a, b, options) => matmul(core, a, b, options);
  const ofAll = topOfProduct({ matmul: matmulOf, topK });

  return {
    topK,
    topProducts(a, b, k, best) {
      const [count, columns, depth] = expectTopProducts(a, b, k, best);
      const isSooner = count >= LEAST_ROWS && depth >= LEAST_DEPTH && depth <= MAX_DEPTH &&
        core.accelerate === undefined;
      if (best === undefined || best.from < BEFORE * k || core.fastForm === undefined || !isSooner) {
        return ofAll(a, b, k, best);
      }
      const top = room(count, k);
      const { products, norms, errors } = boundedProducts(core, core.fastForm, a, b);
      const [[aNorms, bNorms], [aErrors, bErrors]] = [norms, errors];
      rows("topProducts", count, columns, {
        ...placesOf(best),
        x: at(products),
        columns,
        k,
        values: at(top.values),
        indices: at(top.indices),
        a: at(a),
        aNorms: at(aNorms),
        aErrors: at(aErrors),
        b: at(b),
        bNorms: at(bNorms),
        bErrors: at(bErrors),
        depth,
      });
      return top;
    },
  };
}
