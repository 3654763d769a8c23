/**
 * Masked language modelling as an objective.
 *
 * @module
 */
import { uploadBatch } from "../model/batch.ts";
import { encode } from "../model/encoder.ts";
import { type MaskedLm, maskedLmLoss } from "../model/masked_lm.ts";
import { backward, recording } from "../tensor/tape.ts";
import { type MaskingOptions, maskTokens } from "../text/masking.ts";
import { pack, type TokenizedTexts } from "../text/packed.ts";
import type { Objective } from "./objective.ts";

/**
 * Predicts masked tokens of the texts; the masks are drawn afresh in every step.
 *
 * @param model What is trained.
 * @param texts Its texts, tokenised.
 * @param masking How much is masked; `wordStarts` of all texts, laid end to end, where whole words are.
 * @returns The objective.
 */
export function maskedLmObjective(model: MaskedLm, texts: TokenizedTexts, masking: MaskingOptions = {}): Objective {
  const length = (row: number) => texts.offsets[row + 1]! - texts.offsets[row]!;
  return {
    parameters: model.parameters,
    rows: texts.offsets.length - 1,
    tokens: (rows) => rows.reduce((sum, row) => sum + length(row), 0),
    differentiate(engine, batch, scale) {
      const packed = pack([{ texts, rows: batch.rows }], batch.streams);
      const wordStarts = masking.wordStarts && gather(masking.wordStarts, texts.offsets, batch.rows, packed.ids.length);
      const { ids, positions, targets } = maskTokens(packed, model.tokenizer, batch, { ...masking, wordStarts });
      if (positions.length === 0) return engine.zeros([1]); // nothing was drawn: nothing to learn
      const tape = recording(engine);
      const tokens = encode(tape, model.encoder, uploadBatch(engine, { ...packed, ids }), batch);
      const at = engine.upload(positions, [positions.length]);
      const loss = maskedLmLoss(tape, model, tokens, at, engine.upload(targets, [targets.length]));
      backward(tape, loss, engine.upload(Float32Array.of(scale), [1]));
      return loss.value;
    },
  };
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
