/**
 * The encoder: from packed token ids to one row of features per token.
 *
 * @module
 */
import type { Tape } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { DeviceBatch, Encoder, TrainingKey } from "./batch.ts";
import { familyOf } from "./families/mod.ts";
import { dropoutFor } from "./layers.ts";
import { withAdapters } from "./lora.ts";

/** Token features [C, H] of all sequences. With `training`, dropout as the configuration has it. */
export function encode(tape: Tape, plain: Encoder, batch: DeviceBatch, training?: TrainingKey): Tensor {
  const { config, adapters } = plain;
  const family = familyOf(config);
  const drop = dropoutFor(batch.places, training);
  const encoder = adapters === undefined
    ? plain
    : { ...plain, parameters: withAdapters(plain.parameters, adapters, (rate, i) => drop(rate, "lora-dropout", i)) };
  let x = family.embed(tape, encoder, batch, drop);
  const layer = family.layers(tape, encoder, batch, drop);
  for (let i = 0; i < config.layers; i++) x = layer(x, i);
  return family.finish?.(tape, encoder, x) ?? x;
}
