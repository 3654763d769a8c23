/**
 * What losses over single texts with a class are made of: all distances within a batch, and who is of whose class.
 *
 * @module
 */
import { TrainingError } from "../error.ts";
import {
  activate,
  add,
  affine,
  embedding,
  matmul,
  multiply,
  normalize,
  reshape,
  rowSum,
  scaleRows,
  squareRoot,
  sum,
  transpose,
} from "../tensor/ops.ts";
import type { Tape } from "../tensor/tape.ts";
import { constant, type Tensor } from "../tensor/tensor.ts";
import type { Distance } from "./distance.ts";

/** Options of the losses over a batch's triplets. */
export interface BatchTripletOptions {
  /** What is measured. Default euclidean. */
  readonly distance?: Exclude<Distance, "manhattan">;
  /** How much nearer the positive must be. Default 5 */
  readonly margin?: number;
}

/**
 * d(xᵢ, xⱼ) of all rows; [B, D] → [B, B]
 *
 * Euclidean: √(gᵢᵢ + gⱼⱼ − 2 gᵢⱼ), G = X Xᵀ, the diagonal exactly 0; rounding below 0 counts as 0, and the gradient
 * of a distance of 0 is 0. Cosine: 1 − cos.
 */
export function distanceMatrix(tape: Tape, kind: "euclidean" | "cosine", x: Tensor): Tensor {
  if (kind === "cosine") {
    const unit = normalize(tape, x);
    return affine(tape, matmul(tape, unit, unit, { transposeB: true }), -1, 1);
  }
  const size = x.value.shape[0]!;
  const products = matmul(tape, x, x, { transposeB: true });
  const diagonal = pairMask(tape, size, (i, j) => i === j);
  const squares = spread(tape, rowSum(tape, multiply(tape, products, diagonal)), size);
  const sums = add(tape, squares, transpose(tape, squares));
  return squareRoot(tape, activate(tape, "relu", add(tape, sums, affine(tape, products, -2))));
}

/** The pairs (anchor, positive) of a batch: two different rows of one class, both ways. */
export interface PositivePairs {
  /** Row of the anchor, by pair. */
  readonly anchors: Int32Array;
  /** Row of the positive, by pair. */
  readonly positives: Int32Array;
}

/** All of them, anchor by anchor. */
export function positivePairs(classes: Int32Array): PositivePairs {
  const [anchors, positives]: [number[], number[]] = [[], []];
  for (let a = 0; a < classes.length; a++) {
    for (let p = 0; p < classes.length; p++) {
      if (a === p || classes[a] !== classes[p]) continue;
      anchors.push(a);
      positives.push(p);
    }
  }
  return { anchors: Int32Array.from(anchors), positives: Int32Array.from(positives) };
}

/** What the triplets of P pairs (a, p) with every row n of the batch are made of. */
export interface TripletDistances {
  /** [P] d(a, p) */
  readonly near: Tensor;
  /** [P, B] d(a, n) */
  readonly far: Tensor;
  /** [P, B] 1 where n is of another class than a, else 0. */
  readonly different: Tensor;
}

/** From all distances [B, B] to those of the triplets. */
export function tripletDistances(
  tape: Tape,
  distances: Tensor,
  classes: Int32Array,
  { anchors, positives }: PositivePairs,
): TripletDistances {
  const { engine } = tape;
  const [size, count] = [classes.length, anchors.length];
  const places = engine.upload(anchors.map((a, i) => a * size + positives[i]!), [count]);
  const pairs = embedding(tape, reshape(tape, distances, [size * size, 1]), places);
  const mask = new Float32Array(count * size);
  for (let i = 0; i < count; i++) {
    for (let n = 0; n < size; n++) if (classes[n] !== classes[anchors[i]!]) mask[i * size + n] = 1;
  }
  return {
    near: reshape(tape, pairs, [count]),
    far: embedding(tape, distances, engine.upload(anchors, [count])),
    different: constant(engine.upload(mask, [count, size])),
  };
}

/** 1 where `chosen`, else 0; [B, B] */
export function pairMask(tape: Tape, size: number, chosen: (i: number, j: number) => boolean): Tensor {
  const mask = new Float32Array(size * size);
  for (let i = 0; i < size; i++) for (let j = 0; j < size; j++) if (chosen(i, j)) mask[i * size + j] = 1;
  return constant(tape.engine.upload(mask, [size, size]));
}

/** The same number in every column; [R] → [R, columns] */
export function spread(tape: Tape, x: Tensor, columns: number): Tensor {
  const { engine } = tape;
  return scaleRows(tape, constant(engine.affine(engine.zeros([x.value.shape[0]!, columns]), 0, 1)), x);
}

/** A loss of 0 whose gradient is 0: what a batch without two rows of one class has to say. */
export function nothing(tape: Tape, x: Tensor): Tensor {
  return affine(tape, sum(tape, x), 0);
}

/** The classes of a batch of this size, which a loss over single texts cannot do without. */
export function expectClasses(loss: string, size: number, classes: Int32Array | undefined): Int32Array {
  if (classes?.length === size) return classes;
  throw new TrainingError(`${loss} needs the class of every row`, {
    expected: `${size} classes`,
    found: classes === undefined ? "none" : `${classes.length}`,
  });
}
