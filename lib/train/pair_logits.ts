/**
 * From the logits of a batch of pairs to gradients, all pairs at once or by gradient caching.
 *
 * @module
 */
import { type Engine, type Handle, scope } from "../engine/engine.ts";
import { type CrossEncoder, score } from "../model/cross_encoder.ts";
import { uploadBatch } from "../model/batch.ts";
import { backward, inference, recording, type Tape } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { type PackedBatch, slicePacked } from "../text/packed.ts";
import { activationBytesPerToken, runsWithin } from "./budget.ts";
import type { ObjectiveBatch } from "./objective.ts";

/** The pairs of a batch, and what becomes of their logits. */
export interface PairLogits {
  /** The model; its parameters that want a gradient get it. */
  readonly model: CrossEncoder;
  /** The pairs, end to end. */
  readonly pairs: PackedBatch;
  /** Seed and step of the batch. */
  readonly batch: ObjectiveBatch;
  /** Tokens that go through the encoder at once. */
  readonly budget: number;
  /** The loss [1] of all logits [pairs, labels]. */
  readonly lossOf: (tape: Tape, logits: Tensor) => Tensor;
}

/** Tokens that a cross-encoder takes at once: what is asked for, or what fits into the engine's activation budget. */
export function pairBudget(engine: Engine, model: CrossEncoder, asked: number | undefined): number {
  return asked ?? Math.floor(engine.memory().activationBudget / activationBytesPerToken(model.encoder));
}

/**
 * Adds `scale` times the gradient of the loss to that of every parameter, and returns the loss [1].
 *
 * Pairs above the budget are scored part by part without a tape, the loss is differentiated with respect to the logits,
 * and each part is scored again and goes on from there (Gao et al. 2021, arXiv 2101.06983): the same gradient, in the
 * memory of one part. Dropout depends on the streams of pairs alone, so that both passes see the same masks.
 */
export function differentiateLogits(
  engine: Engine,
  { model, pairs, batch, budget, lossOf }: PairLogits,
  scale: number,
): Handle {
  const scored = (tape: Tape, part: PackedBatch) => score(tape, model, uploadBatch(engine, part), batch);
  const tape = recording(engine);
  const seed = engine.upload(Float32Array.of(scale), [1]);
  const { offsets } = pairs;
  const parts = runsWithin(offsets.length - 1, (from, to) => offsets[to]! - offsets[from]!, budget);
  if (parts.length === 1) {
    const loss = lossOf(tape, scored(tape, pairs));
    backward(tape, loss, seed);
    return loss.value;
  }
  const logits: Tensor = {
    value: engine.concatRows(
      parts.map(([from, to]) => scope(engine, () => scored(inference(engine), slicePacked(pairs, from, to)).value)),
    ),
    needsGradient: true,
    isParameter: false,
    gradient: undefined,
  };
  const loss = lossOf(tape, logits);
  backward(tape, loss, seed);
  for (const [from, to] of parts) {
    scope(engine, () => {
      const partTape = recording(engine);
      const part = scored(partTape, slicePacked(pairs, from, to));
      backward(partTape, part, engine.sliceRows(logits.gradient!, from, to));
    });
  }
  return loss.value;
}
