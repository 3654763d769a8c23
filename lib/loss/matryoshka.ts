/**
 * Matryoshka loss: the first few numbers of an embedding shall do for an embedding.
 *
 * @module
 */
import { UsageError } from "../error.ts";
import { add, affine, normalize, sliceColumns } from "../tensor/ops.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { LabelKind, Loss } from "./loss.ts";

/** Options of {@linkcode matryoshka}. */
export interface MatryoshkaOptions {
  /** The lengths that shall be of use, for instance `[384, 192, 96]`. */
  readonly dimensions: readonly number[];
  /** Weight of each length. Default: 1 each. */
  readonly weights?: readonly number[];
}

/**
 * Σ_d w_d · loss(x₁…_d / ‖x₁…_d‖) over the given lengths d
 *
 * Columns: those of the loss within, which must not train a head. Source: Kusupati et al. 2022, arXiv 2205.13147.
 *
 * @example
 * ```ts
 * import { matryoshka, multipleNegativesRanking } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * const loss = matryoshka(multipleNegativesRanking(), { dimensions: [384, 96] });
 * assert.equal(loss.label, "none");
 * ```
 */
export function matryoshka<L extends LabelKind>(inner: Loss<L>, options: MatryoshkaOptions): Loss<L> {
  const { dimensions, weights = dimensions.map(() => 1) } = options;
  if (inner.head !== undefined) throw new UsageError(`matryoshka cannot hold ${inner.name}: it trains a head`);
  if (dimensions.length === 0 || dimensions.some((d) => !Number.isInteger(d) || d < 1)) {
    throw new UsageError("matryoshka needs lengths of 1 or more", { found: dimensions.join(", ") });
  }
  if (weights.length !== dimensions.length) {
    throw new UsageError("matryoshka needs one weight a length", {
      expected: `${dimensions.length}`,
      found: `${weights.length}`,
    });
  }
  return {
    name: `matryoshka(${inner.name})`,
    texts: inner.texts,
    label: inner.label,
    inBatch: inner.inBatch,
    ...(inner.grouped !== undefined && { grouped: inner.grouped }),
    options: { ...inner.options, dimensions: dimensions.map(String), weights: weights.map(String) },
    paper: `Kusupati et al. 2022, arXiv 2205.13147; ${inner.paper}`,
    apply(tape, embeddings, ...rest) {
      const width = embeddings[0]!.value.shape[1]!;
      const tooLong = dimensions.find((d) => d > width);
      if (tooLong !== undefined) {
        throw new UsageError("a length of matryoshka exceeds the embedding", {
          expected: `at most ${width}`,
          found: `${tooLong}`,
        });
      }
      const losses = dimensions.map((d, i) => {
        const shortened = embeddings.map((x): Tensor => normalize(tape, d === width ? x : sliceColumns(tape, x, 0, d)));
        return affine(tape, inner.apply(tape, shortened, ...rest), weights[i]!);
      });
      return losses.reduce((total, loss) => add(tape, total, loss));
    },
  };
}
