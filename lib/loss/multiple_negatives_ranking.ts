/**
 * Multiple-negatives ranking loss: every anchor shall find its own positive among those of the whole batch.
 *
 * @module
 */
import type { Engine, Handle } from "../engine/engine.ts";
import { UsageError } from "../error.ts";
import { add, affine, concatColumns, concatRows, crossEntropy, matmul, normalize } from "../tensor/ops.ts";
import type { Tape } from "../tensor/tape.ts";
import { constant, type Tensor } from "../tensor/tensor.ts";
import type { Loss } from "./loss.ts";

/** Which similarities compete with that of anchor and positive. */
export type Direction = "query_to_doc" | "doc_to_query" | "query_to_query" | "doc_to_doc";

/** Which negatives weigh more the nearer they are: those of other rows, a row's own, or both. */
export type Hardness = "in_batch_negatives" | "hard_negatives" | "all_negatives";

/** Options of {@linkcode multipleNegativesRanking}. */
export interface MultipleNegativesRankingOptions {
  /** Inverse temperature. Default 20. */
  readonly scale?: number;
  /** Default: `["query_to_doc"]`. */
  readonly directions?: readonly Direction[];
  /** One softmax over all directions, or the mean of one each (query_to_doc and doc_to_query only). Default joint. */
  readonly partitionMode?: "joint" | "per_direction";
  /**
   * Adds `strength` · cos, without its gradient, to the logits of these negatives. Default: none. Lan et al. 2025, arXiv
   * 2503.04812, use 9 for in-batch negatives; Schechter Vera et al. 2025, arXiv 2509.20354, 5 for hard negatives.
   */
  readonly hardness?: { readonly among: Hardness; readonly strength: number };
}

/** What a masked similarity becomes: exp of it is 0. */
const NEVER = -1e30;

/**
 * −mean logsoftmax(s · cos(aᵢ, dⱼ))ᵢᵢ over all documents d of the batch: the positives, then the explicit negatives.
 *
 * Columns: anchor, positive, then any number of negatives; no label. Equal texts within a batch would be taken for
 * negatives of each other, so the sampler keeps them apart. Source: Henderson et al. 2017, arXiv 1705.00652; van den
 * Oord et al. 2018, arXiv 1807.03748.
 *
 * @example
 * ```ts
 * import { multipleNegativesRanking } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * assert.equal(multipleNegativesRanking().options["scale"], 20);
 * ```
 */
export function multipleNegativesRanking(options: MultipleNegativesRankingOptions = {}): Loss<"none"> {
  const { scale = 20, directions = ["query_to_doc"], partitionMode = "joint", hardness } = options;
  if (!directions.includes("query_to_doc")) throw new UsageError("the direction query_to_doc is always needed");
  if (partitionMode === "per_direction" && directions.some((d) => d !== "query_to_doc" && d !== "doc_to_query")) {
    throw new UsageError("per_direction knows query_to_doc and doc_to_query only", { found: directions.join(", ") });
  }
  if (hardness !== undefined && !(hardness.strength > 0)) {
    throw new UsageError("the strength of hardness must be above 0", { found: `${hardness.strength}` });
  }
  const weighting = hardness && { hardness: hardness.among, hardnessStrength: hardness.strength };
  return {
    name: "multiple_negatives_ranking",
    texts: { min: 2, max: Infinity },
    label: "none",
    inBatch: true,
    options: { scale, directions, partitionMode, ...weighting },
    paper: "Henderson et al. 2017, arXiv 1705.00652",
    apply(tape, columns) {
      const { engine } = tape;
      const [queries, ...documents] = columns.map((column) => normalize(tape, column));
      const size = queries!.value.shape[0]!;
      const all = documents.length === 1 ? documents[0]! : concatRows(tape, documents);
      const similarity = (a: Tensor, b: Tensor) => matmul(tape, a, b, { transposeB: true, scale });
      const own = engine.upload(Int32Array.from({ length: size }, (_, i) => i), [size]);
      const scores = (direction: Direction): Tensor => {
        switch (direction) {
          case "query_to_doc":
            return harder(tape, similarity(queries!, all), scale, hardness);
          case "doc_to_query": // of positive i to every query
            return similarity(documents[0]!, queries!);
          case "query_to_query":
            return without(tape, similarity(queries!, queries!), (i, j) => i === j);
          case "doc_to_doc": // documents of the same query do not compete
            return without(tape, similarity(documents[0]!, all), (i, j) => i === j % size);
        }
      };
      if (partitionMode === "per_direction") {
        const losses = directions.map((direction) => crossEntropy(tape, scores(direction), own));
        return affine(tape, losses.reduce((sum, loss) => add(tape, sum, loss)), 1 / losses.length);
      }
      // The target is in query_to_doc; where doc_to_query competes as well, its own diagonal is the same pair again.
      const ordered = ["query_to_doc", ...directions.filter((d) => d !== "query_to_doc")] as Direction[];
      const parts = ordered.map(scores);
      return crossEntropy(tape, parts.length === 1 ? parts[0]! : concatColumns(tape, parts), own);
    },
  };
}

/** s · cos + strength · cos at the chosen negatives; document j is one of query i's own where i ≡ j modulo B. */
function harder(
  tape: Tape,
  scores: Tensor,
  scale: number,
  hardness: MultipleNegativesRankingOptions["hardness"],
): Tensor {
  if (hardness === undefined) return scores;
  const { among, strength } = hardness;
  const [rows, columns] = scores.value.shape as [number, number];
  const weights = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const own = i === j % rows;
      const chosen = own ? j >= rows && among !== "in_batch_negatives" : among !== "hard_negatives";
      if (chosen) weights[i * columns + j] = strength / scale;
    }
  }
  const penalty = tape.engine.binary("multiply", scores.value, tape.engine.upload(weights, [rows, columns]));
  return add(tape, scores, constant(penalty));
}

/** Similarities with some places set to "never". */
function without(tape: Tape, scores: Tensor, masked: (i: number, j: number) => boolean): Tensor {
  return add(tape, scores, constant(mask(tape.engine, scores.value.shape as [number, number], masked)));
}

function mask(engine: Engine, [rows, columns]: [number, number], masked: (i: number, j: number) => boolean): Handle {
  const values = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) if (masked(i, j)) values[i * columns + j] = NEVER;
  return engine.upload(values, [rows, columns]);
}
