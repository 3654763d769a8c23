/**
 * How much memory a token takes on its way through an encoder and back.
 *
 * @module
 */
import type { EncoderConfig } from "../model/config.ts";

/**
 * Bytes of activations and their gradients per token, an upper estimate. Per layer, of the hidden size: forward ten
 * (queries, keys, values, context, projections, sums, normalised rows), backward seventeen with dropout; four of the
 * intermediate size; beside the layers, embeddings and pooling.
 */
export function activationBytesPerToken({ layers, hiddenSize, intermediateSize, heads }: EncoderConfig): number {
  return 4 * (layers * (36 * hiddenSize + 4 * intermediateSize + 4 * heads) + 14 * hiddenSize);
}

/**
 * The same for a token of a denoising decoder: its layers have a cross-attention more, and there is a head on top of
 * them. The logits are not in it: they are made and used in chunks.
 */
export function decoderBytesPerToken(config: EncoderConfig): number {
  return activationBytesPerToken(config) + 4 * config.hiddenSize * (11 * config.layers + 10);
}
