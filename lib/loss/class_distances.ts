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
  squareRoot,
  sum,
  transpose,
} from "../tensor/ops.ts";
import type { Tape } from "../tensor/tape.ts";
import { constant, type Tensor } from "../tensor/tensor.ts";
import type { Distance } from "./distance.ts";
import type { Loss } from "./loss.ts";
import { pairMask, spread } from "./masks.ts";

/** Options of the losses over a batch's triplets. */
export interface BatchTripletOptions {
  /** How far apart two embeddings are: ‖u − v‖₂, or 1 − cos(u, v). Default euclidean. */
  readonly distance?: Exclude<Distance, "manhattan">;
  /** How much nearer than the negative the positive must be, in the unit of the distance. Default 5. */
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
  const diagonal = pairMask(tape, [size, size], (i, j) => i === j);
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

/** A loss of 0 whose gradient is 0: that of a batch in which no class has two rows. */
export function nothing(tape: Tape, x: Tensor): Tensor {
  return affine(tape, sum(tape, x), 0);
}

/**
 * A loss over single texts with a class: what all of its kind have in common.
 *
 * `apply` gets the embeddings [B, D] and the class of every row. Without classes, or with too few, the loss is a
 * `TrainingError`.
 */
export function lossOverClasses(
  { name, options, paper }: Pick<Loss, "name" | "options" | "paper">,
  apply: (tape: Tape, x: Tensor, classes: Int32Array) => Tensor,
): Loss<"class"> {
  return {
    name,
    texts: { min: 1, max: 1 },
    label: "class",
    inBatch: false,
    grouped: true,
    options,
    paper,
    apply(tape, [x], _labels, _head, { classes } = {}) {
      const size = x!.value.shape[0]!;
      if (classes?.length === size) return apply(tape, x!, classes);
      throw new TrainingError(`${name} needs the class of every row`, {
        expected: `${size} classes`,
        found: classes === undefined ? "none" : `${classes.length}`,
      });
    },
  };
}
