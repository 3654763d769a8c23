/**
 * The encoder: from packed token ids to one row of features per token.
 *
 * @module
 */
import type { Tape } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { DeviceBatch, Encoder, TrainingKey } from "./batch.ts";
import { layerNames } from "./families.ts";
import { dropoutFor, embedTokens, feedForward, layerDropout, relativeBias, selfAttention } from "./layers.ts";

/** Token features [T, H] of all sequences. With `training`, dropout as the configuration has it. */
export function encode(tape: Tape, encoder: Encoder, batch: DeviceBatch, training?: TrainingKey): Tensor {
  const { config } = encoder;
  const drop = dropoutFor(batch.places, training);
  const bias = relativeBias(tape, encoder, batch);
  let x = embedTokens(tape, encoder, batch, drop(config.hiddenDropout, "embedding-dropout"));
  for (let i = 0; i < config.layers; i++) {
    const names = layerNames(config.family, i);
    const dropped = layerDropout(config, drop, i);
    x = selfAttention(tape, encoder, names, x, batch, { bias, ...dropped });
    x = feedForward(tape, encoder, names, x, dropped.feedForward);
  }
  return x;
}
