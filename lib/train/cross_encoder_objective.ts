/**
 * A cross-encoder under a loss: the way of a batch from texts to gradients.
 *
 * @module
 */
import { type Engine, type Handle, scope } from "../engine/engine.ts";
import { philox, randomPurpose } from "../engine/philox.ts";
import { TrainingError } from "../error.ts";
import type { CrossEncoderLoss } from "../loss/cross_encoder_loss.ts";
import type { CrossEncoder } from "../model/cross_encoder.ts";
import { reshape } from "../tensor/ops.ts";
import type { Tape } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { TokenizedTexts } from "../text/packed.ts";
import { concatTexts, packPairs, pairLength } from "../text/pairs.ts";
import { runsWithin } from "./budget.ts";
import { hasNegative } from "./negatives.ts";
import type { Objective, ObjectiveBatch } from "./objective.ts";
import { differentiateLogits, pairBudget } from "./pair_logits.ts";
import { checkedLabels, checkedRows, pickRows } from "./task_columns.ts";

/** What a cross-encoder is trained on. */
export interface CrossEncoderTask {
  /** The model; its parameters that want a gradient are trained. */
  readonly model: CrossEncoder;
  /** The loss. */
  readonly loss: CrossEncoderLoss;
  /** Texts by column, as `tokenizeBare` makes them: the first is paired with each of the others. */
  readonly texts: readonly TokenizedTexts[];
  /** Classes [rows], or scores [rows, width], if the loss wants them. */
  readonly labels?: Int32Array | Float32Array | undefined;
  /** The texts themselves, if no text may occur twice in a batch. */
  readonly distinct?: readonly (readonly string[])[] | undefined;
  /** Tokens that go through the encoder at once; default: what fits into the engine's activation budget. */
  readonly tokenBudget?: number | undefined;
}

/**
 * The objective that minimises `loss` over the rows of the task. All these losses are means over rows, so that a batch
 * above the budget is split by rows, and a row that alone is above it by gradient caching, with the same gradient: dropout
 * depends on row and position alone.
 *
 * @param task Model, loss, tokenised texts, labels.
 * @returns The objective.
 * @throws {TrainingError} The model has other labels than the loss wants, or labels are missing or out of their range.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import { crossEncoder } from "@kindred/kindred/loss";
 * import { loadCrossEncoder } from "@kindred/kindred/model";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import { tokenizeBare } from "@kindred/kindred/text";
 * import { crossEncoderObjective } from "@kindred/kindred/train";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const model = await loadCrossEncoder(engine, await sampleBaseModel(), { labels: 1, trained: true });
 * const texts = [
 *   await tokenizeBare(model.tokenizer, ["the boy eats", "a dog runs"]),
 *   await tokenizeBare(model.tokenizer, ["the child eats", "the queen sleeps"]),
 * ];
 * const labels = Float32Array.of(1, 0);
 * const objective = crossEncoderObjective({ model, loss: crossEncoder.binaryCrossEntropy(), texts, labels });
 * assert.equal(objective.rows, 2);
 * engine.close();
 * ```
 */
export function crossEncoderObjective(task: CrossEncoderTask): Objective {
  const { model, loss, texts } = task;
  const rows = checkedRows(loss, texts);
  checkOutputs(model, loss);
  const wanted = {
    name: loss.name,
    label: loss.label,
    widths: loss.labelWidths?.(texts.length - 1) ?? [1],
    range: loss.label === "class" ? [0, model.labels - 1] as const : loss.range,
  };
  const labels = checkedLabels(wanted, rows, task.labels);
  const width = labels === undefined ? 0 : labels.length / rows;
  const [queries, columns] = [texts[0]!, texts.length - 1];
  const candidates = concatTexts(texts.slice(1));
  const sizeOf = ({ offsets }: TokenizedTexts, text: number) => offsets[text + 1]! - offsets[text]!;
  const lengthOf = (row: number, text: number) =>
    pairLength(model.pair, sizeOf(queries, row), sizeOf(candidates, text), model.maxSeqLength);
  return {
    parameters: model.parameters,
    rows,
    distinct: task.distinct,
    hasNegative: loss.inBatchNegatives === undefined
      ? undefined
      : loss.inBatchNegatives > 0
      ? (batch) => hasNegative(texts, batch)
      : (batch) => batch.some((row) => hasNegative(texts, Int32Array.of(row))),
    /** Those of other rows are not drawn yet: they count as a mean. */
    tokens(batch) {
      const own = batch.reduce((sum, row) => {
        for (let column = 0; column < columns; column++) sum += lengthOf(row, column * rows + row);
        return sum;
      }, 0);
      return Math.round(own * (columns + drawnPerRow(loss, batch.length, columns)) / columns);
    },
    differentiate(engine, batch, scale) {
      const budget = pairBudget(engine, model, task.tokenBudget);
      const size = batch.rows.length;
      const chosen = candidatesOf(loss, batch, columns, rows);
      const perRow = chosen.length / size;
      const before = new Float64Array(size + 1); // tokens of the rows before each
      for (let i = 0; i < size; i++) {
        before[i + 1] = before[i]!;
        for (let k = i * perRow; k < (i + 1) * perRow; k++) before[i + 1]! += lengthOf(batch.rows[i]!, chosen[k]!);
      }
      let total: Handle | undefined;
      for (const [from, to] of runsWithin(size, (from, to) => before[to]! - before[from]!, budget)) {
        const share = (to - from) / size;
        const part = scope(engine, () => {
          const pairs = packPairs(
            model.pair,
            { texts: queries, rows: repeated(batch.rows, from, to, perRow) },
            { texts: candidates, rows: chosen.subarray(from * perRow, to * perRow) },
            { maxLength: model.maxSeqLength, streams: streamsOf(batch.streams, from, to, perRow) },
          );
          const lossOf = (tape: Tape, logits: Tensor) => {
            const shaped = perRow === 1 ? logits : reshape(tape, logits, [to - from, perRow]);
            const target = labels && uploadLabels(engine, loss, labels, batch.rows.subarray(from, to), width);
            return loss.apply(tape, shaped, target);
          };
          return engine.affine(
            differentiateLogits(engine, { model, pairs, batch, budget, lossOf }, scale * share),
            share,
          );
        });
        total = total === undefined ? part : engine.binary("add", total, part);
      }
      return total!;
    },
  };
}

function drawnPerRow({ inBatchNegatives = 0 }: CrossEncoderLoss, size: number, columns: number): number {
  return Math.min(inBatchNegatives, (size - 1) * columns);
}

/**
 * The candidates of each row of the batch, [B, columns + drawn]: its own, then some of other rows, without replacement
 * (Floyd 1987). Text i of column c is c · rows + i. The draw depends on seed, step and the row's place in the epoch.
 */
function candidatesOf(loss: CrossEncoderLoss, batch: ObjectiveBatch, columns: number, rows: number): Int32Array {
  const size = batch.rows.length;
  const drawn = drawnPerRow(loss, size, columns);
  const others = (size - 1) * columns;
  const purpose = randomPurpose("in-batch-negatives");
  const words = new Uint32Array(4);
  const result = new Int32Array(size * (columns + drawn));
  let next = 0;
  for (let i = 0; i < size; i++) {
    for (let column = 0; column < columns; column++) result[next++] = column * rows + batch.rows[i]!;
    const first = next;
    for (let n = 0; n < drawn; n++) {
      if ((n & 3) === 0) philox(batch.seed, purpose, n >> 2, batch.streams[i]!, batch.step, 0, words);
      const last = others - drawn + n;
      const textOf = (place: number) => {
        const other = Math.floor(place / columns);
        return place % columns * rows + batch.rows[other < i ? other : other + 1]!;
      };
      const text = textOf(Math.floor(words[n & 3]! / 2 ** 32 * (last + 1)));
      result[next] = result.subarray(first, next).includes(text) ? textOf(last) : text;
      next++;
    }
  }
  return result;
}

/** Each of the rows `from` … `to` − 1, so many times. */
function repeated(values: Int32Array, from: number, to: number, times: number): Int32Array {
  return Int32Array.from({ length: (to - from) * times }, (_, i) => values[from + Math.floor(i / times)]!);
}

/** A stream of its own for every pair. */
function streamsOf(streams: Int32Array, from: number, to: number, perRow: number): Int32Array {
  return Int32Array.from(
    { length: (to - from) * perRow },
    (_, i) => streams[from + Math.floor(i / perRow)]! * perRow + i % perRow,
  );
}

/** [rows] classes, or [rows, width] scores. */
function uploadLabels(
  engine: Engine,
  loss: CrossEncoderLoss,
  labels: Int32Array | Float32Array,
  rows: Int32Array,
  width: number,
): Handle {
  const shape = loss.label === "class" ? [rows.length] : [rows.length, width];
  return engine.upload(pickRows(labels, rows, width), shape);
}

function checkOutputs(model: CrossEncoder, loss: CrossEncoderLoss): void {
  if ((loss.outputs === "score") === (model.labels === 1)) return;
  throw new TrainingError(`${loss.name} needs a model with another number of labels`, {
    expected: loss.outputs === "score" ? "1 label" : "2 labels or more",
    found: `${model.labels}`,
  });
}
