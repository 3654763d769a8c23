/**
 * Masked language modelling as an objective.
 *
 * @module
 */
import { type Handle, scope } from "../engine/engine.ts";
import { uploadBatch } from "../model/batch.ts";
import { encode } from "../model/encoder.ts";
import { type MaskedLm, maskedLmLoss } from "../model/masked_lm.ts";
import { backward, recording } from "../tensor/tape.ts";
import { type MaskingOptions, maskTokens } from "../text/masking.ts";
import { pack, slicePacked, type TokenizedTexts } from "../text/packed.ts";
import { activationBytesPerToken, headBytesPerToken, runsWithin } from "./budget.ts";
import type { Objective } from "./objective.ts";

/** How {@linkcode maskedLmObjective} masks, and how much it may hold. */
export interface MaskedLmTask extends MaskingOptions {
  /** Bytes of activations that may be held at once; default: the engine's activation budget. */
  readonly activationBudget?: number | undefined;
}

/**
 * Predicts masked tokens of the texts; the masks are drawn afresh in every step.
 *
 * The loss is the mean over all masked tokens of the batch, so a batch above the activation budget is taken in parts,
 * each weighted by its masked tokens: value and gradient are the same.
 *
 * @param model What is trained.
 * @param texts Its texts, tokenised.
 * @param task How much is masked; `wordStarts` of all texts, laid end to end, where whole words are.
 * @returns The objective.
 */
export function maskedLmObjective(model: MaskedLm, texts: TokenizedTexts, task: MaskedLmTask = {}): Objective {
  const [perToken, perMasked] = [activationBytesPerToken(model.encoder), headBytesPerToken(model.encoder.config)];
  const length = (row: number) => texts.offsets[row + 1]! - texts.offsets[row]!;
  return {
    parameters: model.parameters,
    rows: texts.offsets.length - 1,
    tokens: (rows) => rows.reduce((sum, row) => sum + length(row), 0),
    differentiate(engine, batch, scale) {
      const packed = pack([{ texts, rows: batch.rows }], batch.streams);
      const wordStarts = task.wordStarts && gather(task.wordStarts, texts.offsets, batch.rows, packed.ids.length);
      const { ids, positions, targets } = maskTokens(packed, model.tokenizer, batch, { ...task, wordStarts });
      const masked = { ...packed, ids };
      const { offsets } = packed;
      const first = firstOfEach(positions, offsets);
      const cost = (from: number, to: number) =>
        perToken * (offsets[to]! - offsets[from]!) + perMasked * (first[to]! - first[from]!);
      const losses: Handle[] = [];
      const budget = task.activationBudget ?? engine.memory().activationBudget;
      for (const [from, to] of runsWithin(batch.rows.length, cost, budget)) {
        const [start, end] = [first[from]!, first[to]!];
        if (start === end) continue; // nothing was drawn: nothing to learn
        const share = (end - start) / positions.length;
        losses.push(scope(engine, () => {
          const tape = recording(engine);
          const tokens = encode(tape, model.encoder, uploadBatch(engine, slicePacked(masked, from, to)), batch);
          const at = engine.upload(positions.slice(start, end).map((place) => place - offsets[from]!), [end - start]);
          const loss = maskedLmLoss(tape, model, tokens, at, engine.upload(targets.slice(start, end), [end - start]));
          backward(tape, loss, engine.upload(Float32Array.of(scale * share), [1]));
          return losses.length === 0 && share === 1 ? loss.value : engine.affine(loss.value, share);
        }));
      }
      return losses.length === 0 ? engine.zeros([1]) : losses.reduce((sum, loss) => engine.binary("add", sum, loss));
    },
  };
}

/** [n + 1]: the number of the first masked place of each sequence; `positions` ascend. */
function firstOfEach(positions: Int32Array, offsets: Int32Array): Int32Array {
  const first = new Int32Array(offsets.length);
  for (let i = 0, at = 0; i < offsets.length; i++) {
    while (at < positions.length && positions[at]! < offsets[i]!) at++;
    first[i] = at;
  }
  return first;
}

/** The values of these rows, one for each token, in the order of the batch. */
function gather(values: ArrayLike<number>, offsets: Int32Array, rows: Int32Array, length: number): Uint8Array {
  const gathered = new Uint8Array(length);
  let to = 0;
  for (const row of rows) {
    for (let from = offsets[row]!; from < offsets[row + 1]!; from++) gathered[to++] = values[from]!;
  }
  return gathered;
}
