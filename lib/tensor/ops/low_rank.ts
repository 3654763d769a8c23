/**
 * Products with weights that are frozen and have adapters of low rank (Hu et al. 2021, arXiv 2106.09685).
 *
 * @module
 */
import type { Activation, Dropout, Engine, Handle } from "../../engine/engine.ts";
import { accumulate, record, type Tape } from "../tape.ts";
import type { LowRank, Tensor } from "../tensor.ts";
import { addProduct } from "./linear.ts";

/**
 * y = f(x Wᵀ + b + s · x̃ Aᵀ B̃ᵀ), x̃ = drop(x); x [T, K], W [N, K], b [N], A [R, K], B̃ [N, R] → [T, N]
 *
 * A weight that is made of several (queries, keys, values) has an adapter of rank r for any of them: A has theirs one below
 * the other, and B̃ has their matrices Bᵢ [Nᵢ, r] in the rows that are theirs, along its diagonal, and 0 elsewhere. So
 * two products serve them all: of R columns, of which there are few.
 *
 * dz = dy ⊙ f′(z), dh = s · dz B̃, dA = dhᵀ x̃, dB̃ = s · dzᵀ (x̃ Aᵀ), dx = dz W + drop(dh A). There is no dW [N, K]: that
 * is why the branch is computed and not W + s · B̃ A, whose gradient would cost a third of a step, and whose value a
 * second copy of all weights. Dropout of the branch alone would not be possible with it either.
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x [T, K].
 * @param weight [N, K], and bias [N] or none: both stay as they are.
 * @param bias [N], or none.
 * @param adapter A and B, where they belong, and s.
 * @param activation Applied to the result, if there is one.
 * @returns [T, N]
 */
export function adaptedLinear(
  tape: Tape,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  adapter: LowRank,
  activation?: Activation,
): Tensor {
  const { engine } = tape;
  const { a, b, scale, blocks, dropout } = adapter;
  const wide = alongDiagonal(engine, b.value, blocks, weight.value.shape[0]!);
  const input = dropped(engine, x.value, dropout);
  const h = engine.matmul(input, a.value, { transposeB: true });
  const z = engine.matmul(x.value, weight.value, { transposeB: true, bias: bias?.value });
  engine.matmul(h, wide, { transposeB: true, scale, out: z, accumulate: true });
  const y = activation === undefined ? z : engine.activate(activation, z);
  return record(tape, y, [x, a, b], (dy) => {
    const dz = activation === undefined ? dy : engine.activationBackward(activation, z, dy);
    const dh = engine.matmul(dz, wide, { scale });
    addProduct(tape, a, dh, input, { transposeA: true });
    if (input !== x.value) engine.release(input);
    if (b.value === wide) addProduct(tape, b, dz, h, { transposeA: true, scale });
    else accumulate(tape, b, ofDiagonal(engine, engine.matmul(dz, h, { transposeA: true, scale }), blocks));
    addProduct(tape, x, dz, weight.value);
    if (dropout === undefined) addProduct(tape, x, dh, a.value);
    else if (x.needsGradient) {
      const whole = engine.matmul(dh, a.value);
      const kept = engine.dropout(whole, dropout);
      if (kept !== whole) engine.release(whole);
      accumulate(tape, x, kept, true);
    }
    if (dz !== dy) engine.release(dz);
    engine.release(dh);
  });
}

const dropped = (engine: Engine, x: Handle, dropout: Dropout | undefined) =>
  dropout === undefined ? x : engine.dropout(x, dropout);

/** B [ΣNᵢ, r] → B̃ [N, R] */
function alongDiagonal(engine: Engine, b: Handle, blocks: LowRank["blocks"], rows: number): Handle {
  const [own, rank] = b.shape as [number, number];
  if (blocks.length === 1 && own === rows) return b;
  const width = rank * blocks.length;
  const parts: Handle[] = [];
  let [next, from] = [0, 0]; // rows of B̃ and of B that are done
  for (const [i, block] of blocks.entries()) {
    if (block.row > next) parts.push(engine.zeros([block.row - next, width]));
    const columns = [engine.sliceRows(b, from, from + block.rows)];
    if (i > 0) columns.unshift(engine.zeros([block.rows, i * rank]));
    if (i + 1 < blocks.length) columns.push(engine.zeros([block.rows, width - (i + 1) * rank]));
    parts.push(columns.length === 1 ? columns[0]! : engine.concatColumns(columns));
    [next, from] = [block.row + block.rows, from + block.rows];
  }
  if (next < rows) parts.push(engine.zeros([rows - next, width]));
  return parts.length === 1 ? parts[0]! : engine.concatRows(parts);
}

/** dB̃ [N, R] → dB [ΣNᵢ, r] */
function ofDiagonal(engine: Engine, wide: Handle, blocks: LowRank["blocks"]): Handle {
  const rank = wide.shape[1]! / blocks.length;
  const parts = blocks.map(({ row, rows }, i) => {
    const own = engine.sliceRows(wide, row, row + rows);
    return blocks.length === 1 ? own : engine.sliceColumns(own, i * rank, (i + 1) * rank);
  });
  return parts.length === 1 ? parts[0]! : engine.concatRows(parts);
}
