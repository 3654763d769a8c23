/**
 * A bi-encoder under a loss: the way of a batch from token ids to gradients.
 *
 * @module
 */
import type { Loss } from "../loss/loss.ts";
import type { Embeddings } from "../embed/pairwise.ts";
import { type BiEncoder, embed } from "../model/bi_encoder.ts";
import { uploadBatch } from "../model/batch.ts";
import type { Parameters } from "../tensor/tensor.ts";
import { pack, type TokenizedTexts } from "../text/packed.ts";
import { activationBytesPerToken } from "./budget.ts";
import { differentiateEmbeddings } from "./embedding_gradients.ts";
import { hasNegative } from "./negatives.ts";
import type { Objective } from "./objective.ts";
import { checkedLabels, checkedRows, pickRows } from "./task_columns.ts";

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
  /** Class or score by row, if the loss wants one; of several scores a row, one row after the other. */
  readonly labels?: Int32Array | Float32Array | undefined;
  /** What another model says of the texts, if the loss wants that: its embeddings of each column, or of the first. */
  readonly guides?: readonly Embeddings[] | undefined;
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
 * @throws {TrainingError} The loss takes other columns of texts, or labels are missing, would be ignored, or are none.
 */
export function biEncoderObjective(task: BiEncoderTask): Objective {
  const { model, loss, head, texts } = task;
  const rows = checkedRows(loss, texts);
  const wanted = { name: loss.name, label: loss.label, widths: loss.labelWidths?.(texts.length) ?? [1] };
  const labels = checkedLabels(wanted, rows, task.labels);
  const skips = texts.map((_, column) => typeof task.skip === "number" ? task.skip : task.skip?.[column] ?? 0);
  // Columns that leave out unequally many tokens are pooled apart, and so embedded apart.
  const apart = skips.some((skip) => skip !== skips[0]) &&
    model.modules.some((spec) => spec.type === "pooling" && !spec.includePrompt);
  const tokensOf = (row: number) => texts.reduce((sum, { offsets }) => sum + offsets[row + 1]! - offsets[row]!, 0);
  return {
    parameters: { ...model.parameters, ...head },
    rows,
    distinct: task.distinct,
    groups: loss.grouped ? labels as Int32Array : undefined,
    hasNegative: loss.inBatch ? (rows) => hasNegative(texts, rows) : undefined,
    tokens: (rows) => rows.reduce((sum, row) => sum + tokensOf(row), 0),
    differentiate(engine, batch, scale) {
      const packed = pack(texts.map((column) => ({ texts: column, rows: batch.rows })), batch.streams);
      const budget = task.tokenBudget ??
        Math.floor(engine.memory().activationBudget / activationBytesPerToken(model.encoder));
      const each = labels === undefined ? 1 : labels.length / rows;
      const picked = labels && pickRows(labels, batch.rows, each);
      const classes = picked instanceof Int32Array ? picked : undefined;
      const size = batch.rows.length;
      const target = picked && engine.upload(picked, each === 1 ? [size] : [size, each]);
      const guides = task.guides?.map(({ data, width }) =>
        engine.upload(pickRows(data, batch.rows, width), [size, width])
      );
      const draw = { seed: batch.seed, step: batch.step };
      return differentiateEmbeddings(engine, {
        packed,
        columns: texts.length,
        apart,
        embed: (tape, part, column) => embed(tape, model, uploadBatch(engine, part), batch, skips[column]),
        lossOf: (tape, columns) => loss.apply(tape, columns, target, head, { classes, guides, draw }),
      }, { budget, scale });
    },
  };
}
