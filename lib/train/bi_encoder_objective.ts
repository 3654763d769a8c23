/**
 * A bi-encoder under a loss: the way of a batch from token ids to gradients.
 *
 * @module
 */
import { type Engine, type Handle, scope } from "../engine/engine.ts";
import { TrainingError } from "../error.ts";
import type { Loss } from "../loss/loss.ts";
import { type BiEncoder, embed } from "../model/bi_encoder.ts";
import { uploadBatch } from "../model/batch.ts";
import { sliceRows } from "../tensor/ops.ts";
import { backward, inference, recording, type Tape } from "../tensor/tape.ts";
import type { Parameters, Tensor } from "../tensor/tensor.ts";
import { pack, type PackedBatch, slicePacked, type TokenizedTexts } from "../text/packed.ts";
import { activationBytesPerToken, runsWithin } from "./budget.ts";
import { hasNegative } from "./negatives.ts";
import type { Objective, ObjectiveBatch } from "./objective.ts";

/** What a bi-encoder is trained on. */
export interface BiEncoderTask {
  /** The model; its parameters that want a gradient are trained. */
  readonly model: BiEncoder;
  /** The loss. */
  readonly loss: Loss;
  /** Tensors of the loss itself; empty if it has none. */
  readonly head: Parameters;
  /** Tokenised texts, one entry per column, as many as the loss takes. */
  readonly texts: readonly TokenizedTexts[];
  /**
   * Leading tokens of every text, or of those of each column, that are a prompt's: for models that leave prompts out of their
   * pooling. Default 0.
   */
  readonly skip?: number | readonly number[] | undefined;
  /** Class or score by row, if the loss wants one. */
  readonly labels?: Int32Array | Float32Array | undefined;
  /** The texts themselves, if no text may occur twice in a batch. */
  readonly distinct?: readonly (readonly string[])[] | undefined;
  /** Tokens that go through the encoder at once; default: what fits into the engine's activation budget. */
  readonly tokenBudget?: number | undefined;
}

/**
 * A bi-encoder under a loss, as {@linkcode train} minimises it. A batch above the engine's activation budget goes
 * through the encoder in parts, with the same gradient (Gao et al. 2021, arXiv 2101.06983).
 *
 * @param task Model, loss, tokenised texts, labels.
 * @returns The objective.
 * @throws {TrainingError} The loss needs classes, and there are none.
 */
export function biEncoderObjective(task: BiEncoderTask): Objective {
  const { model, loss, head, texts, labels } = task;
  const skips = texts.map((_, column) => typeof task.skip === "number" ? task.skip : task.skip?.[column] ?? 0);
  const embedding: EmbeddingOf = (tape, packed, batch, column = 0) =>
    embed(tape, model, uploadBatch(tape.engine, packed), batch, skips[column]);
  // Columns that leave out unequally many tokens are pooled apart, and so embedded apart.
  const apart = skips.some((skip) => skip !== skips[0]) &&
    model.modules.some((spec) => spec.type === "pooling" && !spec.includePrompt);
  const tokensOf = (row: number) => texts.reduce((sum, { offsets }) => sum + offsets[row + 1]! - offsets[row]!, 0);
  return {
    parameters: { ...model.parameters, ...head },
    rows: texts[0]!.offsets.length - 1,
    distinct: task.distinct,
    groups: loss.grouped ? classesOf(loss, labels) : undefined,
    hasNegative: loss.inBatch ? (rows) => hasNegative(texts, rows) : undefined,
    tokens: (rows) => rows.reduce((sum, row) => sum + tokensOf(row), 0),
    differentiate(engine, batch, scale) {
      const packed = pack(texts.map((column) => ({ texts: column, rows: batch.rows })), batch.streams);
      const budget = task.tokenBudget ??
        Math.floor(engine.memory().activationBudget / activationBytesPerToken(model.encoder.config));
      const picked = labels && pick(labels, batch.rows);
      const classes = picked instanceof Int32Array ? picked : undefined;
      const target = picked && engine.upload(picked, [batch.rows.length]);
      const lossOf = (tape: Tape, embeddings: Tensor) => {
        const size = batch.rows.length;
        const columns = texts.map((_, column) => sliceRows(tape, embeddings, column * size, (column + 1) * size));
        return loss.apply(tape, columns, target, head, classes);
      };
      return packed.ids.length <= budget && !apart
        ? differentiateWhole(engine, embedding, packed, batch, scale, lossOf)
        : differentiateCached(
          engine,
          embedding,
          packed,
          batch,
          scale,
          lossOf,
          chunksOf(packed, apart ? texts.length : 1, budget),
        );
    },
  };
}

function classesOf(loss: Loss, labels: Int32Array | Float32Array | undefined): Int32Array {
  if (labels instanceof Int32Array) return labels;
  throw new TrainingError(`${loss.name} needs the class of every row`, {
    expected: "whole numbers in a column label",
    found: labels === undefined ? "no labels" : "scores",
  });
}

/** Embeds sequences of a batch, all of them of this column where columns are embedded apart. */
type EmbeddingOf = (tape: Tape, packed: PackedBatch, batch: ObjectiveBatch, column?: number) => Tensor;
type LossOfEmbeddings = (tape: Tape, embeddings: Tensor) => Tensor;

/** The columns of the batch go through the encoder in one forward. */
function differentiateWhole(
  engine: Engine,
  embedding: EmbeddingOf,
  packed: PackedBatch,
  batch: ObjectiveBatch,
  scale: number,
  lossOf: LossOfEmbeddings,
): Handle {
  const tape = recording(engine);
  const embeddings = embedding(tape, packed, batch);
  const loss = lossOf(tape, embeddings);
  backward(tape, loss, engine.upload(Float32Array.of(scale), [1]));
  return loss.value;
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
function differentiateCached(
  engine: Engine,
  embedding: EmbeddingOf,
  packed: PackedBatch,
  batch: ObjectiveBatch,
  scale: number,
  lossOf: LossOfEmbeddings,
  chunks: readonly Chunk[],
): Handle {
  const parts = chunks.map(([from, to, column]) =>
    scope(engine, () => embedding(inference(engine), slicePacked(packed, from, to), batch, column).value)
  );
  const embeddings: Tensor = {
    value: engine.concatRows(parts),
    needsGradient: true,
    isParameter: false,
    gradient: undefined,
  };
  const tape = recording(engine);
  const loss = lossOf(tape, embeddings);
  backward(tape, loss, engine.upload(Float32Array.of(scale), [1]));
  for (const [from, to, column] of chunks) {
    scope(engine, () => {
      const chunkTape = recording(engine);
      const chunk = embedding(chunkTape, slicePacked(packed, from, to), batch, column);
      backward(chunkTape, chunk, engine.sliceRows(embeddings.gradient!, from, to));
    });
  }
  return loss.value;
}

function pick<A extends Int32Array | Float32Array>(values: A, rows: Int32Array): A {
  const picked = values.slice(0, rows.length) as A;
  for (let i = 0; i < rows.length; i++) picked[i] = values[rows[i]!]!;
  return picked;
}
