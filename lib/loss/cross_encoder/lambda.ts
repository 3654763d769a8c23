/**
 * LambdaLoss and RankNet: of two documents of a list the more relevant one shall have the higher score.
 *
 * @module
 */
import { UsageError } from "../../error.ts";
import type { Handle } from "../../engine/engine.ts";
import { affine, embedding, multiply, softplus, subtract, sum } from "../../tensor/ops.ts";
import type { Tape } from "../../tensor/tape.ts";
import { constant } from "../../tensor/tensor.ts";
import type { LogitActivation } from "../cross_encoder_loss.ts";
import type { ListLoss, Lists } from "../list_loss.ts";
import { activated } from "./activation.ts";
import { type DocumentPairs, listsOf, nothing, pairsWithin, ranksOf, uploadPlaces } from "./lists.ts";

/**
 * How much a pair of documents counts. G is the gain (2^label − 1) / maxDCG, D(rank) = log₂(1 + rank), ranks are those of
 * the scores:
 *
 * - `none`: 1
 * - `ndcg_loss1`: Gᵢ / D(rankᵢ), over all pairs of documents, whatever their labels
 * - `ndcg_loss2`: |1 / D(d) − 1 / D(d + 1)| · |Gᵢ − Gⱼ|, with d = |rankᵢ − rankⱼ|
 * - `lambda_rank`: |1 / D(rankᵢ) − 1 / D(rankⱼ)| · |Gᵢ − Gⱼ|
 * - `ndcg_loss2pp`: µ times that of `ndcg_loss2`, and that of `lambda_rank`
 */
export type LambdaWeighting = "none" | "ndcg_loss1" | "ndcg_loss2" | "lambda_rank" | "ndcg_loss2pp";

/** The names of {@linkcode LambdaWeighting}. */
export const LAMBDA_WEIGHTINGS: readonly LambdaWeighting[] = [
  "none",
  "ndcg_loss1",
  "ndcg_loss2",
  "lambda_rank",
  "ndcg_loss2pp",
];

/** Options of {@linkcode rankNet}. */
export interface RankNetOptions {
  /** Only pairs with a document among the k highest scores count. Default: all. */
  readonly k?: number;
  /** What differences of scores are multiplied by, σ. Default 1. */
  readonly sigma?: number;
  /** The least maxDCG. Default 1e-10. */
  readonly epsilon?: number;
  /** Which logarithm of the probability is the loss. Default binary. */
  readonly logarithm?: "binary" | "natural";
  /** What scores are: the logits, or σ of them. Default identity. */
  readonly activation?: LogitActivation;
}

/** Options of {@linkcode lambda}. */
export interface LambdaOptions extends RankNetOptions {
  /** How much a pair counts. Default ndcg_loss2pp. */
  readonly weighting?: LambdaWeighting;
  /** The µ of ndcg_loss2pp. Default 10. */
  readonly mu?: number;
}

/**
 * L = − mean w log₂ 1 / (1 + exp(−σ (sᵢ − sⱼ))) over the pairs of documents of a list with labelᵢ > labelⱼ, in all lists
 * of the batch; w is the weight of the pair, which gets no gradient; scores s [n, 1] → [1]
 *
 * Rows: a query, its documents, and a label for each, 0 and 1 or graded; a label below 0 gains nothing. The model has one
 * label. Of equal scores the first document has the better rank. Source: Wang et al. 2018, The LambdaLoss Framework for
 * Ranking Metric Optimization, doi 10.1145/3269206.3271784.
 *
 * @param options How pairs are weighed, and which of them count.
 * @returns The loss, for lists.
 * @throws {UsageError} An option that cannot be used.
 *
 * @example
 * ```ts
 * import { crossEncoder, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * const loss = crossEncoder.lambda({ weighting: "none" });
 * // Two lists of unequal length. Of each pair the scores say nothing: log₂ 2.
 * assert.ok(Math.abs((await tryLoss(loss, [[[4, 4, 4], [1, 1]]], [2, 1, 0, 1, 0])).value - 1) < 1e-6);
 * // The relevant document must rise, the other one fall.
 * const { gradients } = await tryLoss(crossEncoder.lambda(), [[[0, 1]]], [1, 0]);
 * assert.ok(gradients[0]![0]![0]! < 0 && gradients[0]![0]![1]! > 0);
 * ```
 */
export function lambda(options: LambdaOptions = {}): ListLoss {
  const { weighting = "ndcg_loss2pp", mu = 10, ...rest } = options;
  if (!LAMBDA_WEIGHTINGS.includes(weighting)) {
    throw new UsageError("there is no such weighting of pairs", {
      expected: LAMBDA_WEIGHTINGS.join(", "),
      found: `${weighting}`,
    });
  }
  const paper = "Wang et al. 2018, doi 10.1145/3269206.3271784";
  return pairLoss("lambda", paper, { weighting, mu }, rest);
}

/**
 * L = − mean log₂ 1 / (1 + exp(−σ (sᵢ − sⱼ))) over the pairs of documents of a list with labelᵢ > labelⱼ; s [n, 1] → [1]
 *
 * {@linkcode lambda} without weights, as sentence-transformers has it. Rows: a query, its documents, and a label for each.
 * The model has one label. Source: Burges et al. 2005, Learning to Rank using Gradient Descent, doi
 * 10.1145/1102351.1102363.
 *
 * @param options Which pairs count.
 * @returns The loss, for lists.
 * @throws {UsageError} An option that cannot be used.
 *
 * @example
 * ```ts
 * import { crossEncoder, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * const loss = crossEncoder.rankNet({ logarithm: "natural" });
 * const { value } = await tryLoss(loss, [[[2, 0]]], [1, 0]);
 * assert.ok(Math.abs(value - Math.log(1 + Math.exp(-2))) < 1e-6);
 * ```
 */
export function rankNet(options: RankNetOptions = {}): ListLoss {
  return pairLoss("rank_net", "Burges et al. 2005, doi 10.1145/1102351.1102363", { weighting: "none", mu: 0 }, options);
}

function pairLoss(
  name: string,
  paper: string,
  { weighting, mu }: { readonly weighting: LambdaWeighting; readonly mu: number },
  options: RankNetOptions,
): ListLoss {
  const { k, sigma = 1, epsilon = 1e-10, logarithm = "binary", activation = "identity" } = options;
  if (k !== undefined && !(Number.isInteger(k) && k > 0)) {
    throw new UsageError("pairs are chosen by the documents with the k highest scores", {
      expected: "a whole number from 1",
      found: `${k}`,
    });
  }
  const isOrdered = weighting !== "ndcg_loss1";
  return {
    name,
    label: "list",
    outputs: "score",
    options: {
      ...(name === "lambda" && { weighting, mu }),
      ...(k !== undefined && { k }),
      sigma,
      epsilon,
      logarithm,
      activation,
    },
    paper,
    countOf(labels) {
      if (k !== undefined && k < labels.length) return undefined;
      if (!isOrdered) return labels.length ** 2;
      let pairs = 0;
      for (const one of labels) for (const other of labels) if (one > other) pairs++;
      return pairs;
    },
    total(tape, logits, lists) {
      const { engine } = tape;
      const { labels } = lists;
      const scores = activated(tape, logits, activation);
      const pairs = pairsWithin(lists, (i, j) => !isOrdered || labels[i]! > labels[j]!);
      if (pairs.first.length === 0) return { sum: nothing(tape, scores), count: 0 };
      const [first, second] = [uploadPlaces(tape, pairs.first), uploadPlaces(tape, pairs.second)];
      const cut = k !== undefined && listsOf(lists).some(([from, to]) => to - from > k);
      const ranks = cut || weighting !== "none" ? ranksOf(tape, scores, lists) : undefined;
      const counted = cut ? amongHighest(tape, ranks!, first, second, k!) : undefined;
      const weights = weightsOf(tape, weighting, mu, pairs, ranks, gainsOf(lists, k, epsilon));
      const factor = weights === undefined || counted === undefined
        ? weights ?? counted
        : engine.binary("multiply", weights, counted);
      const lead = subtract(tape, embedding(tape, scores, first), embedding(tape, scores, second));
      const losses = softplus(tape, affine(tape, lead, -sigma));
      const sums = sum(tape, factor === undefined ? losses : multiply(tape, losses, constant(factor)));
      return {
        sum: logarithm === "binary" ? affine(tape, sums, Math.LOG2E) : sums,
        count: counted === undefined ? pairs.first.length : engine.sum(counted),
      };
    },
  };
}

/** 1 for pairs of which one document has a rank up to k, else 0: [P, 1] */
function amongHighest({ engine }: Tape, ranks: Handle, first: Handle, second: Handle, k: number): Handle {
  const isHigh = engine.activate("relu", engine.unary("sign", engine.affine(ranks, -1, k + 0.5)));
  return engine.binary("maximum", engine.gather(isHigh, first), engine.gather(isHigh, second));
}

/** G = (2^max(label, 0) − 1) / maxDCG of its list, maxDCG = Σ (2^label − 1) / D(place) over its k highest labels: [n] */
function gainsOf(lists: Lists, k: number | undefined, epsilon: number): Float32Array {
  const gains = new Float32Array(lists.labels.length);
  for (const [from, to] of listsOf(lists)) {
    const own = Array.from(lists.labels.subarray(from, to), (label) => 2 ** Math.max(label, 0) - 1);
    const best = own.toSorted((a, b) => b - a).slice(0, k).reduce((dcg, gain, i) => dcg + gain / Math.log2(i + 2), 0);
    gains.set(own.map((gain) => gain / Math.max(best, epsilon)), from);
  }
  return gains;
}

/** What each pair counts, [P, 1]; undefined: 1. */
function weightsOf(
  tape: Tape,
  weighting: LambdaWeighting,
  mu: number,
  { first, second }: DocumentPairs,
  ranks: Handle | undefined,
  gains: Float32Array,
): Handle | undefined {
  if (weighting === "none") return undefined;
  const { engine } = tape;
  const [one, other] = [uploadPlaces(tape, first), uploadPlaces(tape, second)];
  const rankOf = (places: Handle) => engine.gather(ranks!, places);
  const difference = (a: Handle, b: Handle) => engine.unary("abs", engine.binary("subtract", a, b));
  const upload = (values: Float32Array) => engine.upload(values, [values.length, 1]);
  if (weighting === "ndcg_loss1") {
    const gain = upload(Float32Array.from(first, (i) => gains[i]!));
    return engine.binary("multiply", gain, discount(tape, rankOf(one), 1));
  }
  const apart = difference(rankOf(one), rankOf(other));
  const nearby = () => difference(discount(tape, apart, 1), discount(tape, apart, 2));
  const ranked = () => difference(discount(tape, rankOf(one), 1), discount(tape, rankOf(other), 1));
  const delta = weighting === "ndcg_loss2"
    ? nearby()
    : weighting === "lambda_rank"
    ? ranked()
    : engine.binary("add", engine.affine(nearby(), mu), ranked());
  return engine.binary("multiply", delta, upload(Float32Array.from(first, (i, p) => gains[i]! - gains[second[p]!]!)));
}

/** 1 / log₂(plus + x) */
function discount({ engine }: Tape, x: Handle, plus: number): Handle {
  return engine.affine(engine.unary("reciprocal", engine.unary("log", engine.affine(x, 1, plus))), Math.LN2);
}
