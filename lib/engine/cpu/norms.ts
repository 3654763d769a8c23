/**
 * Normalisation of rows, and dropout.
 *
 * @module
 */
import type { Engine } from "../engine.ts";
import { at, atOr0, type Core, dropoutArguments, expectShape } from "./core.ts";
import { columnsOf, type Dispatch, rowsOf } from "./dispatch.ts";

/** See the Engine contract. */
export function normKernels(
  { heap, workspace }: Core,
  { run, rows }: Dispatch,
): Pick<Engine, "layerNorm" | "layerNormBackward" | "dropout" | "normalizeRows" | "normalizeRowsBackward"> {
  const { temporary } = heap;
  const zeros = (width: number) => {
    const handle = temporary([width]);
    run("fill", width, width, at(handle), 0);
    return handle;
  };
  return {
    layerNorm(x, gamma, beta, epsilon, { residual, dropout } = {}) {
      const [count, width] = x.shape as [number, number];
      expectShape("layerNorm", gamma, [width]);
      if (beta !== undefined) expectShape("layerNorm", beta, [width]);
      if (residual !== undefined) expectShape("layerNorm", residual, x.shape);
      const [y, sum, statistics] = [temporary(x.shape), temporary(x.shape), temporary([count, 2])];
      const outputs = [at(x), atOr0(residual), at(sum), at(y), at(statistics)];
      const rest = [at(gamma), at(beta ?? zeros(width)), epsilon, width, ...dropoutArguments(dropout)];
      rows("layerNorm", count, width, ...outputs, ...rest);
      return { y, sum, statistics };
    },
    layerNormBackward(dy, { sum, statistics }, gamma, dGamma, dBeta) {
      const [count, width] = dy.shape as [number, number];
      const ds = temporary(dy.shape);
      const blocks = Math.ceil(count / 64);
      const partial = workspace(8 * Math.max(1, blocks) * width);
      const inputs = [at(dy), at(sum), at(statistics), at(gamma)];
      run("layerNormBackward", blocks, 1, ...inputs, at(ds), partial, count, width);
      if (dGamma !== undefined) run("columnSumFinish", width, 512, partial, blocks, 2 * width, at(dGamma), 1);
      if (dBeta !== undefined) run("columnSumFinish", width, 512, partial + 4 * width, blocks, 2 * width, at(dBeta), 1);
      return ds;
    },
    dropout(x, dropout) {
      const y = temporary(x.shape);
      const [threshold, scale, ...rest] = dropoutArguments(dropout);
      if (threshold === 0) return x;
      rows("dropout", rowsOf(x), columnsOf(x), at(x), at(y), columnsOf(x), threshold, scale, ...rest);
      return y;
    },

    normalizeRows(x, epsilon) {
      const [y, norms] = [temporary(x.shape), temporary([rowsOf(x)])];
      rows("normalizeRows", rowsOf(x), columnsOf(x), at(x), at(y), at(norms), columnsOf(x), epsilon);
      return { y, norms };
    },
    normalizeRowsBackward(dy, y, norms, epsilon) {
      const dx = temporary(dy.shape);
      const inputs = [at(dy), at(y), at(norms), at(dx)];
      rows("normalizeRowsBackward", rowsOf(dy), columnsOf(dy), ...inputs, columnsOf(dy), epsilon);
      return dx;
    },
  };
}
