/**
 * ListMLE and its position-aware form: the right order of a list shall be the likeliest one.
 *
 * @module
 */
import { UsageError } from "../../error.ts";
import { embedding, segmentLogSumExp, segmentsOf, subtract } from "../../tensor/ops.ts";
import type { LogitActivation } from "../cross_encoder_loss.ts";
import type { ListLoss, Lists } from "../list_loss.ts";
import { activated } from "./activation.ts";
import { column, listsOf, uploadPlaces, weightedSum } from "./lists.ts";

/** Options of {@linkcode listMle}. */
export interface ListMleOptions {
  /**
   * Take the order in which documents are given for the right one, whatever their labels say. Default false: the right
   * order is that of the labels, highest first, of equal labels as given. For documents that are given in the order of
   * their labels both are the same.
   */
  readonly respectInputOrder?: boolean;
  /** What scores are: the logits, or σ of them. Default identity. */
  readonly activation?: LogitActivation;
}

/**
 * What the places 1 … n of a list count, before their sum is made 1: `exponential` 2^(n − place) − 1, `logarithmic`
 * 1 / ln(1 + place), or a function of n that gives n numbers, not below 0.
 */
export type PositionWeights = "exponential" | "logarithmic" | ((documents: number) => ArrayLike<number>);

/** Options of {@linkcode positionListMle}. */
export interface PositionListMleOptions extends ListMleOptions {
  /** What places count. Default exponential. */
  readonly positionWeights?: PositionWeights;
}

/**
 * L = mean over lists of Σᵢ (log Σⱼ≥ᵢ exp(sⱼ) − sᵢ), i and j places in the right order; scores s [n, 1] → [1]
 *
 * Minus the logarithm of the probability of the right order, when documents are drawn one after the other by softmax of
 * their scores. Rows: a query, its documents, and a label for each. The model has one label. Source: Xia et al. 2008,
 * Listwise Approach to Learning to Rank, doi 10.1145/1390156.1390306.
 *
 * @param options Whose order is right.
 * @returns The loss, for lists.
 *
 * @example
 * ```ts
 * import { crossEncoder, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * // Three documents that the scores cannot tell apart have six orders.
 * const { value } = await tryLoss(crossEncoder.listMle(), [[[1, 1, 1]]], [0, 2, 1]);
 * assert.ok(Math.abs(value - Math.log(6)) < 1e-6);
 * ```
 */
export function listMle(options: ListMleOptions = {}): ListLoss {
  return mleLoss("list_mle", "Xia et al. 2008, doi 10.1145/1390156.1390306", options, undefined);
}

/**
 * L = mean over lists of Σᵢ wᵢ (log Σⱼ≥ᵢ exp(sⱼ) − sᵢ), i and j places in the right order, Σ w = 1; s [n, 1] → [1]
 *
 * {@linkcode listMle} with weights that make the first places count most. Rows: a query, its documents, and a label for
 * each. The model has one label. Source: Lan et al. 2014, Position-Aware ListMLE, UAI 2014.
 *
 * @param options What places count, and whose order is right.
 * @returns The loss, for lists.
 * @throws {UsageError} Weights that cannot be used.
 *
 * @example
 * ```ts
 * import { crossEncoder, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * // Of two documents the first place alone counts: 2¹ − 1 to 2⁰ − 1.
 * const { value } = await tryLoss(crossEncoder.positionListMle(), [[[3, 3]]], [1, 0]);
 * assert.ok(Math.abs(value - Math.log(2)) < 1e-6);
 * const flat = crossEncoder.positionListMle({ positionWeights: (documents) => new Float32Array(documents).fill(1) });
 * assert.ok(Math.abs((await tryLoss(flat, [[[3, 3]]], [1, 0])).value - Math.log(2) / 2) < 1e-6);
 * ```
 */
export function positionListMle(options: PositionListMleOptions = {}): ListLoss {
  const { positionWeights = "exponential", ...rest } = options;
  const weigh = typeof positionWeights === "function" ? positionWeights : POSITION_WEIGHTS[positionWeights];
  if (weigh === undefined) {
    throw new UsageError("there are no such weights of positions", {
      expected: Object.keys(POSITION_WEIGHTS).join(", "),
      found: `${positionWeights}`,
    });
  }
  const named = typeof positionWeights === "function" ? "a function" : positionWeights;
  return mleLoss("position_list_mle", "Lan et al. 2014, Position-Aware ListMLE, UAI 2014", rest, weigh, named);
}

/** Weights by place, up to a factor: the exponential ones are divided by 2^(n − 1), so that no list is too long. */
export const POSITION_WEIGHTS: Readonly<Record<string, (documents: number) => number[]>> = {
  exponential: (documents) => Array.from({ length: documents }, (_, i) => 2 ** -i - 2 ** (1 - documents)),
  logarithmic: (documents) => Array.from({ length: documents }, (_, i) => 1 / Math.log(i + 2)),
};

function mleLoss(
  name: string,
  paper: string,
  options: ListMleOptions,
  weigh: ((documents: number) => ArrayLike<number>) | undefined,
  weighting?: string,
): ListLoss {
  const { respectInputOrder = false, activation = "identity" } = options;
  return {
    name,
    label: "list",
    outputs: "score",
    options: { ...(weighting !== undefined && { positionWeights: weighting }), respectInputOrder, activation },
    paper,
    countOf: () => 1,
    total(tape, logits, lists) {
      const scores = activated(tape, logits, activation);
      const order = respectInputOrder ? undefined : orderOf(lists);
      const placeOf = (i: number) => order === undefined ? i : order[i]!;
      const own = listsOf(lists);
      const lengths: number[] = []; // documents from each place to the end of its list
      const behind: number[] = [];
      const weights = new Float32Array(lists.labels.length);
      for (const [from, to] of own) {
        weights.set(weigh === undefined ? new Float32Array(to - from).fill(1) : shares(weigh, to - from), from);
        for (let i = from; i < to; i++) {
          lengths.push(to - i);
          for (let j = i; j < to; j++) behind.push(placeOf(j));
        }
      }
      const rest = embedding(tape, scores, uploadPlaces(tape, Int32Array.from(behind)));
      const normalizers = segmentLogSumExp(tape, rest, segmentsOf(tape, lengths));
      const chosen = order === undefined ? scores : embedding(tape, scores, uploadPlaces(tape, order));
      const sum = weightedSum(tape, subtract(tape, normalizers, chosen), column(tape, weights));
      return { sum, count: own.length };
    },
  };
}

/** Places of documents in the order of their labels, highest first, of equal ones as given: [n] */
function orderOf(lists: Lists): Int32Array {
  const { labels } = lists;
  const order = Int32Array.from(labels.keys());
  for (const [from, to] of listsOf(lists)) order.subarray(from, to).sort((a, b) => labels[b]! - labels[a]! || a - b);
  return order;
}

/** Weights with a sum of 1; of a single document it is 0 by the exponential ones. */
function shares(weigh: (documents: number) => ArrayLike<number>, documents: number): number[] {
  const weights = Array.from(weigh(documents));
  const sum = weights.reduce((a, b) => a + b, 0);
  if (weights.length !== documents || weights.some((weight) => !(weight >= 0)) || !Number.isFinite(sum)) {
    throw new UsageError("the weights of positions cannot be used", {
      expected: `${documents} numbers, not below 0`,
      found: weights.join(", "),
    });
  }
  return sum === 0 ? weights : weights.map((weight) => weight / sum);
}
