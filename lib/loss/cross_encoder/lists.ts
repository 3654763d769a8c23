/**
 * Pairs of documents, ranks and orders within lists: what losses over lists are made of.
 *
 * @module
 */
import type { Handle } from "../../engine/engine.ts";
import { affine, multiply, sum } from "../../tensor/ops.ts";
import type { Tape } from "../../tensor/tape.ts";
import { constant, type Tensor } from "../../tensor/tensor.ts";
import type { Lists, ListTotal } from "../list_loss.ts";

/** Pairs of documents of one list, by their places among all documents. */
export interface DocumentPairs {
  /** [P] */
  readonly first: Int32Array;
  /** [P] */
  readonly second: Int32Array;
}

/** The pairs of documents within lists that are wanted, list by list. */
export function pairsWithin(
  { offsets }: Lists,
  isWanted: (first: number, second: number) => boolean,
): DocumentPairs {
  let all = 0;
  for (let list = 0; list + 1 < offsets.length; list++) all += (offsets[list + 1]! - offsets[list]!) ** 2;
  const [first, second] = [new Int32Array(all), new Int32Array(all)];
  let count = 0;
  for (let list = 0; list + 1 < offsets.length; list++) {
    for (let i = offsets[list]!; i < offsets[list + 1]!; i++) {
      for (let j = offsets[list]!; j < offsets[list + 1]!; j++) {
        if (!isWanted(i, j)) continue;
        first[count] = i;
        second[count++] = j;
      }
    }
  }
  return { first: first.subarray(0, count), second: second.subarray(0, count) };
}

/** Places of documents, as the device has them. */
export function uploadPlaces({ engine }: Tape, places: Int32Array): Handle {
  return engine.upload(places, [places.length]);
}

/** A column of numbers that get no gradient. */
export function column({ engine }: Tape, values: Float32Array): Tensor {
  return constant(engine.upload(values, [values.length, 1]));
}

/**
 * The rank of every document within its list by its score, from 1; of equal scores the first is first: [n, 1] → [n, 1],
 * without a gradient. rankᵢ = 1 + #{j: sⱼ > sᵢ, or sⱼ = sᵢ and j before i}
 */
export function ranksOf(tape: Tape, scores: Tensor, lists: Lists): Handle {
  const { engine } = tape;
  const ranks = engine.full([scores.value.shape[0]!, 1], 1);
  const { first, second } = pairsWithin(lists, (i, j) => i !== j);
  if (first.length === 0) return ranks;
  const [own, other] = [uploadPlaces(tape, first), uploadPlaces(tape, second)];
  const lead = engine.binary("subtract", engine.gather(scores.value, other), engine.gather(scores.value, own));
  const tie = Float32Array.from(first, (i, p) => second[p]! < i ? 0.5 : -0.5);
  const signs = engine.binary("add", engine.unary("sign", lead), engine.upload(tie, [tie.length, 1]));
  engine.scatterAdd(ranks, own, engine.activate("relu", engine.unary("sign", signs)));
  return ranks;
}

/** Where every list begins and ends. */
export function listsOf({ offsets }: Lists): readonly (readonly [from: number, to: number])[] {
  return Array.from({ length: offsets.length - 1 }, (_, list) => [offsets[list]!, offsets[list + 1]!] as const);
}

/** The mean of a loss that is complete: its sum over its count, and 0 where there is nothing to count. */
export function meanOf(tape: Tape, { sum: total, count }: ListTotal): Tensor {
  const { engine } = tape;
  if (typeof count === "number") return affine(tape, total, 1 / Math.max(count, 1));
  const one = engine.upload(Float32Array.of(1), [1]);
  return multiply(tape, total, constant(engine.unary("reciprocal", engine.binary("maximum", count, one))));
}

/** Σ xᵢ wᵢ → [1]; x, w [n, 1]; w gets no gradient */
export function weightedSum(tape: Tape, x: Tensor, weights: Tensor): Tensor {
  return sum(tape, multiply(tape, x, weights));
}

/** A sum over nothing, that depends on the scores by 0. */
export function nothing(tape: Tape, scores: Tensor): Tensor {
  return affine(tape, sum(tape, scores), 0);
}
