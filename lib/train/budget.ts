/**
 * How much memory a token takes on its way through an encoder and back.
 *
 * @module
 */
import type { EncoderConfig } from "../model/config.ts";

/**
 * Bytes of activations and their gradients per token, an upper estimate. Per layer: queries, keys, values, context and
 * its projection, two sums and two normalised rows forward, as much again backward (H each), and four rows of the
 * intermediate size.
 */
export function activationBytesPerToken(config: EncoderConfig): number {
  return 4 * config.layers * (20 * config.hiddenSize + 4 * config.intermediateSize + 4 * config.heads);
}

/**
 * The same for a token of a denoising decoder: its layers have a cross-attention more, and there is a head on top of
 * them. The logits are not in it: they are made and used in chunks.
 */
export function decoderBytesPerToken(config: EncoderConfig): number {
  return activationBytesPerToken(config) + 4 * config.hiddenSize * (8 * config.layers + 10);
}
