/**
 * Normalisation of rows, and dropout.
 *
 * @module
 */
import type { Handle, SumGradientOptions } from "../engine.ts";
import type { NormKernels } from "../subjects.ts";
import { at, atOr0, type Core, dropoutArguments, expectShape } from "./core.ts";
import { BLOCK, columnsOf, type Dispatch, rowsOf } from "./dispatch.ts";

/** See the Engine contract. */
export function normKernels({ heap, workspace }: Core, { run, rows, addBlocks }: Dispatch): NormKernels {
  const { temporary } = heap;
  /** Room for the gradients of `width` weights by so many blocks of rows, and how they are added to what is there. */
  const blocksOf = (count: number, width: number) => {
    const blocks = Math.ceil(count / BLOCK);
    const partial = workspace(4 * Math.max(1, blocks) * width);
    const add = (from: number, columns: number, target: Handle | undefined) => {
      if (target === undefined) return;
      addBlocks({ partial: partial + 4 * from, blocks, stride: width }, columns, at(target), true);
    };
    return { blocks, partial, add };
  };
  /** Where the gradients of s and x go, and what the kernels want to know of that. */
  const gradientsOf = ({ shape }: Handle, { added, inPlace = false, dropout }: SumGradientOptions) => {
    if (added !== undefined) expectShape("added", added, shape);
    const key = dropoutArguments(dropout);
    const sum = inPlace && added !== undefined ? added : temporary(shape);
    const x = key.threshold === 0 ? sum : temporary(shape);
    return { sum, x, args: { added: atOr0(added), ds: at(sum), dx: x === sum ? 0 : at(x), ...key } };
  };
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
    layerNormBackward(dy, { sum, statistics }, gamma, dGamma, dBeta, options = {}) {
      expectShape("layerNormBackward", dy, sum.shape);
      const [count, width] = dy.shape as [number, number];
      const { args, ...gradients } = gradientsOf(dy, options);
      const { blocks, partial, add } = blocksOf(count, 2 * width);
      const inputs = { dy: at(dy), sum: at(sum), statistics: at(statistics), gamma: at(gamma) };
      run("layerNormBackward", blocks, 1, { ...inputs, ...args, partial, rows: count, width });
      add(0, width, dGamma);
      add(width, width, dBeta);
      return gradients;
    },

    rmsNorm(x, weight, epsilon, { residual, dropout, onePlus = false } = {}) {
      const [count, width] = x.shape as [number, number];
      expectShape("rmsNorm", weight, [width]);
      if (residual !== undefined) expectShape("rmsNorm", residual, x.shape);
      const [y, sum, statistics] = [temporary(x.shape), temporary(x.shape), temporary([count])];
      rows("rmsNorm", count, width, {
        x: at(x),
        residual: atOr0(residual),
        sum: at(sum),
        y: at(y),
        statistics: at(statistics),
        weight: at(weight),
        plus: +onePlus,
        epsilon,
        width,
        ...dropoutArguments(dropout),
      });
      return { y, sum, statistics };
    },
    rmsNormBackward(dy, { sum, statistics }, weight, dWeight, { onePlus = false, ...options } = {}) {
      expectShape("rmsNormBackward", dy, sum.shape);
      const [count, width] = dy.shape as [number, number];
      const { args, ...gradients } = gradientsOf(dy, options);
      const { blocks, partial, add } = blocksOf(count, width);
      const inputs = { dy: at(dy), sum: at(sum), statistics: at(statistics), weight: at(weight), plus: +onePlus };
      run("rmsNormBackward", blocks, 1, { ...inputs, ...args, partial, rows: count, width });
      add(0, width, dWeight);
      return gradients;
    },
    headNorm(x, out, weight, epsilon, { first, count }, onePlus = false) {
      expectShape("headNorm", out, x.shape);
      const [tokens, columns] = x.shape as [number, number];
      const size = rowsOf(weight);
      const statistics = temporary([tokens, count]);
      rows("headNorm", tokens, count * size, {
        x: at(x),
        out: at(out),
        columns,
        first,
        count,
        size,
        weight: at(weight),
        plus: +onePlus,
        epsilon,
        statistics: at(statistics),
      });
      return statistics;
    },
    headNormBackward(dOut, x, statistics, weight, { first, count }, dWeight, onePlus = false) {
      expectShape("headNormBackward", dOut, x.shape);
      const [tokens, columns] = x.shape as [number, number];
      const size = rowsOf(weight);
      const { blocks, partial, add } = blocksOf(tokens, size);
      run("headNormBackward", blocks, 1, {
        dOut: at(dOut),
        x: at(x),
        columns,
        first,
        count,
        size,
        weight: at(weight),
        plus: +onePlus,
        statistics: at(statistics),
        partial,
        rows: tokens,
      });
      add(0, size, dWeight);
    },

    dropout(x, dropout) {
      const [width, key] = [columnsOf(x), dropoutArguments(dropout)];
      if (key.threshold === 0) return x;
      const y = temporary(x.shape);
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
