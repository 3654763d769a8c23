/**
 * How much memory a token takes on its way through an encoder and back.
 *
 * @module
 */
import type { EncoderConfig } from "../model/config.ts";
import type { Encoder } from "../model/batch.ts";
import { loraFloatsPerToken } from "../model/lora.ts";
import { familyOf } from "../model/families/mod.ts";

/** Bytes of activations and their gradients per token, an upper estimate: the family knows, and adapters add theirs. */
export function activationBytesPerToken({ config, adapters }: Pick<Encoder, "config" | "adapters">): number {
  return 4 * (familyOf(config).floatsPerToken(config) + (adapters === undefined ? 0 : loraFloatsPerToken(adapters)));
}

/** The same for a masked token of a language model: what its head holds beside the chunks of logits. */
export function headBytesPerToken({ hiddenSize }: EncoderConfig): number {
  return 4 * 14 * hiddenSize;
}

/**
 * The same for a token of a denoising decoder: its layers have a cross-attention more, and there is a head on top of
 * them. The logits are not in it: they are made and used in chunks.
 */
export function decoderBytesPerToken(config: EncoderConfig): number {
  return activationBytesPerToken({ config }) + 4 * config.hiddenSize * (11 * config.layers + 10);
}

/**
 * Runs of consecutive rows, or sequences, that stay within the budget; a single one above it is a run of its own. Every
 * objective cuts its batches by this rule.
 *
 * @param count How many there are.
 * @param cost What those from … to − 1 cost, in the unit of the budget; more of them never cost less.
 * @param budget What a run may cost.
 * @returns The runs, [from, to) each.
 */
export function runsWithin(
  count: number,
  cost: (from: number, to: number) => number,
  budget: number,
): [from: number, to: number][] {
  const runs: [number, number][] = [];
  for (let from = 0; from < count;) {
    let to = from + 1;
    while (to < count && cost(from, to + 1) <= budget) to++;
    runs.push([from, to]);
    from = to;
  }
  return runs;
}
