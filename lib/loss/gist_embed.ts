/**
 * GISTEmbed: in-batch negatives, without those that a guide finds nearer than the positive.
 *
 * @module
 */
import type { Engine, Handle } from "../engine/engine.ts";
import { TrainingError, UsageError } from "../error.ts";
import { add, concatColumns, crossEntropy, matmul, normalize, rowSum } from "../tensor/ops.ts";
import { inference } from "../tensor/tape.ts";
import { constant } from "../tensor/tensor.ts";
import type { Loss } from "./loss.ts";
import { NEVER, pairMask, spread } from "./masks.ts";

/** Options of {@linkcode gistEmbed}. */
export interface GistEmbedOptions {
  /** What cosines are divided by. Default 0.01. */
  readonly temperature?: number;
  /** Whether the margin is taken off the guide's similarity of the positive, or so large a share of it. Default absolute. */
  readonly marginStrategy?: "absolute" | "relative";
  /** By how much a text must be farther than the positive to be a negative. Default 0. */
  readonly margin?: number;
  /** Whether anchors are negatives of each other. Default true. */
  readonly contrastAnchors?: boolean;
  /** Whether positives are negatives of each other. Default true. */
  readonly contrastPositives?: boolean;
}

/**
 * L = −mean logsoftmax(S / τ)ᵢᵢ, S = [cos(a, p); cos(a, a); cos(p, p); cos(a, n)] without the entries that the guide finds
 * more similar than tᵢ − margin (relative: tᵢ − margin |tᵢ|), tᵢ = its cos(aᵢ, pᵢ); each column [B, D] → [1]
 *
 * Columns: anchor, positive, then any number of negatives; no label; a guide embeds them all. Its embeddings do not change,
 * so that it may be any model. Source: Solatorio 2024, arXiv 2402.16829.
 *
 * @param options Temperature, margin, and which texts are negatives.
 * @returns The loss, for pairs, triplets and tuples.
 * @throws {UsageError} A temperature that is not above 0.
 *
 * @example
 * ```ts
 * import { gistEmbed, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * const texts = [[[1, 0], [0, 1]], [[1, 1], [1, 1]]];
 * // A guide to which every text is the same: no negative is farther than the positive, and nothing is left to learn.
 * const same = [[1], [1]];
 * const blind = await tryLoss(gistEmbed({ temperature: 1, margin: 0.1 }), texts, [], [same, same]);
 * assert.equal(blind.value, 0);
 * ```
 */
export function gistEmbed(options: GistEmbedOptions = {}): Loss<"none"> {
  const { temperature = 0.01, marginStrategy = "absolute", margin = 0 } = options;
  const { contrastAnchors = true, contrastPositives = true } = options;
  if (!(temperature > 0)) throw new UsageError("the temperature must be above 0", { found: `${temperature}` });
  return {
    name: "gist_embed",
    texts: { min: 2, max: Infinity },
    label: "none",
    inBatch: true,
    guide: { columns: "each", imitated: false },
    options: { temperature, marginStrategy, margin, contrastAnchors, contrastPositives },
    paper: "Solatorio 2024, arXiv 2402.16829",
    apply(tape, columns, _labels, _head, { guides = [] } = {}) {
      const { engine } = tape;
      if (guides.length !== columns.length) {
        throw new TrainingError("gist_embed needs a guide's embeddings of each column", {
          expected: `${columns.length}`,
          found: `${guides.length}`,
        });
      }
      const size = columns[0]!.value.shape[0]!;
      const unit = columns.map((column) => normalize(tape, column));
      const still = inference(engine);
      const guide = guides.map((column) => normalize(still, constant(column)).value);
      const isPositive = pairMask(tape, [size, size], (i, j) => i === j).value;
      const guided = (a: number, b: number) => engine.matmul(guide[a]!, guide[b]!, { transposeB: true });
      const diagonal = rowSum(still, constant(engine.binary("multiply", guided(0, 1), isPositive))).value;
      const kept = marginStrategy === "absolute"
        ? engine.affine(diagonal, 1, -margin)
        : engine.binary("add", diagonal, engine.affine(engine.unary("abs", diagonal), -margin));
      const threshold = spread(tape, constant(kept), size).value;
      const pairs: (readonly [a: number, b: number])[] = [
        [0, 1],
        ...contrastAnchors ? [[0, 0] as const] : [],
        ...contrastPositives ? [[1, 1] as const] : [],
        ...columns.slice(2).map((_, i) => [0, 2 + i] as const),
      ];
      const scores = pairs.map(([a, b]) => {
        const similarity = matmul(tape, unit[a]!, unit[b]!, { transposeB: true, scale: 1 / temperature });
        const excess = engine.binary("subtract", guided(a, b), threshold);
        const own = a === 0 && b === 1 ? engine.affine(isPositive, -1, 1) : undefined;
        return add(tape, similarity, constant(excluded(engine, excess, own)));
      });
      const own = engine.upload(Int32Array.from({ length: size }, (_, i) => i), [size]);
      return crossEntropy(tape, concatColumns(tape, scores), own);
    },
  };
}

/** What is added to similarities so that those with an excess above 0 do not count; 0 where `allowed` has a 0. */
function excluded(engine: Engine, excess: Handle, allowed: Handle | undefined): Handle {
  const zero = engine.full(excess.shape, 0);
  const above = engine.unary("sign", engine.binary("maximum", excess, zero));
  return engine.affine(allowed === undefined ? above : engine.binary("multiply", above, allowed), NEVER);
}
