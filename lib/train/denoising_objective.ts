/**
 * The denoising auto-encoder (TSDAE: Wang et al. 2021, arXiv 2104.06979) as an objective.
 *
 * @module
 */
import { deletion, type Noise } from "../data/noise.ts";
import { type Handle, scope } from "../engine/engine.ts";
import { type BiEncoder, embed } from "../model/bi_encoder.ts";
import { type DenoisingDecoder, denoisingLoss } from "../model/denoising_decoder.ts";
import { uploadBatch, uploadRows } from "../model/batch.ts";
import { backward, recording } from "../tensor/tape.ts";
import { nextTokens, pack, slicePacked, type TokenizedTexts } from "../text/packed.ts";
import { activationBytesPerToken, decoderBytesPerToken, runsWithin } from "./budget.ts";
import type { Objective, ObjectiveBatch } from "./objective.ts";

/** What a denoising auto-encoder is trained on. */
export interface DenoisingTask {
  /** The model; its parameters that want a gradient are trained. */
  readonly model: BiEncoder;
  /** The decoder, which is of no use after training. */
  readonly decoder: DenoisingDecoder;
  /** The texts as they are. */
  readonly texts: readonly string[];
  /** The same by the decoder's tokenizer. */
  readonly targets: TokenizedTexts;
  /** What damages them before they are encoded. Default: 60 % of the words are deleted, afresh in every epoch. */
  readonly noise?: Noise | undefined;
  /** Bytes of activations that may be held at once; default: the engine's activation budget. */
  readonly activationBudget?: number | undefined;
}

/**
 * Minimises the mean cross-entropy of the original text's tokens, of which the decoder sees the embedding of the
 * damaged text and the tokens before.
 *
 * The mean is over all tokens of the batch, so a batch above the activation budget is taken in parts, each weighted by
 * its tokens: value and gradient are the same. Damaged texts are tokenised as they are drawn, batch by batch.
 *
 * @param task Encoder, decoder, texts, noise.
 * @returns The objective.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import { distinctTexts } from "@kindred/kindred/data";
 * import { loadBiEncoder, loadDenoisingDecoder } from "@kindred/kindred/model";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import { tokenize } from "@kindred/kindred/text";
 * import { denoisingObjective } from "@kindred/kindred/train";
 * import assert from "node:assert/strict";
 *
 * const engine = createCpuEngine({ threads: 1 });
 * const folder = await sampleBaseModel();
 * const model = await loadBiEncoder(engine, folder, { trained: true, pooling: "cls" });
 * const decoder = await loadDenoisingDecoder(engine, model, folder, { seed: 42 });
 * const { texts } = distinctTexts([["the cook follows the friend", "the nun helps the visitor"]]);
 * const targets = await tokenize(decoder.tokenizer, texts, { maxLength: model.maxSeqLength });
 * const objective = denoisingObjective({ model, decoder, texts, targets }); // for train(engine, objective, …)
 * const rows = Int32Array.of(0, 1);
 * const loss = await engine.read(objective.differentiate(engine, { rows, streams: rows, seed: 42, step: 1 }, 1));
 * assert.ok(loss[0]! > 1);
 * engine.close();
 * ```
 */
export function denoisingObjective(task: DenoisingTask): Objective {
  const { model, decoder, texts, targets, noise = deletion() } = task;
  const bytes = [activationBytesPerToken(model.encoder), decoderBytesPerToken(decoder.config)] as const;
  const lengthOf = (row: number) => targets.offsets[row + 1]! - targets.offsets[row]!;
  const damagedLengths = new Int32Array(texts.length); // as they were drawn last
  return {
    parameters: { ...model.parameters, ...decoder.parameters },
    rows: texts.length,
    tokens: (rows) => rows.reduce((sum, row) => sum + lengthOf(row) + damagedLengths[row]!, 0),
    differentiate(engine, batch, scale) {
      const size = batch.rows.length;
      const damaged = damagedTexts(model, texts, noise, batch);
      batch.rows.forEach((row, i) => damagedLengths[row] = damaged.offsets[i + 1]! - damaged.offsets[i]!);
      const columns = [{ texts: damaged, rows: batch.rows.map((_, i) => i) }, { texts: targets, rows: batch.rows }];
      const packed = pack(columns, batch.streams);
      const sources = slicePacked(packed, 0, size);
      const next = nextTokens(slicePacked(packed, size, 2 * size), decoder.tokenizer.special.pad);
      const all = counted(next.targets);

      const budget = task.activationBudget ?? engine.memory().activationBudget;
      const losses: Handle[] = [];
      const [encoded, decoded] = [sources.offsets, next.input.offsets];
      const cost = (from: number, to: number) =>
        bytes[0] * (encoded[to]! - encoded[from]!) + bytes[1] * (decoded[to]! - decoded[from]!);
      for (const [from, to] of runsWithin(size, cost, budget)) {
        const wanted = next.targets.subarray(next.input.offsets[from]!, next.input.offsets[to]!);
        const share = counted(wanted) / all;
        if (!(share > 0)) continue; // texts of one token say nothing
        losses.push(scope(engine, () => {
          const tape = recording(engine);
          const embeddings = embed(tape, model, uploadBatch(engine, slicePacked(sources, from, to)), batch);
          const input = uploadBatch(engine, slicePacked(next.input, from, to));
          const loss = denoisingLoss(
            tape,
            decoder,
            embeddings,
            input,
            uploadRows(engine, wanted, input.capacity, -1),
            batch,
          );
          backward(tape, loss, engine.upload(Float32Array.of(scale * share), [1]));
          return engine.affine(loss.value, share);
        }));
      }
      return losses.length === 0 ? engine.zeros([1]) : losses.reduce((sum, loss) => engine.binary("add", sum, loss));
    },
  };
}

/** The rows of the batch, damaged and tokenised, in the order of the batch. */
function damagedTexts(
  { tokenizer, maxSeqLength }: BiEncoder,
  texts: readonly string[],
  noise: Noise,
  { rows, seed, epoch = 0 }: ObjectiveBatch,
): TokenizedTexts {
  const encoded = Array.from(rows, (row) => tokenizer.ids(noise(texts[row]!, { seed, epoch, row }), maxSeqLength));
  const offsets = new Int32Array(rows.length + 1);
  encoded.forEach(({ length }, i) => offsets[i + 1] = offsets[i]! + length);
  return { ids: Int32Array.from(encoded.flat()), typeIds: undefined, offsets };
}

/** Targets that count. */
function counted(targets: Int32Array): number {
  return targets.reduce((count, id) => id < 0 ? count : count + 1, 0);
}
