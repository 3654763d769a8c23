/**
 * From a loss of embeddings to the gradients of what made them: columns embedded together or apart, whole or in parts.
 *
 * @module
 */
import { type Engine, type Handle, scope } from "../engine/engine.ts";
import { concatRows, splitRows } from "../tensor/ops.ts";
import { backward, inference, recording, type Tape } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type PackedBatch, slicePacked } from "../text/packed.ts";
import { runsWithin } from "./budget.ts";

/** A batch, and how its loss comes about. */
export interface EmbeddingLoss {
  /** The columns of the batch, as many sequences each, end to end. */
  readonly packed: PackedBatch;
  /** How many columns there are. */
  readonly columns: number;
  /** Whether columns are embedded each in its own way, so that no forward may hold two of them. */
  readonly apart: boolean;
  /** Embeds sequences of the batch, all of them of this column where columns are embedded apart. */
  readonly embed: (tape: Tape, packed: PackedBatch, column: number) => Tensor;
  /** The loss [1] of one matrix of embeddings per column. */
  readonly lossOf: (tape: Tape, embeddings: readonly Tensor[]) => Tensor;
}

/**
 * Forward and backward: adds `scale` times the gradient to that of every parameter, and returns the loss [1]. A batch
 * above the budget of tokens goes through the encoder in parts, with the same gradient.
 */
export function differentiateEmbeddings(
  engine: Engine,
  batch: EmbeddingLoss,
  { budget, scale }: { readonly budget: number; readonly scale: number },
): Handle {
  const fits = batch.packed.ids.length <= budget;
  return fits ? differentiateWhole(engine, batch, scale) : differentiateCached(engine, batch, scale, budget);
}

const sizeOf = ({ packed, columns }: EmbeddingLoss) => (packed.offsets.length - 1) / columns;

/** All columns go through the encoder in one forward; in one each where they are embedded apart. */
function differentiateWhole(engine: Engine, batch: EmbeddingLoss, scale: number): Handle {
  const tape = recording(engine);
  const { packed, columns, apart, embed } = batch;
  const size = sizeOf(batch);
  const embeddings = apart
    ? concatRows(
      tape,
      Array.from(
        { length: columns },
        (_, column) => embed(tape, slicePacked(packed, column * size, (column + 1) * size), column),
      ),
    )
    : embed(tape, packed, 0);
  const loss = lossOfColumns(tape, batch, embeddings);
  backward(tape, loss, engine.upload(Float32Array.of(scale), [1]));
  return loss.value;
}

function lossOfColumns(tape: Tape, batch: EmbeddingLoss, embeddings: Tensor): Tensor {
  return batch.lossOf(tape, splitRows(tape, embeddings, batch.columns));
}

/** Sequences from – to of one column that go through the encoder at once. */
type Chunk = readonly [from: number, to: number, column: number];

/** Chunks of as many sequences as the budget of tokens allows, none of two of so many equally long columns. */
function chunksOf({ offsets }: PackedBatch, columns: number, budget: number): readonly Chunk[] {
  const size = (offsets.length - 1) / columns;
  return Array.from({ length: columns }, (_, column) => {
    const first = column * size;
    const tokens = (from: number, to: number) => offsets[first + to]! - offsets[first + from]!;
    return runsWithin(size, tokens, budget).map(([from, to]): Chunk => [first + from, first + to, column]);
  }).flat();
}

/**
 * The same gradient in less memory (gradient caching: Gao et al. 2021, arXiv 2101.06983): embed chunk by chunk without
 * a tape, differentiate the loss with respect to the embeddings, then embed each chunk again and go on from there.
 * Dropout masks depend on row and position alone, so that both passes see the same ones.
 */
function differentiateCached(engine: Engine, batch: EmbeddingLoss, scale: number, budget: number): Handle {
  const { packed, columns, apart, embed } = batch;
  const chunks = chunksOf(packed, apart ? columns : 1, budget);
  const parts = chunks.map(([from, to, column]) =>
    scope(engine, () => embed(inference(engine), slicePacked(packed, from, to), column).value)
  );
  const embeddings: Tensor = {
    value: engine.concatRows(parts),
    needsGradient: true,
    isParameter: false,
    gradient: undefined,
  };
  const tape = recording(engine);
  const loss = lossOfColumns(tape, batch, embeddings);
  backward(tape, loss, engine.upload(Float32Array.of(scale), [1]));
  for (const [from, to, column] of chunks) {
    scope(engine, () => {
      const chunkTape = recording(engine);
      const chunk = embed(chunkTape, slicePacked(packed, from, to), column);
      backward(chunkTape, chunk, engine.sliceRows(embeddings.gradient!, from, to));
    });
  }
  return loss.value;
}
