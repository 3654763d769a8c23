/**
 * Looking at a loss: what it says of a few embeddings, and where it pulls them.
 *
 * @module
 */
import { createCpuEngine } from "../engine/cpu/engine.ts";
import type { Engine } from "../engine/engine.ts";
import { UsageError } from "../error.ts";
import { backward, recording } from "../tensor/tape.ts";
import { constant, parameter, type Parameters } from "../tensor/tensor.ts";
import type { CrossEncoderLoss } from "./cross_encoder_loss.ts";
import { meanOf } from "./cross_encoder/lists.ts";
import type { ListLoss } from "./list_loss.ts";
import type { Loss } from "./loss.ts";

/** What a loss says of a batch. */
export interface TriedLoss {
  /** The loss. */
  readonly value: number;
  /** d loss / d each of the given numbers, in the shape in which they were given. */
  readonly gradients: readonly (readonly (readonly number[])[])[];
}

/**
 * Computes a loss and its gradients for a few numbers, on a small engine of its own: to see what a loss does, and to check
 * one that you write. Training does not go through here.
 *
 * @param loss A loss over embeddings, or one over the logits of a cross-encoder.
 * @param columns For embeddings one [B, D] matrix for each text column, as rows of numbers; for logits one matrix alone,
 *   [B, candidates] or [B, classes]; for lists their scores, one row for each list, of any length.
 * @param labels Classes or scores by row, if the loss wants any; several a row stand one row after the other.
 * @param guides What another model says of the columns, one matrix each, for a loss that wants it. Default: nothing.
 * @returns The loss, and its gradients. A head, as that of `softmax`, has its first values for seed 42.
 * @throws {UsageError} The number of columns, or of labels, is not one that the loss takes.
 *
 * @example
 * ```ts
 * import { cosineSimilarity, tryLoss } from "@kindred/kindred/loss";
 * import assert from "node:assert/strict";
 * // Two embeddings at a right angle, which ought to have a cosine of 1: the first must turn towards the second.
 * const { value, gradients } = await tryLoss(cosineSimilarity(), [[[1, 0]], [[0, 1]]], [1]);
 * assert.equal(value, 1);
 * assert.deepEqual(gradients[0]![0]!.map(Math.sign).map((sign) => sign + 0), [0, -1]);
 * ```
 */
export async function tryLoss(
  loss: Loss | CrossEncoderLoss | ListLoss,
  columns: readonly (readonly (readonly number[])[])[],
  labels: readonly number[] = [],
  guides: readonly (readonly (readonly number[])[])[] = [],
): Promise<TriedLoss> {
  if ("total" in loss) return await tryLists(loss, columns[0] ?? [], labels);
  const overLogits = "outputs" in loss;
  const { min, max } = overLogits ? { min: 1, max: 1 } : loss.texts;
  if (columns.length < min || columns.length > max) {
    throw new UsageError(`${loss.name} does not take this number of columns`, {
      expected: min === max ? `${min}` : `${min} to ${max}`,
      found: `${columns.length}`,
    });
  }
  const [rows, width] = [columns[0]!.length, columns[0]![0]!.length];
  const widths = overLogits ? loss.labelWidths?.(width) : loss.labelWidths?.(columns.length) ?? [1];
  if (loss.label !== "none" && widths?.every((each) => labels.length !== rows * each)) {
    throw new UsageError(`${loss.name} does not take this number of labels`, {
      expected: widths.map((each) => `${rows * each}`).join(" or "),
      found: `${labels.length}`,
    });
  }
  const engine = createCpuEngine({ threads: 1 });
  try {
    const tape = recording(engine);
    const leaves = columns.map((matrix) => parameter(engine, [rows, width], Float32Array.from(matrix.flat())));
    const classes = loss.label === "class" ? Int32Array.from(labels) : undefined;
    const target = loss.label === "none" ? undefined : engine.upload(
      classes ?? Float32Array.from(labels),
      classes || (!overLogits && labels.length === rows) ? [rows] : [rows, labels.length / rows],
    );
    const result = overLogits
      ? loss.apply(tape, leaves[0]!, target)
      : loss.apply(tape, leaves, target, firstHead(engine, loss, width), {
        classes,
        guides: guides.map((matrix) => engine.upload(Float32Array.from(matrix.flat()), [rows, matrix[0]!.length])),
      });
    backward(tape, result, engine.upload(Float32Array.of(1), [1]));
    const value = await engine.read(result.value);
    const gradients = await Promise.all(leaves.map((leaf) => engine.read(leaf.gradient!)));
    return {
      value: value[0]!,
      gradients: gradients.map((gradient) =>
        Array.from({ length: rows }, (_, row) => Array.from(gradient.subarray(row * width, (row + 1) * width)))
      ),
    };
  } finally {
    engine.close();
  }
}

/** The scores of lists of any length, and their labels, list by list. */
async function tryLists(
  loss: ListLoss,
  lists: readonly (readonly number[])[],
  labels: readonly number[],
): Promise<TriedLoss> {
  const scores = lists.flat();
  if (labels.length !== scores.length || lists.some(({ length }) => length === 0)) {
    throw new UsageError(`${loss.name} wants lists with a label for each score`, {
      expected: `${scores.length} labels, and no list that is empty`,
      found: `${labels.length}`,
    });
  }
  const offsets = Int32Array.of(0, ...lists.map(({ length }) => length));
  for (let list = 1; list < offsets.length; list++) offsets[list]! += offsets[list - 1]!;
  const engine = createCpuEngine({ threads: 1 });
  try {
    const tape = recording(engine);
    const leaf = parameter(engine, [scores.length, 1], Float32Array.from(scores));
    const result = meanOf(tape, loss.total(tape, leaf, { offsets, labels: Float32Array.from(labels) }));
    backward(tape, result, engine.upload(Float32Array.of(1), [1]));
    const value = await engine.read(result.value);
    const gradient = await engine.read(leaf.gradient!);
    return {
      value: value[0]!,
      gradients: [lists.map((_, i) => Array.from(gradient.subarray(offsets[i]!, offsets[i + 1]!)))],
    };
  } finally {
    engine.close();
  }
}

/** The head of a loss with its first values for seed 42. */
function firstHead(engine: Engine, loss: Loss, width: number): Parameters {
  return Object.fromEntries(
    Object.entries(loss.head?.(width, 42) ?? {}).map(([name, { shape, data }]) => [
      name,
      constant(engine.upload(data, shape)),
    ]),
  );
}
