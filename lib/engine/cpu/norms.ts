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
  return {
    layerNorm(x, gamma, beta, epsilon, { residual, dropout } = {}) {
      const [count, width] = x.shape as [number, number];
      expectShape("layerNorm", gamma, [width]);
      if (beta !== undefined) expectShape("layerNorm", beta, [width]);
      if (residual !== undefined) expectShape("layerNorm", residual, x.shape);
      const [y, sum, statistics] = [temporary(x.shape), temporary(x.shape), temporary([count, 2])];
      rows("layerNorm", count, width, {
        x: at(x),
        residual: atOr0(residual),
        sum: at(sum),
        y: at(y),
        statistics: at(statistics),
        gamma: at(gamma),
        beta: atOr0(beta),
        epsilon,
        width,
        ...dropoutArguments(dropout),
      });
      return { y, sum, statistics };
    },
    layerNormBackward(dy, { sum, statistics }, gamma, dGamma, dBeta) {
      const [count, width] = dy.shape as [number, number];
      const ds = temporary(dy.shape);
      const blocks = Math.ceil(count / 64);
      const partial = workspace(8 * Math.max(1, blocks) * width);
      const inputs = { dy: at(dy), sum: at(sum), statistics: at(statistics), gamma: at(gamma) };
      run("layerNormBackward", blocks, 1, { ...inputs, ds: at(ds), partial, rows: count, width });
      const finish = { blocks, stride: 2 * width, accumulate: 1 };
      if (dGamma !== undefined) run("columnSumFinish", width, 512, { ...finish, partial, y: at(dGamma) });
      if (dBeta !== undefined) {
        run("columnSumFinish", width, 512, { ...finish, partial: partial + 4 * width, y: at(dBeta) });
      }
      return ds;
    },
    dropout(x, dropout) {
      const y = temporary(x.shape);
      const [width, key] = [columnsOf(x), dropoutArguments(dropout)];
      if (key.threshold === 0) return x;
      rows("dropout", rowsOf(x), width, { x: at(x), y: at(y), width, ...key });
      return y;
    },

    normalizeRows(x, epsilon) {
      const [y, norms] = [temporary(x.shape), temporary([rowsOf(x)])];
      const width = columnsOf(x);
      rows("normalizeRows", rowsOf(x), width, { x: at(x), y: at(y), norms: at(norms), width, epsilon });
      return { y, norms };
    },
    normalizeRowsBackward(dy, y, norms, epsilon) {
      const dx = temporary(dy.shape);
      const width = columnsOf(dy);
      const inputs = { dy: at(dy), y: at(y), norms: at(norms) };
      rows("normalizeRowsBackward", rowsOf(dy), width, { ...inputs, dx: at(dx), width, epsilon });
      return dx;
    },
  };
}
