/**
 * The largest products of each row, where all of them are made.
 *
 * @module
 */
import type { Engine } from "./engine.ts";
import { expectTopProducts } from "./shapes.ts";

/** `Engine.topProducts` by the other two. */
export function topOfProduct({ matmul, topK }: Pick<Engine, "matmul" | "topK">): Engine["topProducts"] {
  return (a, b, k, best) => {
    expectTopProducts(a, b, k, best);
    return topK(matmul(a, b, { transposeB: true }), k, best);
  };
}
