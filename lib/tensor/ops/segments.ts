/**
 * Reductions over runs of consecutive rows of unequal length, and sums over any groups of rows.
 *
 * @module
 */
import type { Handle } from "../../engine/engine.ts";
import { accumulate, record, type Tape } from "../tape.ts";
import type { Tensor } from "../tensor.ts";

/** Runs of consecutive rows: run s is rows offsets[s] … offsets[s + 1] − 1. */
export interface Segments {
  /** i32 [S + 1] */
  readonly offsets: Handle;
  /** i32 [T] the run of each row. */
  readonly ids: Handle;
  /** S */
  readonly count: number;
}

/**
 * Runs of these lengths, on the device.
 *
 * @param tape The engine.
 * @param lengths Rows of each run, at least one.
 * @returns What {@linkcode segmentLogSumExp} takes.
 */
export function segmentsOf(tape: Tape, lengths: ArrayLike<number>): Segments {
  const count = lengths.length;
  const offsets = new Int32Array(count + 1);
  for (let s = 0; s < count; s++) offsets[s + 1] = offsets[s]! + lengths[s]!;
  const ids = new Int32Array(offsets[count]!);
  for (let s = 0; s < count; s++) ids.fill(s, offsets[s]!, offsets[s + 1]!);
  return { offsets: tape.engine.upload(offsets, [count + 1]), ids: tape.engine.upload(ids, [ids.length]), count };
}

/**
 * y[idₜ] += x[t]; x [T, C], ids i32 [T] → [rows, C]; dx[t] = dy[idₜ]
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x [T, C].
 * @param ids i32 [T] the row of the result to which each row is added, in the order of t.
 * @param rows Rows of the result.
 * @returns [rows, C]
 */
export function sumRowsBy(tape: Tape, x: Tensor, ids: Handle, rows: number): Tensor {
  const { engine } = tape;
  const y = engine.zeros([rows, x.value.shape[1]!]);
  engine.scatterAdd(y, ids, x.value);
  return record(tape, y, [x], (dy) => accumulate(tape, x, engine.gather(dy, ids)));
}

/**
 * y[s] = log Σ exp x over the rows of each run, [T, 1] → [S, 1]; dx[t] = dy[s] exp(x[t] − y[s])
 *
 * The largest of a run is taken off first, so that nothing overflows.
 *
 * @param tape Where the backward step goes, and the engine.
 * @param x [T, 1].
 * @param segments The runs.
 * @returns [S, 1]
 */
export function segmentLogSumExp(tape: Tape, x: Tensor, segments: Segments): Tensor {
  const { engine } = tape;
  const { offsets, ids, count } = segments;
  const most = engine.pool(x.value, offsets, "max");
  const powers = engine.unary("exp", engine.binary("subtract", x.value, engine.gather(most, ids)));
  const sums = engine.zeros([count, 1]);
  engine.scatterAdd(sums, ids, powers);
  const y = engine.binary("add", engine.unary("log", sums), most);
  return record(tape, y, [x], (dy) => {
    const share = engine.gather(engine.binary("divide", dy, sums), ids);
    accumulate(tape, x, engine.binary("multiply", powers, share));
  });
}
