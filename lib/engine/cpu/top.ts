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
/** The share of products that may be multiplied after all: one by one they take several times as long. */
const MOST = 0.1;
/** What is left of that at each call after: where nearly all was multiplied it is tried again after a thousand. */
const FORGETTING = 0.998;
/** Multiplications in floats of one call, at most, so that none takes long: the event loop waits meanwhile. */
const CALL = 5e8;

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

  const ofAll = topOfProduct({ matmul: (a, b, options) => matmul(core, a, b, options), topK });
  /** The share of products that were multiplied after all, of late. */
  let share = 0;

  return {
    topK,
    topProducts(a, b, k, best) {
      const [count, columns, depth] = expectTopProducts(a, b, k, best);
      const form = core.fastForm;
      const isSooner = count >= LEAST_ROWS && depth >= LEAST_DEPTH && depth <= MAX_DEPTH && b.dtype === "f32" &&
        core.accelerate === undefined;
      if (best === undefined || best.from < BEFORE * k || form === undefined || !isSooner || share > MOST) {
        share *= FORGETTING;
        return ofAll(a, b, k, best);
      }
      const top = room(count, k);
      const { products, norms, errors } = boundedProducts(core, form, a, b);
      const multiplied = at(heap.temporary([count], "i32"));
      const { from, ...held } = placesOf(best);
      const shared = { from, columns, k, depth, b: at(b), bNorms: at(norms[1]), bErrors: at(errors[1]) };
      const height = Math.max(1, Math.floor(CALL / (columns * depth)));
      for (let row = 0; row < count; row += height) {
        const rowOf = (address: number, width: number) => address + 4 * row * width;
        rows("topProducts", Math.min(height, count - row), columns, {
          ...shared,
          about: rowOf(at(products), columns),
          best: rowOf(held.best, k),
          bestIndices: rowOf(held.bestIndices, k),
          values: rowOf(at(top.values), k),
          indices: rowOf(at(top.indices), k),
          a: rowOf(at(a), depth),
          aNorms: rowOf(at(norms[0]), 1),
          aErrors: rowOf(at(errors[0]), 1),
          multiplied: rowOf(multiplied, 1),
        });
      }
      core.enqueue(() => {
        const all = core.ints(multiplied, count).reduce((sum, products) => sum + products, 0);
        share = all / Math.max(1, count * columns);
      });
      return top;
    },
  };
}
